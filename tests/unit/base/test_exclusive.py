"""Exclusive access: enforced, inherited by what is started inside, released on any exit, never a silent deadlock."""

import threading
from contextlib import nullcontext

import pytest

from concert.async_ import KillException, async_, threaded, wait
from concert.base import DeadlockError, LockError, Quantity, State, check, refusing
from concert.base._exclusive import exclusion_of, held_parts, is_patient
from concert.devices.base import Device
from concert.quantities import q
from tests.devices_for_tests import LATE, Slow, concurrent, elsewhere, is_free, is_waiting, until


def quick(name="stage"):
    """Return a device whose sets take no time."""
    device = Slow(name)
    device.gate.set()
    return device


WRITES = {
    "attribute": lambda device: setattr(device, "x", 1 * q.mm),
    "item": lambda device: device["x"].set(1 * q.mm).join(),
    "method": lambda device: device.set_x(1 * q.mm).join(),
}

USES = WRITES | {
    "asynchronous method": lambda device: device.act().join(),
    "checked method": lambda device: device.act_at_once(),
    "with device": lambda device: device.__enter__().__exit__(None, None, None),
    "with parameter": lambda device: device["x"].__enter__().__exit__(None, None, None),
}


# -- enforced ----------------------------------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize("use", USES)
def test_who_holds_the_device_keeps_others_waiting(use):
    device = quick()
    with device:
        other = elsewhere(USES[use], device)
        assert is_waiting(other)
        assert device.log == []
    other.join(LATE)
    assert is_free(device)


@concurrent
@pytest.mark.parametrize("use", [*WRITES, "with device", "with parameter"])
def test_who_holds_a_parameter_keeps_others_from_writing_it(use):
    device = quick()
    with device["x"]:
        other = elsewhere(USES[use], device)
        assert is_waiting(other)
        assert device.log == []
    other.join(LATE)
    assert is_free(device)


@concurrent
def test_who_holds_a_parameter_leaves_the_others_alone():
    device = quick()
    with device["x"]:
        elsewhere(device.set_y, 1 * q.mm).result(LATE).join(LATE)
        elsewhere(USES["asynchronous method"], device).join(LATE)
        with device["y"]:
            pass
    assert device.log == ["y begins 1", "y ends 1", "act"]


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("part", [None, "x"])
def test_the_holder_may_do_everything(use, part):
    device = quick()
    with device if part is None else device[part]:
        USES[use](device)
    assert is_free(device)


def test_reading_is_free():
    device = quick()
    with device:
        assert elsewhere(lambda: (device.x, device["y"].get().result(), device.state)).result(LATE)


@concurrent
def test_a_stop_passes():
    device = Slow()
    with device, device["x"]:
        elsewhere(lambda: device.stop().join()).join(LATE)
    assert device.log == ["stop"]


def test_what_a_stop_has_to_write_passes_as_well():
    class Wheel(Slow):
        @async_
        def stop(self):
            self.y = 0 * q.mm
            with self:
                self.act_at_once()

    device = Wheel("wheel")
    device.gate.set()
    device["y"].lock(permanent=True)
    with device, device["y"]:
        elsewhere(lambda: device.stop().join()).join(LATE)
        assert device.log == ["y begins 0", "y ends 0", "act at once"]
    assert is_free(device)


@concurrent
def test_what_a_cancel_has_to_write_passes_as_well():
    class Wheel(Slow):
        def _set_y(self, value):
            self.log.append("braked")
            self.gate.set()

        def _cancel_x(self):
            self.y = 0 * q.mm

    device = Wheel()
    with device:
        future = device.set_x(1 * q.mm)
        assert device.begun.wait(LATE)
        elsewhere(future.cancel).join(LATE)
        assert "braked" in device.log
    assert isinstance(future.exception(LATE), KillException)


@concurrent
def test_a_value_is_looked_at_again_when_its_turn_has_come():
    device = quick()
    with device:
        other = elsewhere(device["x"].set, 5 * q.mm).result(LATE)
        until(lambda: exclusion_of(device).requests)
        device["x"].upper = 1 * q.mm
    with pytest.raises(ValueError, match="soft limits"):
        other.join(LATE)
    assert device.log == []
    device.x = 1 * q.mm  # and it is free again
    assert is_free(device)


# -- inherited ---------------------------------------------------------------------------------------------------


def in_a_child(function, *args):
    async_(function)(*args).join(LATE)


