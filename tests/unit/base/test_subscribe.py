"""Subscribing: who wants to know is told of every set that has completed, and of nothing else."""

import gc
import time
import weakref

import pytest

from concert.async_ import async_, dispatcher, wait
from concert.base import ParameterValue, SoftLimitError, State, StateError, transition
from concert.devices.base import Device
from concert.quantities import q
from tests.devices_for_tests import LATE, SOON, Stage, concurrent, elsewhere, until


@pytest.fixture
def stage():
    """A stage, and as ``stage.told`` what subscribers to its position have heard."""
    stage = Stage("stage")
    stage.told = []
    stage["position"].subscribe(told := stage.told.append)
    yield stage
    stage["position"].unsubscribe(told)


def test_every_completed_set_is_told(stage):
    stage.position = 2 * q.mm
    stage["position"].set(3 * q.mm).join()
    stage.set_position(4 * q.mm).join()
    until(lambda: len(stage.told) == 3)
    assert stage.told == [stage["position"]] * 3


def test_setting_the_same_value_again_is_told(stage):
    stage.position = 2 * q.mm
    stage.position = 2 * q.mm
    until(lambda: len(stage.told) == 2)


def test_a_restored_value_is_told(stage):
    stage["position"].stash().join()
    stage["position"].restore().join()
    until(lambda: len(stage.told) == 1)


def test_who_is_told_can_read_the_new_value(stage):
    seen = []
    handler = lambda value: seen.append(value.get().result())  # noqa: E731
    stage["position"].subscribe(handler)
    stage.position = 2 * q.mm
    until(lambda: seen)
    assert seen == [2 * q.mm]


def test_a_set_that_failed_is_not_told(stage):
    with pytest.raises(SoftLimitError):
        stage.position = 50 * q.mm
    stage["position"].lock()
    assert stage.set_position(2 * q.mm).exception()
    stage["position"].unlock()
    stage.position = 2 * q.mm
    until(lambda: stage.told)
    assert len(stage.told) == 1


def test_a_set_that_did_not_arrive_is_not_told():
    class Sloppy(Stage):
        def _set_position(self, position):
            self._position = position + self.error

        error = 1 * q.mm

    stage, told = Sloppy(), []
    stage["position"].tolerance = 1 * q.um
    stage["position"].subscribe(told.append)
    assert isinstance(stage.set_position(2 * q.mm).exception(), StateError)
    stage.error = 0 * q.mm
    stage.position = 2 * q.mm
    until(lambda: told)
    assert len(told) == 1


def test_other_parameters_and_other_devices_are_not_told_of(stage):
    Stage("another").position = 5 * q.mm
    stage.comment = "hello"
    stage.position = 5 * q.mm
    until(lambda: stage.told)
    assert stage.told == [stage["position"]]


def test_who_unsubscribed_is_not_told_any_more():
    stage, told, other = Stage(), [], []
    stage["position"].subscribe(told.append)
    stage["position"].subscribe(other.append)
    stage["position"].unsubscribe(told.append)
    stage.position = 5 * q.mm
    until(lambda: other)
    assert told == []


def test_the_dispatcher_tells_as_well():
    stage, told = Stage(), []
    dispatcher.subscribe(stage["position"], "set", told.append)
    stage.position = 5 * q.mm
    until(lambda: told)
    assert isinstance(told[0], ParameterValue)


def test_a_failing_handler_does_not_harm_the_set(stage, caplog):
    def fail(_value):
        raise ZeroDivisionError

    stage["position"].subscribe(fail)
    stage.position = 5 * q.mm
    until(lambda: "fail" in caplog.text)
    assert stage.position == 5 * q.mm


@concurrent
def test_a_handler_may_write_to_the_device_that_is_held():
    stage = Stage()
    stage["position"].subscribe(lambda value: setattr(stage, "comment", "moved"))
    with stage:
        stage.position = 5 * q.mm
        elsewhere(lambda: None).join(SOON + LATE)
        assert stage.comment == "new"  # the handler does not belong to who holds the device
    until(lambda: stage.comment == "moved")


@concurrent
def test_many_sets_are_told_in_order():
    stage, told = Stage(), []
    stage["position"].subscribe(told.append)

    @async_
    def drive(number):
        stage.position = number * q.mm

    wait([drive(number % 10) for number in range(50)], LATE)
    until(lambda: len(told) == 50)


def test_a_state_kept_in_software_is_told_of():
    class Shutter(Device):
        state = State(default="closed")

        @transition(immediate="opening", target="open")
        def open(self):
            pass

    shutter, told = Shutter(), []
    shutter["state"].subscribe(told.append)
    shutter.open()
    until(lambda: len(told) == 2)


def test_a_dropped_device_is_collected_although_somebody_subscribed():
    stage, told = Stage(), []
    stage["position"].subscribe(told.append)
    stage.position = 5 * q.mm
    with stage, stage["position"]:
        stage.stash().join()
    until(lambda: told)
    gone = weakref.ref(stage)
    told.clear()
    del stage

    def collected():
        wait([async_(time.sleep)(0.001) for _ in range(300)])  # idle workers may remember their last call
        gc.collect()
        return gone() is None

    until(collected)
