"""The installed command, as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import concert

COMMAND = str(Path(sys.executable).with_name("concert"))
HEAVY = ("IPython", "h5py", "matplotlib", "tango", "asyncio")


@pytest.fixture
def environment(tmp_path):
    """The environment of a user who has no sessions yet."""
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"} | home


@pytest.fixture
def sessions(tmp_path):
    """The directory of the user's sessions."""
    directory = tmp_path / "data" / "concert"
    directory.mkdir(parents=True)
    return directory


def run(environment, *arguments, command=(COMMAND,)):
    done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, timeout=20)
    return done.returncode, done.stdout, done.stderr


def test_light_commands_load_nothing_heavy(environment):
    code = "import sys; from concert.cli import main; main(['--version']); main(['show']); print(*sys.modules)"
    status, out, err = run(environment, command=(sys.executable, "-c", code))
    assert (status, err) == (0, "")
    version, show, modules = out.splitlines()
    assert version == f"concert {concert.__version__}"
    assert show.endswith("no sessions")
    assert not set(HEAVY) & set(modules.split())


def test_a_bad_name_ends_with_2_and_a_sentence(environment):
    assert run(environment, "init", "../x") == (
        2,
        "",
        "Sorry, '../x' cannot be the name of a session: "
        "expected letters, digits and _, and no digit in front, such as imaging_2\n",
    )


def test_ctrl_c_ends_a_session_that_runs(environment, sessions):
    (sessions / "imaging.py").write_text("import time\nprint('running', flush=True)\ntime.sleep(60)\n")
    process = subprocess.Popen(
        [COMMAND, "run", "imaging"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("", "\nInterrupted.\n")
    assert process.returncode == 130


def test_the_log_is_followed_until_ctrl_c(environment, sessions):
    (sessions / "concert.log").write_text("2026-11-22 19:26:53,123 imaging INFO mine: hello\n")
    process = subprocess.Popen(
        [COMMAND, "log", "imaging", "--follow"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline().endswith("hello\n")
        with open(sessions / "concert.log", "a") as log:
            log.write("2026-11-22 19:26:54,123 imaging INFO mine: again\n")
        assert process.stdout.readline().endswith("again\n")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
    assert process.returncode == 130


def test_nobody_minds_when_the_reader_has_gone(environment, sessions):
    (sessions / "concert.log").write_text("2026-11-22 19:26:53,123 imaging INFO mine: hello\n" * 5_000)
    done = subprocess.run(
        ["bash", "-c", 'set -o pipefail; "$0" log | head -n 1', COMMAND],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_the_audit_trail_names_the_command_line(environment, sessions, tmp_path):
    environment["XDG_STATE_HOME"] = str(tmp_path / "state")
    (sessions / "imaging.py").write_text(
        "from concert.devices.motors.dummy import LinearMotor\nfrom concert.quantities import q\n"
        "stage = LinearMotor(position=1 * q.mm)\ndef park():\n    stage.position = 1 * q.mm\n"
    )
    assert run(environment, "run", "imaging", "park")[0] == 0
    status, shown, complaint = run(environment, "log", "--audit")
    assert (status, complaint) == (0, "")
    assert " imaging  stage.position ? → 1 mm  arrived" in shown
    assert shown.endswith("concert run imaging park)\n")
