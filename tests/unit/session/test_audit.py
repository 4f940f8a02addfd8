"""The audit trail on disk: every set once, whoever made it, and whatever happened to the process."""

import json
import os
import signal
import subprocess
import sys

import pytest

from concert.base import SoftLimitError
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q
from concert.session import audit, logs

FAST = 1000 * q.m / q.s


@pytest.fixture
def trail(sessions, tmp_path, monkeypatch):
    """The audit trail of a user, which does not exist yet, switched on for a session."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    audit.set_up("imaging")
    yield tmp_path / "state" / "concert" / "audit.jsonl"
    audit.close()


def test_a_set_is_a_line(trail):
    stage = LinearMotor(speed=FAST, name="stage")
    stage.position = 1 * q.mm
    stage.position = 2.5 * q.mm
    audit.close()
    first, second = (json.loads(line) for line in trail.read_text().splitlines())
    assert first["from"] is None
    told = {key: second[key] for key in ("session", "pid", "parameter", "from", "to", "outcome", "after")}
    assert told == {
        "session": "imaging",
        "pid": os.getpid(),
        "parameter": "stage.position",
        "from": "1 mm",
        "to": "2.5 mm",
        "outcome": "arrived",
        "after": "2.5 mm",
    }
    assert " stage.position 1 mm → 2.5 mm  arrived" in audit.sentence(second)


def test_a_refused_set_says_why(trail):
    stage = LinearMotor(name="stage")
    stage["position"].upper = 1 * q.mm
    with pytest.raises(SoftLimitError):
        stage.position = 2 * q.mm
    audit.close()
    (entry,) = audit.entries("imaging")
    assert "? → 2 mm  refused: stage.position 2 mm is outside its soft limits" in audit.sentence(entry)


def test_a_set_in_progress_is_on_disk_in_a_moment_and_shown_once_it_has_ended(trail, until):
    stage = LinearMotor(speed=10 * q.mm / q.s, name="stage")
    moving = stage.set_position(500 * q.mm)
    until(lambda: stage.state == "moving")
    until(lambda: trail.exists() and trail.read_text().endswith("\n"))
    (entry,) = audit.entries()
    assert "no end recorded" in audit.sentence(entry)
    moving.cancel()
    audit.close()
    (entry,) = audit.entries()
    assert entry["outcome"] == "stopped"


def test_what_was_set_before_a_kill_is_kept(sessions, tmp_path):
    program = """
import os, signal, time
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q
from concert.session import audit
audit.set_up("imaging")
stage = LinearMotor(speed=10 * q.mm / q.s, position=5 * q.mm, name="stage")
stage.position = 5 * q.mm
moving = stage.set_position(500 * q.mm)
while not audit.path().exists() or "500" not in audit.path().read_text():
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state")}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    lines = (tmp_path / "state" / "concert" / "audit.jsonl").read_text().splitlines()
    first, second = map(json.loads, lines)
    assert first["outcome"] == "arrived"
    assert (second["from"], second["to"], "outcome" in second) == ("5 mm", "500 mm", False)


def test_the_trail_is_rotated_and_read_across_its_files(trail, monkeypatch):
    audit.close()
    monkeypatch.setattr(audit, "LARGEST", 4000)
    audit.set_up("imaging")
    stage = LinearMotor(speed=FAST, name="stage")
    for position in range(40):
        stage.position = position * q.mm
        if position % 10 == 9:
            audit.close()  # writes what is there
            audit.set_up("imaging")
    audit.close()
    assert len(logs.files(trail)) > 2
    assert [entry["to"] for entry in audit.entries()] == [f"{position} mm" for position in range(40)]


def test_sessions_are_told_apart(trail):
    stage = LinearMotor(speed=FAST, name="stage")
    stage.position = 1 * q.mm
    audit.set_up("optics")
    stage.position = 2 * q.mm
    audit.close()
    assert [entry["to"] for entry in audit.entries("optics")] == ["2 mm"]
    assert [entry["to"] for entry in audit.entries()] == ["1 mm", "2 mm"]


def test_a_line_that_was_cut_is_passed_over(trail):
    LinearMotor(speed=FAST).position = 1 * q.mm
    audit.close()
    with open(trail, "a") as file:
        file.write('{"session": "imag')
    assert len(list(audit.entries())) == 1


def test_a_trail_that_cannot_be_written_does_not_stop_a_session(sessions, tmp_path, monkeypatch, capsys):
    (tmp_path / "state").write_text("a file where the directory should be")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    audit.set_up("imaging")
    stage = LinearMotor(speed=FAST)
    stage.position = 1 * q.mm
    audit.close()
    assert stage.position == 1 * q.mm
    assert capsys.readouterr().err.count("cannot write the audit trail") == 1


def test_long_values_are_cut(trail):
    audit.close()
    assert len(audit._text(q.Quantity([1.5] * 5000, "mm"))) <= audit.LONGEST
    assert audit._text("a\nb") == "'a\\nb'"
    assert audit._text(0.1 * q.mm + 0.2 * q.mm) == "0.3 mm"
