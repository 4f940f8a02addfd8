"""Saving values and writing them back: of one parameter, and of all of a device at the same time."""

import threading

import pytest

from concert.async_ import async_, wait
from concert.base import LockError, Parameter, Parameterizable, Quantity, ReadAccessError, SoftLimitError, State
from concert.devices.base import Device
from concert.quantities import q
from tests.devices_for_tests import LATE, Stage, concurrent, until


class Mixed(Parameterizable):
    """Parameters of every kind."""

    state = State(default="standby")
    x = Quantity(q.mm, upper=100 * q.mm)
    y = Parameter()
    read_only = Parameter(fget=lambda self: self.fail())
    write_only = Parameter(fset=lambda self, value: self.fail())

    def __init__(self):
        self.name = "stage"
        self._x, self._y = 1 * q.mm, "a"

    def _get_x(self):
        return self._x

    def _set_x(self, value):
        self._x = value

    def _get_y(self):
        return self._y

    def _set_y(self, value):
        self._y = value

    def fail(self):
        raise AssertionError("this has no business here")


# -- one parameter -----------------------------------------------------------------------------------------------


def test_a_value_is_restored():
    device = Mixed()
    device["x"].stash().join()
    device.x = 2 * q.mm
    device["x"].restore().join()
    assert device.x == 1 * q.mm


def test_values_are_stacked():
    device = Mixed()
    for number in (1, 2, 3):
        device.x = number * q.mm
        device["x"].stash().join()
    restored = []
    for _ in range(3):
        device["x"].restore().join()
        restored.append(device.x.magnitude)
    assert restored == [3, 2, 1]


def test_a_value_is_restored_once():
    device = Mixed()
    device["x"].stash().join()
    device["x"].restore().join()
    device.x = 5 * q.mm
    device["x"].restore().join()
    assert device.x == 5 * q.mm


@pytest.mark.parametrize("name", ["x", "read_only", "state", "write_only"])
def test_restoring_what_was_not_saved_does_nothing(name):
    device = Mixed()
    assert device[name].restore().result() is None
    assert device.x == 1 * q.mm


@pytest.mark.parametrize("name", ["read_only", "state"])
def test_what_cannot_be_written_is_not_saved(name):
    value = Mixed()[name]
    value.stash().join()
    value.restore().join()


def test_what_cannot_be_read_cannot_be_saved():
    with pytest.raises(ReadAccessError):
        Mixed()["write_only"].stash().join()


def test_a_value_that_is_refused_stays_saved():
    device = Mixed()
    device.x = 50 * q.mm
    device["x"].stash().join()
    device.x = 1 * q.mm
    device["x"].upper = 10 * q.mm
    with pytest.raises(SoftLimitError):
        device["x"].restore().join()
    device["x"].upper = None
    device["x"].restore().join()
    assert device.x == 50 * q.mm


# -- all of them -------------------------------------------------------------------------------------------------


def test_a_device_restores_what_can_be_read_and_written():
    device = Mixed()
    device.stash().join()
    device.x, device.y = 2 * q.mm, "b"
    device.restore().join()
    assert (device.x, device.y) == (1 * q.mm, "a")


def test_a_device_stacks():
    device = Mixed()
    device.stash().join()
    device.x = 2 * q.mm
    device.stash().join()
    device.x = 3 * q.mm
    device.restore().join()
    assert device.x == 2 * q.mm
    device.restore().join()
    assert device.x == 1 * q.mm


def test_a_device_with_nothing_saved_restores_nothing():
    device = Mixed()
    device.restore().join()
    assert device.x == 1 * q.mm


def test_the_stacks_of_a_device_and_of_its_parameters_are_apart():
    device = Mixed()
    device["x"].stash().join()
    device.x = 2 * q.mm
    device.stash().join()
    device.x = 3 * q.mm
    device["x"].restore().join()
    assert device.x == 1 * q.mm
    device.restore().join()
    assert device.x == 2 * q.mm


