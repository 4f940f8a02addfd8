"""Records of sets: who set what, from where, to where, and what became of it."""

import time

import pytest

from concert.async_ import Event, async_, wait
from concert.async_._scope import begin_command
from concert.base import (
    UNKNOWN,
    LimitError,
    LockError,
    Parameter,
    Parameterizable,
    Quantity,
    State,
    StoppedError,
    TransitionNotAllowed,
    UnitError,
    check,
    ignore_sets,
    listen_to_sets,
    refusing,
)
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q


@pytest.fixture
def records():
    """What a listener was told: record and outcome at that time."""
    told = []

    def listener(record):
        told.append((record, record.outcome))

    listen_to_sets(listener)
    yield told
    ignore_sets(listener)


def ended(records):
    return [record for record, outcome in records if outcome]


class Shutter(Device):
    state = State(default="closed")
    reads = 0

    def _get_gap(self):
        self.reads += 1
        return self._gap

    def _set_gap(self, gap):
        if gap > 5 * q.mm:
            raise ConnectionError("no answer")
        self._gap = gap

    _gap = 1 * q.mm
    gap = Quantity(q.mm, lower=0 * q.mm, upper=10 * q.mm)

    def _set_guarded(self, value):
        pass

    guarded = Parameter(check=check(source="open"))

    def _set_missed(self, value):
        pass

    missed = Parameter(check=check(target="open"))


def test_a_set_is_told_when_it_begins_and_when_it_has_ended(concert_runtime, records):
    shutter = Shutter(name="shutter")
    shutter.gap = 2 * q.mm
    assert [outcome for _, outcome in records] == ["", "arrived"]
    (record,) = ended(records)
    assert record.parameter is shutter["gap"]
    assert record.wanted == 2 * q.mm
    assert record.reason == ""
    assert record.began <= record.ended <= time.time()


def test_from_is_the_last_known_value_and_never_an_extra_read(concert_runtime, records):
    shutter = Shutter()
    shutter.gap = 2 * q.mm
    shutter.gap = 30 * q.um
    assert [record.before for record in ended(records)] == [UNKNOWN, 2 * q.mm]
    assert shutter.reads == 0
    shutter._gap = 4 * q.mm
    assert shutter.gap == 4 * q.mm
    shutter.gap = 0 * q.mm
    assert ended(records)[-1].before == 4 * q.mm


def test_what_arrived_is_what_was_read_back(concert_runtime, records):
    motor = LinearMotor(speed=1000 * q.m / q.s)
    motor.position = 3 * q.mm
    (record,) = ended(records)
    assert record.after == 3 * q.mm


@pytest.mark.parametrize(
    ("value", "error"), [(11 * q.mm, LimitError), (1 * q.s, UnitError), (float("nan") * q.mm, LimitError)]
)
def test_a_refused_value_is_recorded_with_the_reason(concert_runtime, records, value, error):
    shutter = Shutter(name="shutter")
    shutter.gap = 2 * q.mm
    with pytest.raises(error):
        shutter.gap = value
    record = ended(records)[-1]
    assert record.outcome == "refused"
    assert "shutter.gap" in record.reason
    assert record.after == 2 * q.mm


def test_a_failed_set_leaves_an_unknown_value(concert_runtime, records):
    shutter = Shutter()
    shutter.gap = 2 * q.mm
    with pytest.raises(ConnectionError):
        shutter.gap = 6 * q.mm
    record = ended(records)[-1]
    assert (record.before, record.after, record.outcome, record.reason) == (2 * q.mm, UNKNOWN, "failed", "no answer")


def test_locks_and_states_refuse(concert_runtime, records):
    shutter = Shutter()
    shutter["gap"].lock()
    with pytest.raises(LockError):
        shutter.gap = 2 * q.mm
    with pytest.raises(TransitionNotAllowed):
        shutter.guarded = 1
    assert [record.outcome for record in ended(records)] == ["refused", "refused"]


