"""Holds of devices that are served elsewhere: none may stay there that nobody has here."""

import pytest

from concert.async_ import Event, async_
from concert.devices.base import Device
from concert.devices.tango._remote_exclusion import RemoteExclusion


class Served:
    """Gives holds when it is let, and keeps them until they are released."""

    def __init__(self):
        self.asked, self.let = Event(), Event()
        self.held = []

    def hold(self, _part, _under):
        self.asked.set()
        self.let.wait()
        self.held.append("hold")
        return "hold"

    def release(self, hold):
        self.held.remove(hold)


@pytest.fixture
def device():
    device = Device()
    device.served = Served()
    device._exclusion = RemoteExclusion(device, device.served)
    return device


@async_
def use(device, until):
    with device:
        until.wait()


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_hold_that_comes_as_its_user_is_killed_is_released(device, concert_runtime, until):
    future = use(device, Event())
    device.served.asked.wait()
    device.served.let.set()
    future.cancel()
    until(lambda: not device.served.held and not device._exclusion._holds)


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_hold_lasts_until_the_last_one_lets_go(device, concert_runtime):
    device.served.let.set()
    with device:
        with device:
            assert device._exclusion.hold_of(None) == "hold"
        assert device.served.held == ["hold"]
    assert not device.served.held
    assert device._exclusion.hold_of(None) is None