def in_a_grandchild(function, *args):
    in_a_child(in_a_child, function, *args)


def in_a_thread(function, *args):
    threaded(function)(*args).join(LATE)


def in_a_child_of_a_thread(function, *args):
    in_a_thread(in_a_child, function, *args)


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("place", [in_a_child, in_a_grandchild, in_a_thread, in_a_child_of_a_thread])
def test_what_is_started_inside_belongs_to_the_holder(use, place):
    device = quick()
    with device:
        place(USES[use], device)
    assert is_free(device)


@concurrent
def test_a_future_started_before_waits():
    device, gate = quick(), threading.Event()

    @async_
    def use():
        assert gate.wait(LATE)
        device.x = 1 * q.mm

    earlier = use()
    with device:
        gate.set()
        assert is_waiting(earlier)
    earlier.join(LATE)


@concurrent
def test_a_future_that_outlives_the_block_holds_nothing_any_more():
    device, gate = quick(), threading.Event()

    @async_
    def use():
        assert gate.wait(LATE)
        device.x = 1 * q.mm

    with device:
        left_over = use()
    other = Slow("another")

    @async_
    def hold():
        with device:
            assert other.gate.wait(LATE)

    holder = hold()
    until(lambda: exclusion_of(device).whole)
    gate.set()
    assert is_waiting(left_over)
    other.gate.set()
    wait([holder, left_over], LATE)


@concurrent
def test_a_child_keeps_what_it_holds_when_its_parent_has_left():
    device, gate, begun = quick(), threading.Event(), threading.Event()

    @async_
    def child():
        with device:
            begun.set()
            assert gate.wait(LATE)

    with device:
        future = child()
        assert begun.wait(LATE)
    other = elsewhere(setattr, device, "x", 1 * q.mm)
    assert is_waiting(other)
    gate.set()
    wait([future, other], LATE)
    assert is_free(device)


@concurrent
def test_who_left_is_not_accused_of_a_deadlock_with_its_child():
    device, gate, begun = quick(), threading.Event(), threading.Event()

    @async_
    def child():
        with device:
            begun.set()
            assert gate.wait(LATE)

    with device:
        future = child()
        assert begun.wait(LATE)
    until(future.running)
    opener = async_(lambda: (until(lambda: exclusion_of(device).requests), gate.set()))()
    with device:
        pass
    wait([future, opener], LATE)


# -- re-entrant, and released on any exit ------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize(("outer", "inner"), [(None, None), (None, "x"), ("x", None), ("x", "x"), ("x", "y")])
def test_holding_again_is_released_as_often(outer, inner):
    device = quick()
    with device if outer is None else device[outer]:
        with device if inner is None else device[inner]:
            device.x = 1 * q.mm
        other = elsewhere(setattr, device, "x", 2 * q.mm)
        assert is_waiting(other)
    other.join(LATE)
    assert is_free(device)


@pytest.mark.parametrize("part", [None, "x"])
def test_an_error_releases(part):
    device = quick()
    with pytest.raises(ZeroDivisionError), device if part is None else device[part]:
        raise ZeroDivisionError
    assert is_free(device)


@concurrent
@pytest.mark.parametrize("part", [None, "x"])
def test_a_kill_releases(part):
    device, begun = quick(), threading.Event()

    @async_
    def never():
        assert forever.wait(LATE)

    @async_
    def hold():
        with device if part is None else device[part]:
            begun.set()
            never().join()

    forever = threading.Event()
    future = hold()
    assert begun.wait(LATE)
    future.kill()
    forever.set()
    elsewhere(setattr, device, "x", 2 * q.mm).join(LATE)
    assert device.x == 2 * q.mm
    assert is_free(device)


@concurrent
def test_a_killed_set_releases():
    device = Slow()
    future = device.set_x(1 * q.mm)
    assert device.begun.wait(LATE)
    future.cancel(block=False)
    device.gate.set()
    device.x = 2 * q.mm
    assert device.x == 2 * q.mm
    assert is_free(device)


@concurrent
def test_a_killed_waiter_leaves_the_queue():
    device = quick()
    with device:
        other = elsewhere(setattr, device, "x", 2 * q.mm)
        until(lambda: exclusion_of(device).requests)
        other.kill()
        until(lambda: not exclusion_of(device).requests)
    assert is_free(device)
    assert device.log == []


