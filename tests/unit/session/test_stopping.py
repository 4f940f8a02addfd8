"""The emergency stop tells every device, whatever is wrong with another one."""

import pytest

from concert.async_ import runtime
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q
from concert.session.stopping import stop_devices


class Proxy(Device):
    """A device that asks its controller, which does not answer, for every method."""

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        raise ConnectionError("no connection to the controller")


class Misspelt(Device):
    main_parameter = "positon"

    def stop(self):
        pass


class Lost(Misspelt):
    """A device that can be stopped and does not tell where it is."""

    def __getitem__(self, name):
        raise ConnectionError("no light")


@pytest.mark.skipif(runtime() == "sync", reason="with the sync runtime nothing is in progress")
@pytest.mark.parametrize("bad", [Proxy, Misspelt, Lost])
def test_a_device_that_goes_wrong_keeps_no_other_from_being_stopped(bad, until):
    one, other = LinearMotor(speed=1 * q.mm / q.s), LinearMotor(speed=1 * q.mm / q.s)
    moves = [each.set_position(50 * q.mm) for each in (one, other)]
    until(lambda: one.state == other.state == "moving")
    outcomes = stop_devices({"one": one, "bad": bad(), "other": other})
    assert [each.device for each in outcomes if each.stopped and each.device != "bad"] == ["one", "other"]
    assert [type(move.exception()).__name__ for move in moves] == ["StoppedError"] * 2


@pytest.mark.parametrize(
    ("bad", "stopped", "evidence"),
    [
        (Proxy, False, "ConnectionError: no connection to the controller"),
        (Misspelt, True, "position unknown: bad has no parameter 'positon'"),
        (Lost, True, "position unknown: no light"),
    ],
)
def test_the_report_says_what_is_wrong(bad, stopped, evidence):
    (outcome,) = stop_devices({"bad": bad("bad")})
    assert (outcome.stopped, outcome.evidence) == (stopped, evidence)


def test_what_has_nothing_to_stop_is_left_out():
    assert stop_devices({"nothing": Device()}) == []
