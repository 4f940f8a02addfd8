"""Verified sets: a set ends as arrived, stopped, out of tolerance or failed, never silently short."""

import threading
from contextlib import nullcontext
from typing import Any

import pytest

from concert.async_ import KillException, async_
from concert.base import (
    HardLimitError,
    Quantity,
    State,
    StateError,
    StoppedError,
    ToleranceError,
    UnitError,
)
from concert.base._exclusive import exclusion_of
from concert.devices.base import Device
from concert.quantities import q
from tests.devices_for_tests import LATE, SOON, Slow, concurrent, elsewhere, until


class Sloppy(Device):
    """It ends *error* beside where it was sent."""

    state = State(default="standby")
    x = Quantity(q.mm, tolerance=0.1 * q.mm)

    def __init__(self, error: Any = 0 * q.mm):
        super().__init__("stage")
        self._error, self._x, self.reads = error, 0 * q.mm, 0

    def _get_x(self):
        self.reads += 1
        return self._x

    def _set_x(self, value):
        self._x = value + self._error


def test_a_set_that_arrived_is_read_back_once():
    device = Sloppy()
    device.x = 5 * q.mm
    assert device.reads == 1


@pytest.mark.parametrize("error", [0.1 * q.mm, -100 * q.um])
def test_a_set_that_ended_within_the_tolerance_has_arrived(error):
    device = Sloppy(error)
    device.x = 0 * q.mm
    assert device.x == error


@pytest.mark.parametrize("error", [0.11 * q.mm, -1 * q.m, float("nan") * q.mm, float("inf") * q.mm], ids=str)
def test_a_set_that_ended_out_of_tolerance_fails(error):
    with pytest.raises(ToleranceError, match=r"stage\.x is .* and not within 0\.1 mm of 5 mm") as raised:
        Sloppy(error).x = 5 * q.mm
    assert raised.value.state == "standby"


def test_without_a_tolerance_nothing_is_read_back():
    device = Sloppy(1 * q.mm)
    device["x"].tolerance = None
    device.x = 5 * q.mm
    assert device.reads == 0


def test_the_tolerance_is_the_devices_own():
    first, second = Sloppy(1 * q.mm), Sloppy(1 * q.mm)
    first["x"].tolerance = 0.2 * q.cm
    first.x = 5 * q.mm
    with pytest.raises(ToleranceError):
        second.x = 5 * q.mm
    assert second["x"].tolerance == 0.1 * q.mm


@pytest.mark.parametrize("tolerance", [5, "5 mm", 5 * q.s], ids=repr)
def test_a_tolerance_has_the_parameters_dimension(tolerance):
    device = Sloppy()
    with pytest.raises(UnitError, match=r"stage\.x must be in mm, not"):
        device["x"].tolerance = tolerance
    assert device["x"].tolerance == 0.1 * q.mm


@pytest.mark.parametrize("tolerance", [-1 * q.mm, float("nan") * q.mm], ids=str)
def test_a_tolerance_is_not_negative(tolerance):
    with pytest.raises(ValueError, match=r"the tolerance of stage\.x cannot be"):
        Sloppy()["x"].tolerance = tolerance


def test_a_set_into_a_limit_switch_says_so():
    class Blocked(Sloppy):
        def _get_state(self):
            return "hard-limit"

    with pytest.raises(HardLimitError, match=r"stage\.x is .*limit switch"):
        Blocked(1 * q.mm).x = 5 * q.mm


def test_a_device_without_state_can_be_out_of_tolerance():
    class Stateless(Device):
        x = Quantity(q.mm, fget=lambda self: 0 * q.mm, fset=lambda self, value: None, tolerance=1 * q.um)

    with pytest.raises(ToleranceError) as raised:
        Stateless().x = 1 * q.mm
    assert raised.value.state == "unknown"


def test_what_cannot_be_read_is_not_read_back():
    class Deaf(Device):
        x = Quantity(q.mm, fset=lambda self, value: None, tolerance=1 * q.um)

    Deaf().x = 1 * q.mm


def test_each_element_has_to_arrive():
    class Pair(Sloppy):
        x = Quantity(q.mm, tolerance=0.1 * q.mm)

    Pair([0.05, 0.05] * q.mm).x = [1, 2] * q.mm
    with pytest.raises(ToleranceError):
        Pair([0.05, 0.5] * q.mm).x = [1, 2] * q.mm


def test_each_element_may_have_its_own_tolerance():
    device = Sloppy([0.05, 0.5] * q.mm)
    device["x"].tolerance = [0.1, 1] * q.mm
    device.x = [1, 2] * q.mm
    with pytest.raises(ValueError, match="tolerance"):
        device["x"].tolerance = [1, -1] * q.mm


@pytest.mark.parametrize("tolerance", [0.5 * q.delta_degC, 0.5 * q.K], ids=str)
@pytest.mark.parametrize(("error", "arrives"), [(0.4, True), (0.6, False)])
def test_the_tolerance_of_a_temperature_is_a_difference(tolerance, error, arrives):
    class Oven(Device):
        temperature = Quantity(q.degC, tolerance=tolerance)

        def _get_temperature(self):
            return q.Quantity(self._temperature, "degC").to(q.K)

        def _set_temperature(self, temperature):
            self._temperature = temperature.magnitude + error

    if arrives:
        Oven().temperature = 300 * q.K
    else:
        with pytest.raises(ToleranceError, match=r"not within 0\.5"):
            Oven().temperature = q.Quantity(20, "degC")