def test_releasing_what_is_not_held_is_an_error():
    device = quick()
    with pytest.raises(LockError, match="stage is not held by the main program"):
        device.__exit__(None, None, None)
    with pytest.raises(LockError, match=r"stage\.x is not held"):
        device["x"].__exit__(None, None, None)


def test_a_child_cannot_release_what_its_parent_holds():
    device = quick()
    with device:
        release = elsewhere(device.__exit__, None, None, None)
        assert isinstance(release.exception(LATE), LockError)
        assert exclusion_of(device).whole
    assert is_free(device)


# -- one set after the other -------------------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("part", [None, "x"])
def test_sets_of_one_parameter_happen_one_after_the_other(held, part):
    device = Slow()
    if held:
        (device if part is None else device[part]).__enter__()
    futures = [device.set_x(number * q.mm) for number in range(3)]
    assert device.begun.wait(LATE)
    until(lambda: len(exclusion_of(device).requests) == 2)
    assert device.log == ["x begins 0"]
    device.gate.set()
    wait(futures, LATE)
    if held:
        (device if part is None else device[part]).__exit__(None, None, None)
    assert [entry.split()[1] for entry in device.log] == ["begins", "ends"] * 3
    assert is_free(device)


@concurrent
def test_sets_of_two_parameters_happen_at_the_same_time():
    device = Slow()
    futures = [device.set_x(1 * q.mm), device.set_y(2 * q.mm)]
    until(lambda: device.log == ["x begins 1", "y begins 2"])
    device.gate.set()
    wait(futures, LATE)


@concurrent
def test_who_wants_the_device_waits_for_a_set_in_progress():
    device = Slow()
    future = device.set_x(1 * q.mm)
    assert device.begun.wait(LATE)

    @async_
    def take():
        with device:
            device.log.append("taken")

    taker = take()
    assert is_waiting(taker)
    device.gate.set()
    wait([future, taker], LATE)
    assert device.log == ["x begins 1", "x ends 1", "taken"]


@concurrent
def test_who_wants_the_device_waits_for_a_method_in_progress():
    class Busy(Slow):
        @async_
        def act(self):
            self.begun.set()
            assert self.gate.wait(LATE)
            self.log.append("acted")

    device = Busy()
    act = device.act()
    assert device.begun.wait(LATE)
    act_again = device.act()  # methods share

    @async_
    def take():
        with device:
            device.log.append("taken")

    taker = take()
    assert is_waiting(taker)
    device.gate.set()
    wait([act, act_again, taker], LATE)
    assert device.log == ["acted", "acted", "taken"]


# -- in the order of asking ---------------------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize("part", ["nothing", None, "x"])
def test_the_last_value_that_was_assigned_is_where_the_device_ends(part):
    device = Slow()
    with nullcontext() if part == "nothing" else device if part is None else device[part]:
        first, second = device.set_x(5 * q.mm), device.set_x(2 * q.mm)
        until(lambda: exclusion_of(device).requests)
        device.gate.set()
        first.join(LATE)
        device.x = 8 * q.mm
        second.join(LATE)
    assert [entry for entry in device.log if "begins" in entry] == ["x begins 5", "x begins 2", "x begins 8"]
    assert is_free(device)


@concurrent
def test_hundreds_of_sets_do_not_keep_each_other_busy():
    device = Slow()
    futures = [device.set_x(number * q.mm) for number in range(200)]
    assert device.begun.wait(LATE)
    device.gate.set()
    wait(futures, LATE)
    assert len(device.log) == 400
    assert is_free(device)


@concurrent
@pytest.mark.parametrize(
    "later",
    [
        lambda device: device.set_x(2 * q.mm),
        lambda device: device.set_y(2 * q.mm),
        lambda device: device.act(),
        lambda device: async_(taking(device["x"]))(),
    ],
)
def test_who_wants_the_device_waits_for_nobody_who_comes_later(later):
    device = Slow()
    future = device.set_x(1 * q.mm)
    assert device.begun.wait(LATE)
    taker = elsewhere(lambda: taking(device)() or device.log.append("taken"))
    until(lambda: exclusion_of(device).requests)
    follower = later(device)
    until(lambda: len(exclusion_of(device).requests) == 2)
    device.gate.set()
    wait([future, taker, follower], LATE)
    assert device.log[:3] == ["x begins 1", "x ends 1", "taken"]
    assert is_free(device)


