"""What belongs to an open session, to its very end."""

import os
import signal

import pytest

from concert.async_ import runtime
from concert.devices.motors.dummy import LinearMotor
from concert.processes import dscan
from concert.quantities import q
from concert.session import running
from concert.session.opening import opened

pytestmark = [
    pytest.mark.skipif(runtime() == "sync", reason="with the sync runtime no scan is left running"),
    pytest.mark.usefixtures("sessions"),
]


class Watchful(LinearMotor):
    """A motor that notes, whenever it is moved, which sessions others see, and whether SIGTERM would kill this one."""

    def __init__(self):
        super().__init__(speed=1 * q.m / q.s)
        self.seen = []

    def _set_position(self, position):
        names = [each.name for each in running.running()]
        self.seen.append((position, names, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL))
        super()._set_position(position)


def test_others_can_stop_the_session_while_its_scans_clean_up(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    stage = Watchful()
    with opened("imaging", data=str(tmp_path / "data")):
        scan = dscan(stage, 1 * q.mm, 10 * q.mm, 1000, read=[lambda: 0], background=True)
        next(iter(scan))
    assert stage.seen[-1] == (0 * q.mm, ["imaging"], False)
    assert running.running() == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_sigterm_does_not_cut_the_cleanup_of_scans_short(tmp_path):
    class Told(LinearMotor):
        def _set_position(self, position):
            if position == 0 * q.mm:
                os.kill(os.getpid(), signal.SIGTERM)
            super()._set_position(position)

    stage = Told(speed=1 * q.m / q.s)

    def be_open():
        with opened("imaging", data=str(tmp_path / "data")):
            scan = dscan(stage, 1 * q.mm, 10 * q.mm, 1000, read=[lambda: 0], background=True)
            next(iter(scan))

    with pytest.raises(SystemExit, match="143"):
        be_open()
    assert abs(stage.position) < 0.01 * q.mm
