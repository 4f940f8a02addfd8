"""States: who tells them, what may be done in them, and where a failure leaves them."""

import functools
import threading

import pytest

from concert.async_ import KillException, async_, threaded
from concert.base import (
    FSMError,
    HardLimitError,
    Parameter,
    Quantity,
    State,
    StateError,
    TransitionNotAllowed,
    WriteAccessError,
    check,
    transition,
)
from concert.devices.base import Device
from concert.helpers import WaitError
from concert.quantities import q
from tests.devices_for_tests import LATE, concurrent, elsewhere, until


class Camera(Device):
    """It records in software; *calls* is what was done."""

    state = State(default="standby")

    def __init__(self):
        super().__init__("camera")
        self.calls = []

    @check(source="standby")
    @transition(target="recording")
    def start(self, *args, **kwargs):
        self.calls.append(("start", args, kwargs))
        return "started"

    @check(source=("recording", "paused"), target="standby")
    @transition(immediate="ending", target="standby")
    def end(self):
        self.calls.append(("end", self.state))

    @check(source="*", target=["paused", "recording"])
    def pretend(self):
        self.calls.append("pretend")

    @transition(immediate="busy", target="done")
    def fail(self, error):
        self.calls.append(("fail", self.state))
        raise error


# -- who tells the state -----------------------------------------------------------------------------------------


def test_a_state_begins_with_its_default():
    assert Camera().state == "standby"
    assert Camera()["state"].get().result() == "standby"
    assert Camera().get_state().result() == "standby"


def test_what_the_device_says_wins():
    class Honest(Camera):
        def _get_state(self):
            return "broken"

    camera = Honest()
    assert camera.state == "broken"
    with pytest.raises(TransitionNotAllowed):
        camera.start()


def test_a_getter_may_be_given_with_data():
    class Honest(Device):
        state = State(fget=lambda self, data: data, data="from afar")

    assert Honest().state == "from afar"


def test_a_state_is_readable_and_not_writable():
    value = Camera()["state"]
    assert (value.readable, value.writable) == (True, False)


@pytest.mark.parametrize(
    "assign",
    [
        lambda camera: setattr(camera, "state", "recording"),
        lambda camera: camera["state"].set("recording").join(),
        lambda camera: camera.set_state("recording").join(),
    ],
)
def test_a_state_cannot_be_assigned(assign):
    camera = Camera()
    with pytest.raises(WriteAccessError, match=r"camera\.state cannot be written: the device's methods change it"):
        assign(camera)
    assert camera.state == "standby"


def test_even_a_setter_does_not_make_it_assignable():
    class Naive(Device):
        state = State(default="standby")

        def _set_state(self, state):
            raise AssertionError

    with pytest.raises(WriteAccessError):
        Naive().state = "recording"


class Unknown(Device):
    """Nobody tells its state."""

    state = State()

    @check(source="standby")
    def act(self):
        self.acted = True


@pytest.mark.parametrize("use", [lambda device: device.state, lambda device: device.act()])
def test_a_state_that_nobody_tells_is_an_error_that_says_what_to_add(use):
    device = Unknown()
    with pytest.raises(FSMError, match=r"default='standby'.*_get_state"):
        use(device)
    assert not hasattr(device, "acted")


def test_a_check_without_a_state_says_what_is_missing():
    class Stateless(Device):
        @check(source="standby")
        def act(self):
            raise AssertionError

    with pytest.raises(FSMError, match=r"act needs a state, and Stateless has none"):
        Stateless().act()


def test_a_state_may_have_another_name():
    class Shutter(Device):
        blades = State(default="closed")

        @check(source="closed")
        @transition(target="open")
        def open(self):
            pass

    shutter = Shutter()
    shutter.open()
    assert shutter.blades == "open"


def test_states_belong_to_one_device():
    first, second = Camera(), Camera()
    first.start()
    assert (first.state, second.state) == ("recording", "standby")


# -- check and transition ----------------------------------------------------------------------------------------


def test_a_method_is_called_with_its_arguments():
    camera = Camera()
    assert camera.start(1, b=2) == "started"
    assert camera.calls == [("start", (1,), {"b": 2})]


def test_a_refused_transition_changes_nothing():
    camera = Camera()
    with pytest.raises(TransitionNotAllowed, match=r"camera\.end needs state 'recording' or 'paused', not 'standby'"):
        camera.end()
    assert camera.state == "standby"
    assert camera.calls == []


def test_a_transition_goes_through_its_immediate_state():
    camera = Camera()
    camera.start()
    camera.end()
    assert camera.calls[-1] == ("end", "ending")
    assert camera.state == "standby"


def test_a_wrong_target_is_told_after_the_call():
    camera = Camera()
    with pytest.raises(
        TransitionNotAllowed, match=r"camera\.pretend should have led to state 'paused' or 'recording', not 'standby'"
    ):
        camera.pretend()
    assert camera.calls == ["pretend"]


