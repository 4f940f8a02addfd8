"""``concert stop``: the emergency stop from another terminal, with devices that make it hard."""

import os
import re
import signal
import subprocess

import pytest

from tests.terminal import CONCERT, PROMPT, SessionTerminal, user

SESSION = '''
"""A bad day."""
import socket
import time

from concert.async_ import async_
from concert.devices.motors.dummy import LinearMotor
from concert.networking.base import SocketConnection
from concert.session.prelude import *

class Hanging(LinearMotor):
    def _stop(self):
        time.sleep(600)

class Raising(LinearMotor):
    def _stop(self):
        raise RuntimeError("no light")

class Networked(LinearMotor):
    def __init__(self, port):
        super().__init__()
        self._connection = SocketConnection("127.0.0.1", port)

    def _stop(self):
        self._connection.execute("stop")

def unused_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]

slow = dict(speed=1 * q.mm / q.s)
stage = LinearMotor(**slow)
hanging = Hanging(**slow)
raising = Raising(**slow)
locked = LinearMotor(**slow)
held = LinearMotor(**slow)
_private = LinearMotor(**slow)
slits = [LinearMotor(**slow), LinearMotor(**slow)]
gone = Networked(unused_port())

@async_
def hold():
    with held:
        time.sleep(600)

holding = hold().detach()
moving = [each.set_position(500 * q.mm) for each in (stage, hanging, raising, locked, _private, *slits)]
time.sleep(0.1)
locked.lock(permanent=True)

def spin():
    print("spin" + "ning", flush=True)
    while True:
        pass

def sleep():
    print("sleep" + "ing", flush=True)
    time.sleep(600)
'''

ONE_DEVICE = """
from concert.devices.motors.dummy import LinearMotor
from concert.session.prelude import *

stage = LinearMotor(speed=1 * q.mm / q.s)
"""

STOPPED = ("stage", "locked", "held", "_private", "slits[0]", "slits[1]")
NOT_STOPPED = {"hanging": "no answer within 2 s", "raising": "RuntimeError: no light", "gone": "ConnectionError"}


def stop(directory, *arguments):
    done = subprocess.run(
        [CONCERT, "stop", *arguments], env=user(directory), capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def check_evidence(shown):
    for name in STOPPED:
        assert re.search(rf"^{re.escape(name)} +stopped +\d\.\d\d s +at ", shown, re.MULTILINE), name
    for name, why in NOT_STOPPED.items():
        assert re.search(rf"^{name} +NOT STOPPED +\d\.\d\d s +{re.escape(why)}", shown, re.MULTILINE), name
    assert re.search(r"6 of 9 devices stopped in \d\.\d\d s; check hanging, raising, gone by eye", shown)


@pytest.fixture
def terminal(tmp_path):
    terminal = SessionTerminal(tmp_path, SESSION)
    terminal.see("Ctrl-C stops the command", PROMPT)
    yield terminal
    terminal.close()


@pytest.mark.parametrize("busy", ["", "spin()", "sleep()"])
def test_every_device_is_stopped_and_both_terminals_say_so(terminal, busy):
    if busy:
        terminal.type(busy)
        terminal.see({"spin()": "spinning", "sleep()": "sleeping"}[busy])
    status, shown, complaint = stop(terminal.directory, "imaging")
    assert shown.startswith(f"imaging (process {terminal.program.pid})\n")
    check_evidence(shown)
    assert (status, complaint) == (1, "Sorry, not everything has stopped\n")
    terminal.see("Stopped by ", " in another terminal:", " by eye")
    check_evidence((terminal.process.before + " by eye").replace("\r", ""))


def test_the_prompt_works_after_a_stop_from_elsewhere(tmp_path):
    terminal = SessionTerminal(tmp_path, ONE_DEVICE)
    try:
        terminal.see(PROMPT)
        terminal.answer("moving = stage.set_position(500 * q.mm)")
        assert stop(tmp_path)[0] == 0
        terminal.see("Stopped by", "1 of 1 devices stopped")
        assert "'standby'" in terminal.answer("stage.state")
        assert "was stopped at" in terminal.answer("moving.exception()")
        assert terminal.alive()
    finally:
        terminal.close()


def test_a_session_without_a_prompt_is_stopped(tmp_path):
    (tmp_path / "imaging.py").write_text(SESSION)
    process = subprocess.Popen(
        [CONCERT, "run", str(tmp_path / "imaging.py"), "spin"],
        env=user(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "spinning\n"
        check_evidence(stop(tmp_path)[1])
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=30)
    check_evidence(shown)
    assert process.returncode == 130


def test_nothing_to_stop_is_said(tmp_path):
    assert stop(tmp_path) == (1, "", "Sorry, no session is running\n")
    assert stop(tmp_path, "imaging") == (1, "", "Sorry, no session imaging is running; there are none\n")
    assert stop(tmp_path, "../x")[0] == 2


def test_a_session_that_was_killed_is_not_signalled(tmp_path):
    terminal = SessionTerminal(tmp_path, "")
    terminal.see(PROMPT)
    os.kill(terminal.program.pid, signal.SIGKILL)
    terminal.program.wait()
    try:
        assert stop(tmp_path) == (1, "", "Sorry, no session is running\n")
        assert list((tmp_path / "concert" / "running").iterdir()) == []
    finally:
        terminal.close()


def test_a_session_that_cannot_listen_is_reported(tmp_path):
    (tmp_path / "imaging.py").write_text("print('here', flush=True)\nimport time\ntime.sleep(600)\n")
    process = subprocess.Popen(
        [CONCERT, "run", str(tmp_path / "imaging.py")], env=user(tmp_path), stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGSTOP)
        status, shown, _ = stop(tmp_path)
        assert status == 1
        assert "no answer within 5 s: nothing is known about its devices; check them by eye" in shown
        process.kill()
