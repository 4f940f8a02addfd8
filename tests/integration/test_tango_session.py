"""A session whose devices are Tango devices: scans over them, and what an accident does to a scan."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from concert.async_ import runtime
from concert.devices.tango import ContinuousRotationMotor, TangoDevice
from concert.networking.tango import TangoConnectionError
from concert.processes import ascan
from concert.quantities import q
from tests.integration.test_tango_accidents import eventually

pytest.importorskip("tango")

ROOT = Path(__file__).parent.parent.parent


def test_session_runs_unattended(tmp_path):
    ended = subprocess.run(
        [Path(sys.executable).with_name("concert"), "run", ROOT / "sessions" / "tango_beamline.py", "rocking_curve"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path), "CONCERT_DATA": str(tmp_path / "data")},
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    centre = re.search(r"cen (11\.00\d+) deg", ended.stdout)
    assert centre is not None, ended.stdout
    assert float(centre[1]) == pytest.approx(11.0013, abs=1e-3)


@pytest.mark.skipif(runtime() == "sync", reason="a scan in the background needs concurrency")
def test_server_that_dies_in_the_middle_of_a_scan_is_told_and_what_was_measured_is_there(start_server, until):
    server = start_server("concert.simulation.tango", "--velocity-factor=10")
    bragg = ContinuousRotationMotor(server.uri("sim/motor/bragg"), name="bragg")
    detector = TangoDevice(server.uri("sim/detector/1"), name="detector", main_parameter="intensity")
    run = ascan(bragg, 0 * q.deg, 20 * q.deg, 200, read=detector, background=True)
    until(lambda: run.points >= 5, timeout=60)
    server.kill()
    with pytest.raises(TangoConnectionError, match=r"^no connection to the server of sim/"):
        run.result()
    assert run.status == "failed"
    assert 5 <= len(run.data["bragg"]) < 201
    assert run.data["detector"].units == q.V
    server.start()
    eventually(lambda: bragg.state)
    eventually(lambda: detector.state)
    data = ascan(bragg, 10.9 * q.deg, 11.1 * q.deg, 40, read=detector)
    assert data.peak[0].m_as(q.deg) == pytest.approx(11, abs=0.02)
