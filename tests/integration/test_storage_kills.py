"""``kill -9`` at random moments: whatever the killed process had reported is there, whole, and once.

The short form kills a few times; ``CONCERT_KILLS=100`` asks for more.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from concert.storage import Catalogue
from tests.integration.scan_that_is_killed import point

h5py = pytest.importorskip("h5py")

KILLS = int(os.environ.get("CONCERT_KILLS", "12"))
POINTS = 40
SLOW = 0.04  # seconds between two points, with which the file grows while the scan runs
PROGRAM = Path(__file__).with_name("scan_that_is_killed.py")

# What the process is doing when it is killed, by the last thing it said, and after how many seconds at most.
STAGES = {"ready": 0.05, "begun": 0.02, "point": 0.02, "durable": 0.02, "closing": 0.03, "done": 0.05}


def run_and_kill(directory, stage, delay, pause):
    """Run the program until it has said *stage* (for the last time or not) and *delay* has passed; return its lines."""
    process = subprocess.Popen(
        [sys.executable, PROGRAM, directory, str(POINTS), str(pause)], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.split())
            if line.split()[0] == stage:
                break
        time.sleep(delay)
    finally:
        process.send_signal(signal.SIGKILL)
        lines += [line.split() for line in process.stdout if line.endswith("\n")]
        process.wait()
        process.stdout.close()
    return lines


class Reported:
    """What the killed processes have said was safe: the number of points by scan, and which scans were done."""

    def __init__(self):
        self.points = Counter()
        self.begun, self.done = [], set()

    def note(self, lines):
        for what, *words in lines:
            numbers = [int(word) for word in words]
            if what == "begun":
                if numbers[1] == 0 and numbers[0] not in self.points:
                    self.begun.append(numbers[0])
                assert numbers[1] >= self.points[numbers[0]], "a scan went on before its last point"
                self.points[numbers[0]] = numbers[1]
            elif what == "point":
                self.points[numbers[0]] = max(self.points[numbers[0]], numbers[1] + 1)
            elif what == "durable":
                self.points[numbers[0]] = max(self.points[numbers[0]], numbers[1])
            elif what == "done":
                self.done.add(numbers[0])
            else:
                assert what in ("ready", "closing"), f"the program said {what} {words}"

    def compare(self, catalogue):
        """Fail if the catalogue, or a file, does not have what was reported."""
        scans = {scan.number: scan for scan in catalogue}
        assert sorted(scans) == list(range(1, len(scans) + 1))
        for number, points in self.points.items():
            scan = scans[number]
            assert scan.points >= points, f"scan {number} has lost points"
            assert scan.rows() == [point(index) for index in range(scan.points)]
            assert scan.status == ("done" if number in self.done else scan.status)
            assert scan.status in ("done", "interrupted")
            with h5py.File(scan.path) as file:  # opens, unlike one that was not closed
                stage = file["entry/data/stage"][:].tolist()
                assert stage == list(range(scan.points))
                assert file["entry/scan/status"][()].decode() == scan.status


def test_nothing_that_was_reported_is_ever_lost(tmp_path):
    seed = int(os.environ.get("CONCERT_SEED", random.randrange(10**6)))
    chance = random.Random(seed)
    print(f"CONCERT_SEED={seed}")
    reported, stages = Reported(), Counter()
    moments = list(STAGES) * (KILLS // len(STAGES) + 1)
    for index in range(KILLS):
        stage = moments[index]
        pause = chance.choice([0, 0.001, SLOW])
        # The file of a running scan is made, and grows, about a second after the first point.
        delay = chance.uniform(0, 1.5 if pause == SLOW and stage == "point" else STAGES[stage])
        lines = run_and_kill(tmp_path, stage, delay, pause)
        stages[lines[-1][0] if lines else "nothing"] += 1
        reported.note(lines)
        # Every second time somebody else looks after it first, otherwise it is the one who goes on.
        if index % 2:
            reported.compare(Catalogue(tmp_path))
    print(f"killed after {dict(stages)}")
    assert len(reported.begun) == len(set(reported.begun)), "a number was given twice"
    catalogue = Catalogue(tmp_path)
    for scan in list(catalogue):
        if scan.status != "done":
            record = catalogue.reopen(scan.number)
            for number in range(record.durable, POINTS):
                record.append(point(number))
            record.finish("done")
    reported.compare(catalogue)
    assert {scan.points for scan in catalogue} == {POINTS}
    names = {path.name for path in tmp_path.iterdir()} - {"scans.sqlite", "scans.sqlite-wal", "scans.sqlite-shm"}
    assert names == {f"scan_{number:04}.h5" for number in range(1, len(catalogue) + 1)}


def test_a_copy_that_was_taken_at_any_moment_is_whole(tmp_path):
    """What is on the disk is complete at each moment, not only when the process dies."""
    source = tmp_path / "data"
    process = subprocess.Popen([sys.executable, PROGRAM, source, "400", "0"], stdout=subprocess.PIPE, text=True)
    try:
        while "durable" not in process.stdout.readline():
            pass
        for index in range(3):
            process.send_signal(signal.SIGSTOP)
            shutil.copytree(source, tmp_path / str(index))
            process.send_signal(signal.SIGCONT)
            for _ in range(50):
                process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
    for index in range(3):
        for scan in Catalogue(tmp_path / str(index)):
            assert scan.rows() == [point(number) for number in range(scan.points)]