def test_a_set_that_failed_is_not_read_back():
    class Broken(Sloppy):
        def _set_x(self, value):
            raise StateError("fault", "the encoder is gone")

    device = Broken()
    with pytest.raises(StateError, match="the encoder is gone"):
        device.x = 1 * q.mm
    assert device.reads == 0


# -- stopped -----------------------------------------------------------------------------------------------------


@concurrent
def test_a_stop_from_elsewhere_makes_the_set_fail():
    device = Slow("stage")
    future = device.set_x(5 * q.mm)
    assert device.begun.wait(LATE)
    device.stop().join(LATE)
    with pytest.raises(StoppedError, match=r"stage\.x was stopped at 5 mm on the way to 5 mm") as raised:
        future.join(LATE)
    assert raised.value.state == "stopped"


@concurrent
def test_a_stop_makes_each_set_of_the_device_fail():
    device = Slow("stage")
    futures = [device.set_x(5 * q.mm), device.set_y(5 * q.mm)]
    until(lambda: len(device.log) == 2)
    device.stop().join(LATE)
    assert [type(future.exception(LATE)) for future in futures] == [StoppedError, StoppedError]


@concurrent
def test_a_set_that_was_waiting_for_its_turn_when_all_was_stopped_does_not_begin():
    device = Slow("stage")
    first = device.set_x(5 * q.mm)
    assert device.begun.wait(LATE)
    second = device.set_x(6 * q.mm)
    with pytest.raises(TimeoutError):
        second.join(SOON)
    device.stop().join(LATE)
    assert isinstance(first.exception(LATE), StoppedError)
    with pytest.raises(StoppedError, match="on the way to 6 mm"):
        second.join(LATE)
    assert "x begins 6" not in device.log


def test_a_stop_of_before_does_not_matter():
    device = Slow()
    device.stop().join()
    device.x = 5 * q.mm
    assert device.x == 5 * q.mm


class StopsItself(Device):
    """Its setter stops it first, as a controller may ask for."""

    x = Quantity(q.mm)
    y = Quantity(q.mm, fget=lambda self: 0 * q.mm)

    def __init__(self):
        super().__init__("stage")
        self.stopped, self.begun, self.gate = 0, threading.Event(), threading.Event()

    def _set_x(self, value):
        self.stop().join()

    def _set_y(self, value):
        self.begun.set()
        assert self.gate.wait(LATE)

    @async_
    def stop(self):
        self.stopped += 1


class StopsItselfAtOnce(StopsItself):
    """The same without a future."""

    def _set_x(self, value):
        self.stop()

    def stop(self):
        self.stopped += 1


@pytest.mark.parametrize("kind", [StopsItself, StopsItselfAtOnce])
def test_a_stop_by_the_setter_itself_does_not_count(kind):
    device = kind()
    device.x = 1 * q.mm
    device.x = 2 * q.mm
    assert device.stopped == 2


@concurrent
@pytest.mark.parametrize("wait_for", ["a set", "somebody who holds it"])
def test_a_stop_by_the_setter_itself_does_not_count_for_those_that_wait(wait_for):
    class Both(Slow):
        def _set_x(self, value):
            super()._set_x(value)
            self.stop().join()

    device = Both()
    with nullcontext() if wait_for == "a set" else device:
        first = device.set_x(1 * q.mm)
        assert device.begun.wait(LATE)
        second = elsewhere(setattr, device, "x", 2 * q.mm)
        until(lambda: exclusion_of(device).requests)
        device.gate.set()
        first.join(LATE)
    second.join(LATE)
    assert device.x == 2 * q.mm


@concurrent
@pytest.mark.parametrize("kind", [StopsItself, StopsItselfAtOnce])
def test_a_stop_by_one_setter_counts_for_the_other(kind):
    device = kind()
    other = device.set_y(1 * q.mm)
    assert device.begun.wait(LATE)
    device.x = 1 * q.mm
    device.gate.set()
    assert isinstance(other.exception(LATE), StoppedError)


@concurrent
def test_a_stop_from_elsewhere_counts_although_the_setter_stops_as_well():
    class Both(Slow):
        def _set_x(self, value):
            self.stop().join()
            self.gate.clear()
            super()._set_x(value)

    device = Both()
    future = device.set_x(1 * q.mm)
    assert device.begun.wait(LATE)
    elsewhere(lambda: device.stop().join()).join(LATE)
    assert isinstance(future.exception(LATE), StoppedError)


def test_an_abort_counts_as_a_stop():
    class Aborting(Device):
        x = Quantity(q.mm)

        def _set_x(self, value):
            elsewhere(self.abort).join(LATE)

        def abort(self):
            pass

    with pytest.raises(StoppedError, match=r"Aborting\.x was stopped on the way to 1 mm"):
        Aborting().x = 1 * q.mm


@concurrent
def test_a_cancelled_set_was_not_stopped_but_killed():
    device = Slow()
    future = device.set_x(5 * q.mm)
    assert device.begun.wait(LATE)
    future.cancel(block=False)
    device.gate.set()
    with pytest.raises(KillException):
        future.join(LATE)
