"""``concert scan`` and ``concert resume``: scans in processes of their own, ended in every way, and gone on with."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from concert.quantities import q
from concert.storage import Catalogue
from tests.terminal import PROMPT, SessionTerminal, Terminal

COMMAND = str(Path(sys.executable).with_name("concert"))
LATE = 60  # seconds

SESSION = '''\
"""A stage in front of a diode, and a shutter that must close."""

from concert.session.prelude import *
from concert.devices.motors.dummy import LinearMotor
from concert.devices.photodiodes.dummy import PhotoDiode
from concert.processes import station

stage = LinearMotor(speed=1000 * q.mm / q.s)
diode = PhotoDiode(stage, centre=5 * q.mm, fwhm=2 * q.mm)


def close_shutter():
    """Close the shutter."""
    print("shutter closed", flush=True)


station.hooks.cleanup.append(close_shutter)


def leave_behind():
    """Start a scan in the background, and leave."""
    timescan(0.01 * q.s, 5, background=True)
'''


class Beamline:
    """A directory with a session and its data, and processes that use them."""

    def __init__(self, directory):
        self.session = directory / "imaging.py"
        self.session.write_text(SESSION)
        self.data = directory / "data"
        self.environment = os.environ | {"HOME": str(directory), "XDG_STATE_HOME": str(directory / "state")}
        self.environment.pop("CONCERT_DATA", None)
        self.processes = []

    @property
    def catalogue(self):
        return Catalogue(self.data)

    def start(self, *arguments):
        process = subprocess.Popen(
            [COMMAND, *arguments, "--data", str(self.data)] if arguments[0] != "scan" else self.scan(*arguments[1:]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )
        self.processes.append(process)
        return process

    def scan(self, *line):
        return [COMMAND, "scan", "--data", str(self.data), str(self.session), *line]

    def run(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=LATE)
        return process.returncode, out, err


@pytest.fixture
def beamline(tmp_path):
    beamline = Beamline(tmp_path)
    yield beamline
    for process in beamline.processes:
        process.kill()
        process.communicate()


def points_until(process, count):
    """Read what *process* prints until *count* points are there; return those that it has reported."""
    reported = []
    for line in process.stdout:
        words = line.split()
        if words and words[0].isdigit():
            reported.append((int(words[0]), float(words[1])))
            if len(reported) == count:
                break
    return reported


def positions(stored):
    return stored.data["stage"].m_as(q.mm).tolist()


LONG = ("scan", *["ascan", "stage", "0", "mm", "10", "mm", "50", "0.05", "s"])


def test_a_scan_is_done_and_stored(beamline):
    status, out, err = beamline.run("scan", *["ascan", "stage", "0", "mm", "10", "mm", "4", "0.01", "s"])
    assert (status, err) == (0, "")
    title = "Scan 1  ascan stage 0–10 mm, 5 points, 0.01 s · about "
    assert re.fullmatch(rf"{title}.* s, 40 kB · limits, locks, disk: fine", out.splitlines()[0])
    assert out.splitlines()[-1].startswith("Scan 1 done in ")
    stored = beamline.catalogue.last
    assert (stored.session, stored.points, stored.status) == ("imaging", 5, "done")


def test_a_dry_run_tells_everything_and_stores_nothing(beamline):
    scan = ["ascan", "stage", "0", "mm", "10", "mm", "4", "0.01", "s"]
    status, out, err = beamline.run("scan", *scan, "--dry-run")
    assert (status, err) == (0, "")
    first, last = out.splitlines()
    assert re.fullmatch(r"ascan stage 0–10 mm, 5 points, 0.01 s, about .* s, 40 kB of \d+ .B", first)
    assert last == "no problems; nothing was moved"
    assert not beamline.data.exists()


def test_a_dry_run_of_what_would_be_refused_fails(beamline):
    status, out, err = beamline.run("scan", *["ascan", "stage", "0", "s", "10", "s", "4", "--dry-run"])
    assert status == 1
    assert "  point 0–4   stage.position must be given in mm, not 0 s" in out.splitlines()
    assert err == "Sorry, ascan stage 0 s 10 s 4 would be refused\n"
    assert not beamline.data.exists()


@pytest.mark.parametrize("points", [1, 20])
def test_after_kill_9_a_new_process_goes_on_with_the_next_point(beamline, points):
    process = beamline.start(*LONG)
    reported = points_until(process, points)
    process.kill()
    process.wait(LATE)
    stored = beamline.catalogue.last
    assert stored.status == "interrupted"
    assert positions(stored)[: len(reported)] == pytest.approx([position for _, position in reported], abs=1e-3)
    status, out, err = beamline.run("resume", "--yes")
    assert (status, err) == (0, "")
    assert f"Scan 1 ascan ended without closing at point {stored.points} of 51" in out
    assert f"All {stored.points} points are in scan_0001.h5. stage is at 0 mm." in out
    assert positions(beamline.catalogue[1]) == [each[0].m_as(q.mm) for each in _uninterrupted()]


def _uninterrupted():
    from concert.devices.motors.dummy import LinearMotor
    from concert.processes import describe

    return describe.ascan(LinearMotor(), 0 * q.mm, 10 * q.mm, 50, read=lambda: 0)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str
)
def test_whoever_ends_the_process_the_shutter_closes_and_the_scan_is_closed(beamline, number, status):
    process = beamline.start(*LONG)
    reported = points_until(process, 3)
    process.send_signal(number)
    out, err = process.communicate(timeout=LATE)
    assert process.returncode == status, err
    assert out.count("shutter closed") == 1
    stored = beamline.catalogue.last
    assert (stored.status, stored.points >= len(reported)) == ("aborted", True)
    assert beamline.run("scans", "resume", "1", "--yes")[0] == 0
    assert beamline.catalogue[1].points == 51


def test_without_a_prompt_a_scan_in_the_background_is_waited_for(beamline):
    status, out, err = beamline.run("run", str(beamline.session), "leave_behind")
    assert (status, err) == (0, "")
    assert "timescan is still running; Ctrl-C ends it" in out
    assert "shutter closed" in out
    assert (beamline.catalogue.last.status, beamline.catalogue.last.points) == ("done", 5)


def test_a_scan_in_the_background_ends_with_the_prompt(beamline):
    terminal = SessionTerminal(beamline.session.parent, SESSION, CONCERT_DATA=str(beamline.data))
    try:
        terminal.see(PROMPT)
        terminal.answer("scan = timescan(0.1 * q.s, background=True)")
        terminal.answer("next(iter(scan))")  # which has begun, and has something to clean up
        terminal.type("exit")
        terminal.see("shutter closed", "was aborted because the session ends; go on with: concert resume 1")
        assert terminal.program.wait(LATE) == 0
    finally:
        terminal.close()
    assert beamline.catalogue.last.status == "aborted"


def test_nothing_goes_on_without_a_yes(beamline):
    process = beamline.start(*LONG)
    points_until(process, 3)
    process.kill()
    process.wait(LATE)
    status, _, err = beamline.run("resume")
    assert (status, err) == (1, "Sorry, nobody can be asked here whether to go on; say --yes\n")
    before = beamline.catalogue.last.points
    terminal = Terminal([COMMAND, "resume", "--data", str(beamline.data)], beamline.session.parent)
    try:
        terminal.see("Go on with point", "[y/N]")
        terminal.type("n")
        assert terminal.program.wait(LATE) == 0
    finally:
        terminal.close()
    assert beamline.catalogue.last.points == before


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mv stage 3 mm", "expected a scan, such as: ascan stage 0 mm 10 mm 20 0.1 s, not 'mv stage 3 mm'"),
        ("ct 1 s", "ct is no scan and stores nothing; to read once and store it: loopscan 1 1 s"),
        ("ascan stage 0 mm 10 mm", "expected the number of intervals at the end of ascan"),
        ("ascan stage 0 mm 10 s 5", "a scan of stage.position cannot go from 0 mm to 10 s"),
    ],
)
def test_what_is_no_scan_is_said(beamline, line, message):
    status, _, err = beamline.run("scan", *line.split())
    assert status == 1
    assert err.splitlines()[0] == f"Sorry, {message}"
    assert not beamline.data.exists()


def test_there_may_be_nothing_to_go_on_with(beamline):
    status, _, err = beamline.run("resume")
    assert status == 1
    assert err.startswith(f"Sorry, there are no scans in {beamline.data}; say where they are with --data")