def test_a_star_among_the_sources_allows_all():
    class Any(Device):
        state = State(default="standby")

        @check(source=["*"], target="*")
        def act(self):
            return 1

    assert Any().act() == 1


def test_decorated_methods_keep_name_and_text():
    class Documented(Device):
        state = State(default="standby")

        @check()
        @transition()
        def act(self):
            """Do it."""

    assert (Documented.act.__name__, Documented.act.__doc__) == ("act", "Do it.")


@pytest.mark.parametrize(
    "error", [ValueError(), KeyError(), KeyboardInterrupt(), KillException(), SystemExit()], ids=repr
)
def test_a_failure_puts_the_state_of_before_back(error):
    camera = Camera()
    camera.start()
    with pytest.raises(type(error)):
        camera.fail(error)
    assert camera.calls[-1] == ("fail", "busy")
    assert camera.state == "recording"


def test_a_state_error_passes_and_chooses_the_state():
    camera = Camera()
    error = StateError("jammed", "a cable is in the way")
    with pytest.raises(StateError) as raised:
        camera.fail(error)
    assert raised.value is error
    assert camera.state == "jammed"


def test_a_transition_may_lead_out_of_an_error():
    class Repairable(Camera):
        @check(source="jammed")
        @transition(target="standby")
        def reset(self):
            pass

    camera = Repairable()
    with pytest.raises(StateError):
        camera.fail(StateError("jammed"))
    camera.reset()
    assert camera.state == "standby"


def test_a_transition_inside_another_one_ends_first():
    class Nested(Camera):
        @transition(immediate="outer")
        def act(self, error):
            try:
                self.fail(error)
            finally:
                self.calls.append(self.state)

    camera = Nested()
    with pytest.raises(ValueError, match="inside"):
        camera.act(ValueError("inside"))
    assert camera.calls[-1] == "outer"
    assert camera.state == "standby"


# -- setters -----------------------------------------------------------------------------------------------------


class Motor(Device):
    """Its setters have checks, in both places, and transitions."""

    state = State(default="standby")
    x = Quantity(q.mm, check=check(source="standby", target="standby"))
    y = Parameter()

    def __init__(self):
        super().__init__("motor")
        self.written = []

    @transition(immediate="moving", target="standby")
    def _set_x(self, value):
        self.written.append((value, self.state))

    @check(source="standby")
    @transition(target="parked")
    def _set_y(self, value):
        self.written.append(value)


def test_a_setter_may_be_checked_and_make_a_transition():
    motor = Motor()
    motor.x = 1 * q.mm
    assert motor.written == [(1 * q.mm, "moving")]
    assert motor.state == "standby"


def test_a_refused_set_tells_the_parameter_and_the_value():
    motor = Motor()
    motor.y = 5
    assert motor.state == "parked"
    with pytest.raises(TransitionNotAllowed, match=r"setting motor\.x to 1 mm needs state 'standby', not 'parked'"):
        motor.x = 1 * q.mm
    with pytest.raises(TransitionNotAllowed, match=r"setting motor\.y to 6 needs state 'standby', not 'parked'"):
        motor.y = 6
    assert motor.written == [5]


class Double(Device):
    """Two things that can be done at the same time; each ends, or fails, when told."""

    state = State(default="standby")

    def __init__(self):
        self.ends = {"a": threading.Event(), "b": threading.Event()}
        self.begun = []

    @async_
    @transition(immediate="moving", target="standby")
    def act(self, name, error=None):
        self.begun.append(name)
        assert self.ends[name].wait(LATE)
        if error is not None:
            raise error


class Asynchronous(Double):
    """Its setters return futures."""

    x = Parameter()
    y = Parameter(check=check(source="standby", target="done"))

    @async_
    def go(self, error):
        self.begun.append("a")
        assert self.ends["a"].wait(LATE)
        if error is not None:
            raise error

    @transition(immediate="moving", target="done")
    def _set_x(self, value):
        return self.go(value)

    @async_
    @transition(immediate="moving", target="done")
    def _set_y(self, value):
        self.go(value).join()


@concurrent
@pytest.mark.parametrize("name", "xy")
@pytest.mark.parametrize(
    ("error", "state"), [(None, "done"), (ValueError(), "standby"), (StateError("jammed"), "jammed")]
)
def test_a_transition_lasts_as_long_as_what_an_asynchronous_setter_has_begun(name, error, state):
    device = Asynchronous()
    future = device[name].set(error)
    until(lambda: device.begun)
    assert device.state == "moving"
    device.ends["a"].set()
    assert future.exception(LATE) is error
    assert device.state == state


# -- with async_ -------------------------------------------------------------------------------------------------


def decorated(order, body):
    """Return a device whose method ``act`` is *body*, decorated in the order given."""
    function = functools.reduce(lambda inner, decorate: decorate(inner), order, body)
    return type("Actor", (Device,), {"state": State(default="standby"), "act": function})()


