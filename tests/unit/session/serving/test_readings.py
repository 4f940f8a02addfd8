"""Reading a device for Tango: nobody is kept out for long, and what fails is told to who asked."""

import threading

import numpy as np
import pytest

from concert.async_ import threaded
from concert.base import Quantity, State
from concert.devices.base import Device
from concert.quantities import q
from concert.session.serving import _readings
from concert.session.serving._attributes import Conversion
from concert.session.serving._readings import Readings


class Stage(Device):
    """A device whose answers wait for gates."""

    load = Quantity(q.N)
    position = Quantity(q.mm)
    profile = Quantity(q.V, shape=(2,))
    state = State()

    def __init__(self):
        super().__init__("stage")
        self.gate = threading.Event()  # for the state
        self.told = "standby"

    def _get_load(self):
        threading.Event().wait()

    def _get_position(self):
        raise ConnectionError("no answer from 10.0.3.9:4002")

    def _get_profile(self):
        return np.arange(2.0) * q.V

    def _get_state(self):
        self.gate.wait()
        return self.told


@pytest.fixture
def stage():
    stage = Stage()
    yield stage
    stage.gate.set()


@pytest.fixture
def readings(stage, monkeypatch):
    monkeypatch.setattr(_readings, "ANSWER_TIME", 0.3)
    monkeypatch.setattr(_readings, "STATE_TIME", 0.05)
    return Readings(stage, [Conversion(stage[name], None) for name in ("load", "position", "profile")])


def test_each_attribute_has_its_value_or_its_failure(readings, stage):
    stage.gate.set()
    told = readings.fetch(["load", "position", "profile", "concert_state"])
    assert told["profile"][0].tolist() == [0, 1]
    assert told["concert_state"] == ("standby", None)
    assert str(told["load"][1]) == "stage.load did not answer within 0.3 s"
    assert str(told["position"][1]) == "no answer from 10.0.3.9:4002"


def from_a_native_thread(readings):
    return threaded(readings.state)().result()


def test_state_is_that_of_now(readings, stage):
    stage.gate.set()
    assert from_a_native_thread(readings) == "standby"
    stage.told = "moving"
    assert from_a_native_thread(readings) == "moving"


def test_state_that_nobody_has_told_yet_is_an_error(readings):
    with pytest.raises(TimeoutError):
        from_a_native_thread(readings)


def test_slow_state_is_told_later_and_keeps_nobody_out(readings, stage, until):
    stage.gate.set()
    assert from_a_native_thread(readings) == "standby"
    stage.gate.clear()
    stage.told = "moving"
    assert from_a_native_thread(readings) == "standby"
    stage.gate.set()
    until(lambda: from_a_native_thread(readings) == "moving")