@concurrent
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("part", [None, "x"])
def test_the_holder_does_not_wait_for_those_who_wait_for_him(use, part):
    device = quick()
    with device if part is None else device[part]:
        other = elsewhere(taking(device))
        until(lambda: exclusion_of(device).requests)
        USES[use](device)
    other.join(LATE)
    assert is_free(device)


@concurrent
@pytest.mark.parametrize("wanted", [None, "y"])
def test_what_belongs_to_a_set_in_progress_does_not_wait_for_those_who_wait_for_it(wanted):
    class Following(Slow):
        def _set_x(self, value):
            super()._set_x(value)
            self.y = value

    device = Following()
    future = device.set_x(1 * q.mm)
    assert device.begun.wait(LATE)
    others = [elsewhere(taking(device))]
    until(lambda: exclusion_of(device).requests)
    others.append(elsewhere(taking(device if wanted is None else device[wanted])))
    until(lambda: len(exclusion_of(device).requests) == 2)
    device.gate.set()
    wait([future, *others], LATE)
    assert is_free(device)


@concurrent
def test_who_waits_behind_somebody_who_gives_up_goes_on():
    device = Slow()
    with device["y"]:
        first = elsewhere(taking(device))
        until(lambda: exclusion_of(device).requests)
        second = elsewhere(taking(device["x"]))
        assert is_waiting(second)
        first.kill()
        second.join(LATE)
    assert is_free(device)


@concurrent
def test_who_will_not_wait_is_told_who_waits_already():
    device = Slow("stage")
    future = device.set_x(1 * q.mm)
    assert device.begun.wait(LATE)
    other = elsewhere(taking(device))
    until(lambda: exclusion_of(device).requests)
    with refusing(), pytest.raises(LockError, match=r"stage\.y is already waited for by somebody else$"):
        device.y = 2 * q.mm
    device.gate.set()
    wait([future, other], LATE)
    assert is_free(device)


@concurrent
def test_the_order_is_given_up_where_it_would_make_a_deadlock():
    other = quick("other")

    class Coupled(Slow):
        def _set_x(self, value):
            super()._set_x(value)
            other.x = value

    device = Coupled()
    with other:
        future = elsewhere(setattr, device, "x", 1 * q.mm)
        assert device.begun.wait(LATE)
        taker = elsewhere(taking(device))
        until(lambda: exclusion_of(device).requests)
        device.gate.set()
        until(lambda: exclusion_of(other).requests)
        device.y = 2 * q.mm  # after the taker, who waits for the set, which waits for this code
    wait([future, taker], LATE)
    assert is_free(device)
    assert is_free(other)


class Nested(Device):
    """Its accessors use the device again."""

    state = State(default="standby")
    x = Quantity(q.mm)
    y = Quantity(q.mm)

    def __init__(self):
        self.written = []

    def _set_x(self, value):
        self.written.append(value)
        if value > 0 * q.mm:
            self.x = value - 1 * q.mm  # backlash, for example
            with self["x"], self:
                self.y = value

    def _set_y(self, value):
        self.written.append(value)

    @async_
    def act(self):
        with self, self["x"]:
            self.x = 1 * q.mm

    @check(source="*")
    def act_at_once(self):
        with self, self["x"]:
            self.x = 1 * q.mm


def test_a_setter_may_set_its_own_parameter_and_hold_its_own_device():
    device = Nested()
    device.x = 2 * q.mm
    assert [value.magnitude for value in device.written] == [2, 1, 0, 1, 2]
    assert is_free(device)


def test_a_method_may_hold_its_own_device():
    device = Nested()
    device.act().join(LATE)
    assert is_free(device)


def test_a_method_without_future_may_hold_its_own_device():
    device = Nested()
    device.act_at_once()
    assert is_free(device)


# -- refusing ----------------------------------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize("use", USES)
def test_who_will_not_wait_is_told_who_holds_the_device(use):
    device, gate, begun = quick(), threading.Event(), threading.Event()

    @async_
    def scan():
        with device:
            begun.set()
            assert gate.wait(LATE)

    scan.__wrapped__.__qualname__ = "scan 7"
    holder = scan()
    assert begun.wait(LATE)
    with refusing(), pytest.raises(LockError, match=r"stage(\.x)? is held by scan 7$"):
        USES[use](device)
    assert device.log == []
    gate.set()
    holder.join(LATE)
    with refusing():
        USES[use](device)
    assert is_free(device)