CHECK = check(source="standby", target=["standby", "done"])
TRANSITION = transition(immediate="busy", target="done")
ORDERS = {
    "async outermost": [TRANSITION, CHECK, async_],
    "async innermost": [async_, TRANSITION, CHECK],
    "async between": [TRANSITION, async_, CHECK],
    "threaded outermost": [TRANSITION, CHECK, threaded],
    "threaded innermost": [threaded, TRANSITION, CHECK],
}
orders = pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)


@orders
def test_check_and_transition_go_with_async_in_any_order(order):
    device = decorated(order, lambda self, value: (self.state, value))
    assert device.act(5).result(LATE) == ("busy", 5)
    assert device.state == "done"


@orders
def test_a_refusal_comes_through_the_future(order):
    device = decorated(order, lambda self: None)
    device.act().join(LATE)
    future = device.act()
    assert isinstance(future.exception(LATE), TransitionNotAllowed)
    assert device.state == "done"


@orders
@pytest.mark.parametrize(("error", "state"), [(ValueError(), "standby"), (StateError("jammed"), "jammed")], ids=repr)
def test_a_failure_comes_through_the_future(order, error, state):
    def fail(self):
        raise error

    device = decorated(order, fail)
    assert device.act().exception(LATE) is error
    assert device.state == state


@concurrent
@orders
def test_a_kill_puts_the_state_of_before_back(order):
    begun, gate = threading.Event(), threading.Event()

    @async_
    def never():
        assert gate.wait(LATE)

    def hang(self):
        begun.set()
        never().join()

    device = decorated(order, hang)
    future = device.act()
    assert begun.wait(LATE)
    assert device.state == "busy"
    future.kill()
    gate.set()
    until(lambda: device.state == "standby")
    assert isinstance(future.exception(LATE), KillException)


@concurrent
def test_the_state_is_looked_at_when_the_method_runs_not_when_it_is_called():
    device = decorated([TRANSITION, CHECK, async_], lambda self: None)
    with device:
        future = elsewhere(device.act).result(LATE)
        device["state"]._change("broken")
    assert isinstance(future.exception(LATE), TransitionNotAllowed)


# -- several at the same time ------------------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("failing", ["", "a", "b", "ab"])
def test_overlapping_transitions_do_not_leave_the_state_in_between(order, failing):
    device, futures = Double(), {}
    for name in "ab":
        futures[name] = device.act(name, ValueError(name) if name in failing else None)
        until(lambda name=name: name in device.begun)
    for name in order:
        device.ends[name].set()
        futures[name].exception(LATE)
    assert device.state == "standby"


@concurrent
@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("error", [None, ValueError(), StateError("jammed")], ids=repr)
def test_the_state_is_immediate_as_long_as_one_transition_is_in_progress(order, error):
    device, futures = Double(), {}
    for name in "ab":
        futures[name] = device.act(name, error if name == order[0] else None)
        until(lambda name=name: name in device.begun)
    device.ends[order[0]].set()
    futures[order[0]].exception(LATE)
    assert device.state == "moving"
    device.ends[order[1]].set()
    futures[order[1]].join(LATE)
    assert device.state == "standby"


def test_a_transition_inside_another_ones_future_may_lead_somewhere():
    class Nested(Double):
        @async_
        @transition(immediate="starting")
        def start(self):
            self.ends["a"].set()
            self.act("a").join(LATE)
            return self.state

    device = Nested()
    assert device.start().result(LATE) == "standby"
    assert device.state == "standby"


@concurrent
def test_the_error_state_of_an_earlier_transition_is_not_forgotten():
    device = Double()
    first = device.act("a", StateError("jammed"))
    until(lambda: device.begun)
    second = device.act("b", ValueError())
    until(lambda: len(device.begun) == 2)
    device.ends["a"].set()
    first.exception(LATE)
    device.ends["b"].set()
    second.exception(LATE)
    assert device.state == "jammed"


class Axis(Device):
    """An axis whose state goes through *states*, and stays in the last of them."""

    state = State()

    def __init__(self, *states):
        super().__init__("axis")
        self.states = list(states)

    def _get_state(self):
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


@pytest.mark.parametrize(
    ("states", "error", "message"),
    [
        (["moving", "hard-limit"], HardLimitError, "axis ran into a limit switch: its state is 'hard-limit'"),
        (["hard-limit"], HardLimitError, "axis ran into a limit switch"),
        (["moving", "fault"], StateError, "axis has a fault: its state is 'fault' and not 'standby'"),
    ],
)
def test_waiting_for_a_state_ends_where_a_motion_ends_that_does_not_arrive(states, error, message, concert_clock):
    with pytest.raises(error, match=message):
        Axis(*states)["state"].wait("standby")


def test_a_motion_may_begin_in_a_limit_switch_and_one_may_wait_for_that(concert_clock):
    Axis("hard-limit", "hard-limit", "moving", "standby")["state"].wait("standby")
    Axis("moving", "hard-limit")["state"].wait("hard-limit")
    with pytest.raises(WaitError, match=r"axis.state is 'moving' and did not come to be 'standby' in time"):
        Axis("moving")["state"].wait("standby", timeout=1)
