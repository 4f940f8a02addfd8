"""Parameters: two styles of accessors, two ways in, what can be read and written, waiting, locking, cancelling."""

import functools
import threading

import numpy as np
import pytest

from concert.async_ import KillException, async_
from concert.base import (
    AccessorNotImplementedError,
    LockError,
    Parameter,
    Parameterizable,
    Quantity,
    ReadAccessError,
    State,
    WriteAccessError,
    check,
)
from concert.helpers import WaitError
from concert.quantities import q
from tests.devices_for_tests import LATE, SOON, Stage, concurrent


class Implicit(Parameterizable):
    """Accessors found by their names."""

    x = Parameter(help="Anything")

    def _get_x(self):
        return self._x

    def _set_x(self, value):
        self._x = value


class Declared(Parameterizable):
    """A parameter without accessors."""

    x = Parameter()


class Inherited(Declared):
    """Accessors of a subclass."""

    def _get_x(self):
        return self._x

    def _set_x(self, value):
        self._x = value


class Explicit(Parameterizable):
    """Accessors given."""

    def get_it(self):
        return self._x

    def set_it(self, value):
        self._x = value

    x = Parameter(fget=get_it, fset=set_it)


class ExplicitWins(Explicit):
    """Accessors given, and others that happen to be there."""

    def _get_x(self):
        raise AssertionError

    def _set_x(self, value):
        raise AssertionError


STYLES = [Implicit, Inherited, Explicit, ExplicitWins]

WAYS_OUT = {
    "attribute": lambda device: device.x,
    "item": lambda device: device["x"].get().result(),
    "method": lambda device: device.get_x().result(),
}