@concurrent
def test_who_sets_a_parameter_is_named_as_well():
    device = Slow("stage")
    future = device.set_x(1 * q.mm)
    assert device.begun.wait(LATE)
    with refusing(), pytest.raises(LockError, match=r"stage\.x is held by stage\.x$"):
        device.x = 2 * q.mm
    device.gate.set()
    future.join(LATE)


def test_refusing_does_not_refuse_the_holder():
    device = quick()
    with refusing(), device:
        device.x = 1 * q.mm


# -- deadlocks ---------------------------------------------------------------------------------------------------


def crossed(*steps):
    """Run each of *steps*, (first, then) pairs, in a future of its own; go on to *then* when all have done *first*."""
    arrived = []

    def run(first, then):
        with first:
            arrived.append(first)
            until(lambda: len(arrived) == len(steps))
            then()

    futures = [elsewhere(run, first, then) for first, then in steps]
    return [future.exception(LATE) for future in futures]


def taking(device):
    def take():
        with device:
            pass

    return take


def writing(device):
    return lambda: setattr(device, "x", 1 * q.mm)


def through_a_child(function):
    return lambda: async_(function)().join()


def through_a_thread(function):
    return lambda: threaded(function)().join()


@concurrent
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (taking, taking),
        (taking, writing),
        (writing, writing),
        (taking, lambda device: through_a_child(taking(device))),
        (lambda device: through_a_child(writing(device)), lambda device: through_a_child(taking(device))),
        (taking, lambda device: through_a_thread(writing(device))),
        (taking, lambda device: through_a_child(through_a_child(taking(device)))),
    ],
)
def test_two_that_wait_for_each_other_are_told(one, other):
    a, b = quick("a"), quick("b")
    failures = crossed((a, one(b)), (b, other(a)))
    assert sorted(type(failure) for failure in failures if failure) == [DeadlockError]
    message = str(next(failure for failure in failures if failure))
    assert "is held by somebody else, which waits for what" in message
    assert is_free(a)
    assert is_free(b)


@concurrent
def test_a_longer_cycle_is_found():
    a, b, c = quick("a"), quick("b"), quick("c")
    failures = crossed((a, taking(b)), (b, taking(c)), (c, taking(a)))
    assert [type(failure) for failure in failures if failure] == [DeadlockError]
    assert all(map(is_free, (a, b, c)))


@concurrent
def test_a_cycle_that_a_join_closes_later_is_found():
    a, b = quick("a"), quick("b")

    @async_
    def hold_b_and_want_a():
        with b:
            taken.set()
            with a:
                pass

    taken = threading.Event()
    with a:
        other = elsewhere(lambda: hold_b_and_want_a().join())
        assert taken.wait(LATE)
        until(lambda: exclusion_of(a).requests)

        @async_
        def want_b():
            with b:
                pass

        with pytest.raises(DeadlockError):
            want_b().join(LATE)
    other.join(LATE)
    assert is_free(a)
    assert is_free(b)


@concurrent
def test_a_parent_that_does_not_join_its_waiting_child_is_not_accused():
    a, b = quick("a"), quick("b")
    b_is_held, a_is_wanted = threading.Event(), threading.Event()

    def hold_b_and_want_a():
        with b:
            b_is_held.set()
            until(lambda: exclusion_of(b).requests)
            a_is_wanted.set()
            with a:
                pass

    with a:
        other = elsewhere(hold_b_and_want_a)
        assert b_is_held.wait(LATE)
        child = async_(taking(b))()
        assert a_is_wanted.wait(LATE)
        until(lambda: exclusion_of(a).requests)
        assert is_waiting(other)
        assert is_waiting(child)
    wait([other, child], LATE)


@concurrent
def test_waiting_for_somebody_who_is_only_slow_is_no_deadlock():
    a, b = quick("a"), quick("b")
    with a:
        other = elsewhere(taking(a))
        until(lambda: exclusion_of(a).requests)
        with b:
            a.x = b.x = 1 * q.mm
    other.join(LATE)


# -- asking -------------------------------------------------------------------------------------------------------


def test_code_can_ask_what_it_holds_and_whether_it_would_wait():
    device, other = quick(), quick("other")
    with device, device["x"], other:
        assert held_parts(exclusion_of(device)) == ["x", None]
        assert async_(held_parts)(exclusion_of(device)).result() == ["x", None]
    assert held_parts(exclusion_of(device)) == []
    with refusing():
        assert not is_patient()
    assert is_patient()
