"""What goes on without its client."""

import pytest

from concert.devices.dummy import DummyDevice
from concert.session.unattended import goes_on, unattended


def test_only_what_the_session_says_goes_on():
    heater, stage = DummyDevice(), DummyDevice()
    unattended(heater)
    assert (goes_on(heater), goes_on(stage)) == (True, False)


def test_only_devices_go_on():
    stage = DummyDevice()
    with pytest.raises(TypeError, match="expected devices that go on without their client, not 'heater'"):
        unattended(stage, "heater")
    assert not goes_on(stage)