def test_one_that_cannot_be_saved_does_not_stop_the_others_and_is_reported():
    class Broken(Mixed):
        def _get_x(self):
            raise ConnectionError("no answer")

    device = Broken()
    with pytest.raises(ConnectionError, match="no answer"):
        device.stash().join()
    device.y = "b"
    device.restore().join()
    assert device.y == "a"


def test_one_that_cannot_be_restored_does_not_stop_the_others_and_is_reported():
    device = Mixed()
    device.stash().join()
    device.x, device.y = 2 * q.mm, "b"
    device["x"].lock()
    with pytest.raises(LockError, match=r"stage\.x is locked"):
        device.restore().join()
    assert (device.x, device.y) == (2 * q.mm, "a")
    device["x"].unlock()
    device.y = "c"
    device.restore().join()  # what had failed is still saved, and nothing else
    assert (device.x, device.y) == (1 * q.mm, "c")


def test_all_that_fails_is_reported():
    device = Mixed()
    device.stash().join()
    device["x"].lock()
    device["y"].lock()
    with pytest.raises(LockError) as raised:
        device.restore().join()
    assert "stage.x is locked" in str(raised.value)
    assert any("stage.y is locked" in note for note in raised.value.__notes__)


class Together(Device):
    """Each access waits for the other one."""

    x = Parameter()
    y = Parameter()

    def __init__(self):
        self.barrier = threading.Barrier(2)

    def meet(self, *_value):
        self.barrier.wait(LATE)
        return 1

    _get_x = _get_y = _set_x = _set_y = meet


@pytest.mark.parametrize("again", [False, True])
def test_what_is_no_setting_is_not_saved(again):
    class Start(Parameter):
        is_setting = False

    class Starting(Mixed):
        start = Start()

        def _get_start(self):
            return 0

        def _set_start(self, value):
            raise AssertionError("this begins something")

    class Again(Starting):
        start = Parameter()

    device = (Again if again else Starting)()
    device.stash().join()
    device.x = 2 * q.mm
    device.restore().join()
    assert device.x == 1 * q.mm


@concurrent
def test_values_are_read_and_written_at_the_same_time():
    device = Together()
    device.stash().join(LATE)
    device.restore().join(LATE)


class Hanging(Mixed):
    """Its y does not answer until *gate* is opened."""

    def __init__(self):
        super().__init__()
        self.begun, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def _get_y(self):
        self.begun.set()
        assert self.gate.wait(LATE)
        return self._y

    def _set_y(self, value):
        self._get_y()
        self._y = value


@concurrent
def test_a_killed_stash_saves_nothing():
    device = Hanging()
    device.stash().join(LATE)
    device.begun.clear()
    device.gate.clear()
    device.x = 2 * q.mm
    future = device.stash()
    assert device.begun.wait(LATE)
    future.kill()
    device.gate.set()
    assert future.cancelled()
    device.restore().join(LATE)
    assert device.x == 1 * q.mm


@concurrent
def test_what_a_killed_restore_has_not_written_stays_saved():
    device = Hanging()
    device.stash().join(LATE)
    device.x, device.y = 2 * q.mm, "b"
    device.begun.clear()
    device.gate.clear()
    future = device.restore()
    assert device.begun.wait(LATE)
    until(lambda: device.x == 1 * q.mm)
    future.kill()
    device.gate.set()
    until(lambda: device._stashes)
    device.restore().join(LATE)
    assert device.y == "a"


def test_devices_are_saved_at_the_same_time():
    devices = [Stage() for _ in range(5)]
    wait([device.stash() for device in devices])
    for device in devices:
        device.position = 2 * q.mm
    wait([device.restore() for device in devices])
    assert [device.position for device in devices] == [1 * q.mm] * 5


def test_a_holder_may_save_and_restore_what_he_holds():
    stage = Stage()

    @async_
    def use():
        with stage:
            stage.stash().join()
            stage.position = 5 * q.mm
            stage.restore().join()

    use().join(LATE)
    assert stage.position == 1 * q.mm
