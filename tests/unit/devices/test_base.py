"""The device: names, and which of its methods take part in exclusive access."""

import functools
import threading

import pytest

from concert.async_ import Future, async_, threaded
from concert.base import LockError, Parameter, Parameterizable, State, check, refusing, transition
from concert.devices.base import Device
from tests.devices_for_tests import LATE, Stage, concurrent, elsewhere, is_free, until


def test_a_device_is_parameterizable():
    assert issubclass(Device, Parameterizable)
    assert list(Device()) == []


@pytest.mark.parametrize(("name", "expected"), [(None, "Device"), ("stage", "stage")])
def test_a_device_has_a_name_for_messages(name, expected):
    assert Device(name).name == Device(name=name).name == expected


def test_a_name_shows_in_the_representation():
    assert repr(Device("stage")) == "<Device stage>"
    assert repr(Device()) == "<Device>"


def test_a_device_may_be_named_later():
    device = Stage()
    device.name = "stage"
    assert device["position"].full_name == "stage.position"


def test_a_driver_need_not_pass_a_name_on():
    class Bare(Device):
        def __init__(self, host):
            super().__init__()
            self.host = host

    device = Bare("here")
    assert (device.name, device.host) == ("Bare", "here")


def test_with_gives_the_device():
    device = Stage()
    with device as same, device["position"] as value:
        assert same is device
        assert value is device["position"]


def noted(function):
    """Decorate a method as a driver's author may do."""

    @functools.wraps(function)
    def call(*args):
        args[0].log.append("called")
        return function(*args)

    return call


class Everything(Device):
    """A method of every kind; *log* is what was called."""

    state = State(default="standby")

    def __init__(self):
        super().__init__("device")
        self.log = []

    @async_
    def asynchronous(self):
        """Asynchronous."""
        self.log.append("asynchronous")
        return 1

    @threaded
    def in_a_thread(self):
        """Threaded."""
        self.log.append("in_a_thread")
        return 1

    @check()
    def checked(self):
        """Checked."""
        self.log.append("checked")
        return 1

    @transition()
    def with_transition(self):
        """With transition."""
        self.log.append("with_transition")
        return 1

    @async_
    @check()
    def asynchronous_and_checked(self):
        """Asynchronous and checked."""
        self.log.append("asynchronous_and_checked")
        return 1

    @noted
    @async_
    def decorated(self):
        """Decorated."""
        self.log.append("decorated")
        return 1

    @check()
    @noted
    @noted
    @async_
    def decorated_and_checked(self):
        """Decorated and checked."""
        self.log.append("decorated_and_checked")
        return 1

    @staticmethod
    @async_
    def static(value):
        """Static."""
        return value

    @async_
    def stop(self):
        """Stop."""
        self.log.append("stop")
        return 1

    def abort(self):
        """Abort."""
        self.log.append("abort")
        return 1

    def plain(self):
        """Plain."""
        return 1

    @async_
    def _own(self):
        """Own."""
        return 1


ACTIONS = [
    "asynchronous",
    "in_a_thread",
    "checked",
    "with_transition",
    "asynchronous_and_checked",
    "decorated",
    "decorated_and_checked",
]


def outcome(returned):
    return returned.result(LATE) if isinstance(returned, Future) else returned


@concurrent
@pytest.mark.parametrize("name", ACTIONS)
def test_what_acts_on_a_held_device_is_kept_waiting(name):
    device = Everything()
    with device:

        def act():
            with refusing():
                outcome(getattr(device, name)())

        assert isinstance(elsewhere(act).exception(LATE), LockError)
        assert device.log == []
        assert outcome(getattr(device, name)()) == 1
    assert [entry for entry in device.log if entry != "called"] == [name]
    assert is_free(device)


@pytest.mark.parametrize(("name", "times"), [("decorated", 1), ("decorated_and_checked", 2)])
def test_decorators_above_async_are_kept(name, times):
    device = Everything()
    future = getattr(device, name)()
    assert future.result(LATE) == 1
    assert device.log == ["called"] * times + [name]


def test_a_static_method_stays_one():
    assert Everything().static(5).result(LATE) == Everything.static(5).result(LATE) == 5


@pytest.mark.parametrize("name", ["stop", "abort", "plain", "_own"])
def test_stops_and_what_only_looks_always_pass(name):
    device = Everything()
    with device:
        assert elsewhere(lambda: outcome(getattr(device, name)())).result(LATE) == 1


@pytest.mark.parametrize("name", [*ACTIONS, "stop", "abort"])
def test_methods_keep_name_and_text(name):
    method = getattr(Everything, name)
    assert method.__name__ == name
    assert method.__doc__ == name.replace("_", " ").capitalize().replace("In a thread", "Threaded") + "."


def test_an_overridden_method_may_call_the_one_of_its_base():
    class More(Everything):
        @async_
        def asynchronous(self):
            return super().asynchronous().result() + 1

        @async_
        def stop(self):
            return super().stop().result() + 1

    device = More()
    with device:
        assert (device.asynchronous().result(), device.stop().result()) == (2, 2)
    assert is_free(device)


def test_a_stop_that_fails_says_so():
    class Stuck(Device):
        @async_
        def stop(self):
            raise ConnectionError("no answer")

    with pytest.raises(ConnectionError):
        Stuck().stop().join()


@concurrent
def test_methods_in_progress_share_the_device():
    class Meeting(Device):
        def __init__(self):
            self.barrier = threading.Barrier(2)

        @async_
        def act(self):
            self.barrier.wait(LATE)

    device = Meeting()
    futures = [device.act(), device.act()]
    for future in futures:
        future.join(LATE)
    assert is_free(device)


@concurrent
def test_a_method_that_is_killed_releases_the_device():
    gate, begun = threading.Event(), threading.Event()

    @async_
    def never():
        assert gate.wait(LATE)

    class Hanging(Device):
        @async_
        def act(self):
            begun.set()
            never().join()

    device = Hanging()
    future = device.act()
    assert begun.wait(LATE)
    future.kill()
    gate.set()
    until(lambda: is_free(device))


def test_a_device_with_parameters_of_its_own_may_be_a_mixin():
    class Speed(Device):
        speed = Parameter(fget=lambda self: 1)

    class Fast(Speed, Stage):
        pass

    device = Fast("fast")
    with device:
        assert (device.speed, device.name) == (1, "fast")


class Stoppable:
    """A mixin that is no device."""

    speed = Parameter(fget=lambda self: self.real, fset=lambda self, speed: setattr(self, "real", speed))

    @async_
    def stop(self):
        """Stop."""
        self.speed = 0
        return 1

    def abort(self):
        """Abort."""
        self.speed = 0
        return 1


@concurrent
@pytest.mark.parametrize("name", ["stop", "abort"])
def test_a_stop_of_a_mixin_passes_too(name):
    class Axis(Stoppable, Device):
        pass

    device = Axis("axis")
    with device:
        assert elsewhere(lambda: outcome(getattr(device, name)())).result(LATE) == 1
    assert device.real == 0
    assert getattr(Axis, name).__doc__ == name.capitalize() + "."


def test_the_stop_of_the_nearest_mixin_is_used():
    class Axis(Stoppable, Device):
        pass

    class Careful(Stoppable):
        def stop(self):
            return "carefully"

    class CarefulAxis(Axis, Careful):
        pass

    assert CarefulAxis().stop() == "carefully"