def test_a_state_that_was_not_reached_is_a_failure(concert_runtime, records):
    with pytest.raises(TransitionNotAllowed):
        Shutter().missed = 1
    assert ended(records)[-1].outcome == "failed"


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_a_set_that_somebody_else_holds_up_is_refused(concert_runtime, records):
    shutter = Shutter()
    held, release = [], []

    @async_
    def hold():
        with shutter:
            held.append(True)
            while not release:
                time.sleep(0.001)

    holding = hold()
    while not held:
        time.sleep(0.001)
    with refusing(), pytest.raises(LockError, match="held by"):
        shutter.gap = 2 * q.mm
    release.append(True)
    holding.join()
    assert [record.outcome for record in ended(records)] == ["refused"]


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_a_set_that_is_given_up_before_it_began_has_changed_nothing(concert_runtime, records, until):
    shutter = Shutter()
    shutter.gap = 2 * q.mm
    held, release = Event(), Event()

    @async_
    def hold():
        with shutter:
            held.set()
            release.wait()

    holding = hold()
    held.wait()
    waiting = shutter.set_gap(3 * q.mm)
    until(lambda: waiting.held_up)
    waiting.cancel()
    until(lambda: len(ended(records)) == 2)
    release.set()
    holding.join()
    record = ended(records)[-1]
    assert record.outcome == "refused"
    assert record.reason == f"given up while it was held by {holding.name}"
    assert shutter["gap"].last_known == 2 * q.mm


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_stopped_from_elsewhere_and_cancelled_are_stopped(concert_runtime, records, until):
    motor = LinearMotor(speed=1 * q.mm / q.s)
    moving = motor.set_position(500 * q.mm)
    _until_moving(motor)
    motor.stop().join()
    with pytest.raises(StoppedError):
        moving.join()
    moving = motor.set_position(-500 * q.mm)
    _until_moving(motor)
    moving.cancel()
    until(lambda: len(ended(records)) == 2)  # a thread only notices a moment later
    first, second = ended(records)
    assert (first.outcome, second.outcome) == ("stopped", "stopped")
    assert "was stopped" in first.reason


def _until_moving(motor):
    while motor.state != "moving":
        time.sleep(0.001)


def test_who_is_the_command_and_the_function_that_it_started(concert_runtime, records):
    shutter = Shutter()
    begin_command("open_up()")

    @async_
    def open_up():
        step().join()

    @async_
    def step():
        shutter.gap = 2 * q.mm

    try:
        open_up().join()
        shutter.gap = 1 * q.mm
    finally:
        begin_command()
    first, second = ended(records)
    assert first.command == second.command == "open_up()"
    assert first.by.endswith("open_up")
    assert second.by == ""


def test_a_listener_that_fails_harms_nobody(records, caplog):
    def broken(_record):
        raise RuntimeError("the disk is full")

    listen_to_sets(broken)
    try:
        Shutter().gap = 2 * q.mm
    finally:
        ignore_sets(broken)
    assert ended(records)[-1].outcome == "arrived"
    assert "the disk is full" in caplog.text


def test_every_way_to_set_is_recorded(concert_runtime, records):
    motor = LinearMotor(speed=1000 * q.m / q.s)
    motor.position = 1 * q.mm
    motor.set_position(2 * q.mm).join()
    motor["position"].set(3 * q.mm).join()
    motor.move(1 * q.mm).join()
    wait([motor["position"].stash()])
    motor.position = 9 * q.mm
    motor["position"].restore().join()
    assert [record.wanted for record in ended(records)] == [each * q.mm for each in (1, 2, 3, 4, 9, 4)]


def test_nothing_is_kept_while_nobody_listens(concert_runtime):
    class Box(Parameterizable):
        def _get_content(self):
            return "a frame"

        def _set_content(self, content):
            pass

        content = Parameter()

    box = Box()
    box.content = "another frame"
    assert box.content == "a frame"
    assert box["content"].last_known is UNKNOWN
