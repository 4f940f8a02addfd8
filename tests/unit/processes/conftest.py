"""What scans in tests move and read."""

import pytest

from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor
from concert.devices.photodiodes.dummy import PhotoDiode
from concert.processes import counters
from concert.quantities import q


@pytest.fixture
def slits():
    return DummyDevice(name="slits")


@pytest.fixture
def stage(concert_clock):
    return LinearMotor(name="stage")


@pytest.fixture
def lift(concert_clock):
    return LinearMotor(name="lift")


@pytest.fixture
def diode(stage):
    return PhotoDiode(stage, centre=5 * q.mm, fwhm=2 * q.mm, name="diode")


@pytest.fixture
def no_counters():
    counters()
    yield
    counters()