WAYS_IN = {
    "attribute": lambda device, value: setattr(device, "x", value),
    "item": lambda device, value: device["x"].set(value).join(),
    "method": lambda device, value: device.set_x(value).join(),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("way_in", WAYS_IN)
@pytest.mark.parametrize("way_out", WAYS_OUT)
def test_every_way_in_and_out_uses_the_same_accessors(style, way_in, way_out):
    device = style()
    WAYS_IN[way_in](device, 5)
    assert device._x == 5
    assert WAYS_OUT[way_out](device) == 5


def test_a_subclass_may_replace_an_accessor():
    class Doubling(Implicit):
        def _get_x(self):
            return 2 * super()._get_x()

    device = Doubling()
    device.x = 2
    assert device.x == 4


def test_data_goes_to_both_accessors_and_to_the_check():
    checked = []

    def noting(setter):
        @functools.wraps(setter)
        def call(device, *args):
            checked.append(args)
            return setter(device, *args)

        return call

    class Channels(Parameterizable):
        values = {1: 0, 2: 0}  # noqa: RUF012

        def read(self, channel):
            return self.values[channel]

        def write(self, value, channel):
            self.values[channel] = value

        first = Parameter(read, write, data=1, check=noting)
        second = Parameter(read, write, data=2)

    device = Channels()
    device.first, device.second = 10, 20
    assert (device.first, device.second) == (10, 20)
    assert checked == [(10, 1)]


def test_data_goes_to_implicit_accessors_too():
    class Channel(Parameterizable):
        x = Parameter(data="a")

        def _get_x(self, data):
            return data

        def _set_x(self, value, data):
            self.written = (value, data)

    device = Channel()
    device.x = 1
    assert (device.x, device.written) == ("a", (1, "a"))


def test_data_does_not_disturb_a_state_check():
    class Channel(Parameterizable):
        state = State(default="standby")
        x = Parameter(data="a", check=check(source="standby", target="standby"))

        def _set_x(self, value, data):
            self.written = (value, data)

    device = Channel()
    device.x = 1
    assert device.written == (1, "a")


def test_a_parameter_describes_itself():
    device = Implicit()
    device.name = "stage"
    value = device["x"]
    assert (value.name, value.full_name, value.help) == ("x", "stage.x", "Anything")
    assert repr(value) == "<ParameterValue stage.x>"
    assert Implicit.x.__doc__ == "Anything"


def test_on_the_class_there_is_the_declaration():
    assert isinstance(Implicit.x, Parameter)


class ReadOnly(Parameterizable):
    """It can only be read."""

    x = Parameter(fget=lambda self: 1)


class WriteOnly(Parameterizable):
    """It can only be written."""

    x = Parameter(fset=lambda self, value: setattr(self, "written", value))


@pytest.mark.parametrize(
    ("device", "readable", "writable"),
    [(Implicit(), True, True), (ReadOnly(), True, False), (WriteOnly(), False, True), (Declared(), False, False)],
)
def test_a_parameter_tells_what_can_be_done_with_it(device, readable, writable):
    value = device["x"]
    assert (value.readable, value.is_readable()) == (readable, readable)
    assert (value.writable, value.is_writable()) == (writable, writable)


@pytest.mark.parametrize("way", WAYS_IN)
def test_writing_what_can_only_be_read_is_refused(way):
    with pytest.raises(WriteAccessError, match=r"ReadOnly\.x cannot be written"):
        WAYS_IN[way](ReadOnly(), 1)


@pytest.mark.parametrize("way", WAYS_OUT)
def test_reading_what_can_only_be_written_is_refused(way):
    with pytest.raises(ReadAccessError, match=r"WriteOnly\.x cannot be read"):
        WAYS_OUT[way](WriteOnly())


def test_a_driver_may_say_itself_that_there_is_no_accessor():
    class Later(Declared):
        def _get_x(self):
            raise AccessorNotImplementedError("not with this firmware")

    with pytest.raises(AccessorNotImplementedError, match="firmware"):
        _ = Later().x


def test_what_an_accessor_raises_comes_through():
    class Broken(Declared):
        def _get_x(self):
            raise ZeroDivisionError

        def _set_x(self, value):
            raise ConnectionError

    with pytest.raises(ZeroDivisionError):
        _ = Broken().x
    with pytest.raises(ConnectionError):
        Broken().x = 1


def test_calling_a_method_does_not_raise_its_future_does():
    future = ReadOnly().set_x(1)
    assert isinstance(future.exception(), WriteAccessError)


def test_an_asynchronous_getter_is_waited_for():
    class Remote(Parameterizable):
        x = Parameter()
        y = Quantity(q.mm)
        state = State()

        @async_
        def _get_x(self):
            return 5

        @async_
        def _get_y(self):
            return 5 * q.um

        @async_
        def _get_state(self):
            return "standby"

    device = Remote()
    assert device.x == device["x"].get().result() == 5
    assert (device.y, device.state) == (0.005 * q.mm, "standby")


def test_an_asynchronous_setter_is_waited_for():
    class Asynchronous(Declared):
        @async_
        def _set_x(self, value):
            self.written = value

    device = Asynchronous()
    device.x = 3
    assert device.written == 3


def test_a_failure_of_an_asynchronous_setter_comes_through():
    class Asynchronous(Declared):
        @async_
        def _set_x(self, value):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        Asynchronous().x = 3


# -- wait_on -----------------------------------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize(
    "act",
    [
        lambda device, future: device["x"].get(wait_on=future),
        lambda device, future: device.get_x(wait_on=future),
        lambda device, future: device["x"].set(1, wait_on=future),
        lambda device, future: device.set_x(1, wait_on=future),
    ],
)
def test_a_get_or_set_waits_for_the_future_given(act):
    device, gate = Implicit(), threading.Event()
    device.x = 0

    @async_
    def before():
        assert gate.wait(LATE)
        device._x = 2

    first = before()
    future = act(device, first)
    with pytest.raises(TimeoutError):
        future.join(SOON)
    gate.set()
    future.join(LATE)
    assert first.done()
    assert future.result() in (None, 2)
    assert device.x == (2 if future.result() else 1)


@pytest.mark.parametrize("method", ["get_x", "set_x"])
def test_nothing_is_done_if_what_was_waited_for_failed(method):
    @async_
    def fail():
        raise ConnectionError

    device = Implicit()
    device.x = 0
    args = (1,) if method == "set_x" else ()
    with pytest.raises(ConnectionError):
        getattr(device, method)(*args, wait_on=fail()).join()
    assert device.x == 0


