"""What a newcomer does first: the tutorial session, as `make run` runs it, and things that go wrong there."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
RUN = [str(Path(sys.executable).with_name("concert")), "run", str(ROOT / "sessions" / "tutorial.py")]


@pytest.fixture
def start(tmp_path):
    processes = []

    def start(*arguments):
        process = subprocess.Popen(
            [*RUN, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"HOME": str(tmp_path)},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_the_rocking_curve_is_scanned_drawn_and_stored(start, tmp_path):
    process = start("rocking_curve", "--data", "data")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert errors == ""
    centre = re.search(r"cen (11\.00\d+) deg", output)
    assert centre is not None
    assert float(centre[1]) == pytest.approx(11.0013, abs=5e-4)
    assert len(re.findall(r"^ +\d+ +1[01]\.\d{5} +", output, re.MULTILINE)) == 41
    assert output.splitlines()[-1].endswith("data/scan_0001.h5, scan_0001.png")
    stored = {path.name for path in (tmp_path / "data").iterdir()}
    assert stored == {"scan_0001.h5", "scan_0001.png", "scans.sqlite"}


def test_ctrl_c_ends_the_scan_and_the_controller(start):
    process = start("rocking_curve")
    port = int(re.search(r":(\d+)$", process.stdout.readline())[1])
    while not re.match(r" +3 ", process.stdout.readline()):
        pass
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == "Interrupted."
    with pytest.raises(OSError, match="refused"):
        _connect(port)


def test_a_function_that_does_not_exist_is_answered_with_those_that_do(start):
    process = start("rocking_curv")
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "has no function 'rocking_curv'; it has rocking_curve" in errors


def _connect(port):
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass
