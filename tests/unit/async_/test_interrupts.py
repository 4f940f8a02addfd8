"""Ctrl-C, in a process of its own (pressed.py) that has to go on working after each scene."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("pressed.py")
SWITCHES = {"gevent": {}, "threads": {"CONCERT_ENABLE_GEVENT": "0"}, "sync": {"CONCERT_ENABLE_ASYNC": "0"}}
LAST = "next call gives 42"


class Program:
    """The program, and what is done to it."""

    def __init__(self, runtime):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CONCERT_")}
        self.runtime = runtime
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            env=environment | SWITCHES[runtime],
        )
        self._end_of_patience = threading.Timer(60, self._process.kill)
        self._end_of_patience.start()

    def tell(self, line):
        self._process.stdin.write(line + "\n")

    def press(self):
        os.kill(self._process.pid, signal.SIGINT)

    def until(self, last):
        """Return the lines that come, until and without *last*."""
        lines = []
        while (line := self._process.stdout.readline()) != last + "\n":
            assert line, f"it has ended without {last!r}: {lines}"
            lines.append(line.strip())
        return lines

    def play(self, scene):
        self.tell(scene)
        assert self.until("ready") == []

    def end(self):
        self.tell("end")
        rest = self._process.communicate()[0]
        self._end_of_patience.cancel()
        self._end_of_patience.join()
        assert rest == ""
        assert self._process.returncode == 0


@pytest.fixture(scope="module", params=list(SWITCHES))
def program(request):
    program = Program(request.param)
    yield program
    program.end()


def only(*runtimes):
    return pytest.mark.parametrize("program", runtimes, indirect=True, scope="module")


@only("gevent", "sync")
@pytest.mark.parametrize("scene", ["in_a_wait", "in_a_busy_future"])
def test_press_ends_the_code_and_stops_what_it_moves(program, scene):
    program.play(scene)
    program.press()
    happened = program.until("KeyboardInterrupt")
    assert sorted(happened) == ["cleaned up", "stopped"]
    assert program.until(LAST) == []


@only("threads")
def test_press_ends_the_wait_for_a_thread_and_stops_what_it_moves(program):
    program.play("in_a_wait")
    program.press()
    # The code of a thread gets to know it when it next waits, which may be later.
    happened = [*program.until("KeyboardInterrupt"), *program.until(LAST)]
    assert "stopped" in happened
    if "cleaned up" not in happened:
        assert program.until("cleaned up") == []


@only("gevent")
def test_press_ends_all_that_is_waited_for(program):
    program.play("in_a_wait_for_many")
    assert program.until("ready") == []
    program.press()
    assert sorted(program.until("KeyboardInterrupt")) == ["cleaned up", "cleaned up", "stopped", "stopped"]
    assert program.until(LAST) == []


def test_press_ends_the_wait_for_native_code(program):
    program.play("in_native_code")
    program.press()
    assert program.until("KeyboardInterrupt") == ["stopped"]
    assert program.until(LAST) == []


@pytest.mark.parametrize("scene", ["in_main_code_that_sleeps", "in_main_code_that_computes"])
def test_press_interrupts_main_code(program, scene):
    program.play(scene)
    program.press()
    assert program.until("KeyboardInterrupt") == []
    assert program.until(LAST) == []


def test_press_in_a_shield_counts_at_its_end(program):
    program.play("in_a_shield")
    program.press()
    program.tell("go on")
    assert program.until("KeyboardInterrupt") == ["heard go on"]
    assert program.until(LAST) == []


@only("gevent")
def test_futures_of_earlier_commands_go_on(program):
    program.play("beside_a_future_of_an_earlier_command")
    program.press()
    *happened, last = program.until("KeyboardInterrupt")
    assert (sorted(happened), last) == (["cleaned up", "stopped"], "still ticking")
    assert program.until(LAST) == []


@only("gevent", "sync")
def test_second_press_does_not_cut_a_cleanup_short(program):
    program.play("during_a_cleanup")
    program.press()
    before = program.until("cleaning up")
    program.press()
    program.tell("go on")
    after = program.until("KeyboardInterrupt")
    assert sorted(before + after) == ["heard go on", "stopped"]
    assert program.until(LAST) == []


@only("gevent", "sync")
def test_third_press_cuts_even_a_cleanup_short(program):
    program.play("during_an_endless_cleanup")
    program.press()
    before = program.until("cleaning up")
    program.press()
    before += program.until("held back")
    program.press()
    # This is not waited for any more.
    after = program.until("KeyboardInterrupt") + program.until(LAST)
    if "cut short" not in after:
        after += [*program.until("cut short"), "cut short"]
    assert sorted(before + after) == ["cut short", "stopped"]