# -- cancelling --------------------------------------------------------------------------------------------------


class Cancellable(Parameterizable):
    """A set lasts until it is cancelled."""

    x = Parameter()

    def __init__(self):
        self.begun, self.end, self.cancelled = threading.Event(), threading.Event(), 0

    def _set_x(self, value):
        self.begun.set()
        assert self.end.wait(LATE)

    def _cancel_x(self):
        self.cancelled += 1
        self.end.set()


@concurrent
def test_cancelling_a_set_calls_the_cancel_accessor_once():
    device = Cancellable()
    future = device.set_x(1)
    assert device.begun.wait(LATE)
    future.cancel()
    future.cancel()
    assert device.cancelled == 1
    with pytest.raises(KillException):
        future.result()


def test_a_set_that_has_ended_is_not_cancelled():
    device = Cancellable()
    device.end.set()
    future = device.set_x(1).join()
    future.cancel()
    assert device.cancelled == 0


@concurrent
def test_a_set_that_is_refused_is_not_cancelled():
    device = Cancellable()
    device["x"].lock()
    future = device.set_x(1)
    assert isinstance(future.exception(), LockError)
    future.cancel()
    assert device.cancelled == 0


# -- waiting -----------------------------------------------------------------------------------------------------


class Counting(Declared):
    """It counts how often it is read."""

    reads = 0

    def _get_x(self):
        self.reads += 1
        return self.reads


def test_wait_returns_when_the_value_is_there(concert_clock):
    device = Counting()
    device["x"].wait(4)
    assert device.reads == 4
    assert concert_clock.now == pytest.approx(0.3)


def test_wait_looks_as_often_as_it_is_told(concert_clock):
    Counting()["x"].wait(4, sleep_time=2 * q.s)
    assert concert_clock.now == pytest.approx(6)


def test_wait_takes_no_time_if_the_value_is_there_already(concert_clock):
    Counting()["x"].wait(1, timeout=0 * q.s)
    assert concert_clock.now == 0


def test_a_wait_that_takes_too_long_tells_what_is_and_what_should_be(concert_clock):
    device = Stage("stage")
    with pytest.raises(WaitError, match=r"stage\.comment is 'new'.*'old'"):
        device["comment"].wait("old", timeout=1 * q.s)
    assert concert_clock.now == pytest.approx(1)


def test_wait_compares_arrays_as_a_whole(concert_clock):
    device = Stage()
    device.comment = np.array([1, 2])
    device["comment"].wait(np.array([1, 2]), timeout=1 * q.s)
    with pytest.raises(WaitError):
        device["comment"].wait(np.array([1, 3]), timeout=1 * q.s)


def test_a_devices_own_wait_error_is_not_taken_for_ours(concert_clock):
    class Sulking(Declared):
        def _get_x(self):
            raise WaitError("no answer")

    with pytest.raises(WaitError, match="no answer"):
        Sulking()["x"].wait(1)


# -- locking -----------------------------------------------------------------------------------------------------


def test_a_locked_parameter_can_be_read_but_not_written():
    device = Implicit()
    device.x = 1
    device["x"].lock()
    assert device["x"].locked
    with pytest.raises(LockError, match=r"Implicit\.x is locked and cannot be set to 2; unlock it first"):
        device.x = 2
    assert device.x == 1


def test_an_unlocked_parameter_can_be_written_again():
    device = Implicit()
    device["x"].lock()
    device["x"].unlock()
    assert not device["x"].locked
    device.x = 2


def test_a_permanent_lock_stays():
    device = Implicit()
    device["x"].lock(permanent=True)
    device["x"].lock()
    with pytest.raises(LockError, match=r"Implicit\.x is permanently locked"):
        device["x"].unlock()
    with pytest.raises(LockError, match="permanently locked"):
        device.x = 2


def test_locking_one_device_leaves_the_others_alone():
    first, second = Implicit(), Implicit()
    first["x"].lock()
    second.x = 1
    assert second.x == 1
