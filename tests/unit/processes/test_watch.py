"""Watching interlocks: they trip once, settle without a break, and nobody is lost from sight."""

import threading
import time

import pytest

from concert.async_ import async_, runtime
from concert.base import Condition
from concert.processes import Interlock
from concert.processes._watch import Watch
from concert.quantities import q
from tests.unit.processes.conditions import Ring

in_all_runtimes = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)

LATE = 20  # seconds: what is to happen has happened by then


@pytest.fixture
def ring():
    return Ring()


@pytest.fixture
def beam(ring):
    return Interlock(ring["current"] > 80 * q.mA, settle=1 * q.s, name="beam")


class Trips(list):
    """What was told about trips: names and reasons."""

    def __call__(self, interlock, reason):
        self.append((interlock.name, reason))


@pytest.fixture
def trips():
    return Trips()


LOW = "ring.current is 12 mA, wanted > 80 mA"


def pause(watch, seconds):
    """Let time pass, and look as a scan does, now and then."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 1e-6:
        watch.problem()
        time.sleep(min(0.1, left))


@in_all_runtimes
def test_nothing_is_wrong(beam, trips, concert_runtime, concert_clock):
    with Watch([beam], trips) as watch:
        pause(watch, 5)
        assert watch.problem() is None
    assert trips == []


@in_all_runtimes
def test_without_interlocks_nothing_is_wrong(concert_runtime, concert_clock):
    with Watch([]) as watch:
        pause(watch, 1)
        assert watch.problem() is None
        watch.wait_until_clear()


@in_all_runtimes
def test_a_change_that_nobody_tells_of_is_found(ring, beam, trips, concert_runtime, concert_clock):
    with Watch([beam], trips) as watch:
        pause(watch, 5)
        ring.stored = 12 * q.mA
        pause(watch, 0.2)
        assert watch.problem() == LOW
        pause(watch, 5)
    assert trips == [("beam", LOW)]


@in_all_runtimes
def test_what_has_tripped_already_is_known_at_once(ring, beam, trips, concert_runtime, concert_clock):
    ring.stored = 12 * q.mA
    with Watch([beam], trips) as watch:
        assert trips == [("beam", LOW)]
        assert watch.problem() == LOW
    assert concert_clock.now < 0.1


@in_all_runtimes
def test_it_is_clear_again_after_settling(ring, beam, trips, concert_runtime, concert_clock):
    ring.stored = 12 * q.mA
    with Watch([beam], trips) as watch:
        pause(watch, 5)
        ring.stored = 100 * q.mA
        pause(watch, 0.5)
        assert watch.problem() in [f"beam: settling, 0.{tenth} s left" for tenth in (4, 5, 6)]
        began = time.monotonic()
        watch.wait_until_clear()
        assert 0.35 < time.monotonic() - began < 0.8
        assert watch.problem() is None
        pause(watch, 5)
        assert watch.problem() is None
    assert len(trips) == 1


@in_all_runtimes
def test_every_break_lets_the_settling_time_begin_anew(ring, beam, trips, concert_runtime, concert_clock):
    ring.stored = 12 * q.mA
    with Watch([beam], trips) as watch:
        for _ in range(5):
            ring.stored = 100 * q.mA
            pause(watch, 0.8)
            assert "settling" in watch.problem()
            ring.stored = 12 * q.mA
            pause(watch, 0.2)
            assert watch.problem() == LOW
        ring.stored = 100 * q.mA
        began = time.monotonic()
        watch.wait_until_clear()
        assert 0.95 < time.monotonic() - began < 1.3
    assert len(trips) == 1  # it never was clear in between


@in_all_runtimes
def test_the_next_trip_is_told_again(ring, beam, trips, concert_runtime, concert_clock):
    with Watch([beam], trips) as watch:
        for _ in range(3):
            ring.stored = 12 * q.mA
            pause(watch, 0.2)
            ring.stored = 100 * q.mA
            watch.wait_until_clear()
    assert trips == [("beam", LOW)] * 3


@in_all_runtimes
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9], ids=lambda share: f"open {share:.0%}")
def test_flapping_at_100_hz_is_one_trip_that_lasts(share, trips, concert_runtime, concert_clock):
    flapping = Condition(lambda: time.monotonic() * 100 % 1 < share or time.monotonic() > calm, "the shutter is open")
    calm = time.monotonic() + 6
    with Watch([Interlock(flapping, settle=1 * q.s)], trips) as watch:
        while watch.problem() is None:
            time.sleep(0.0317)  # not in step with it
        assert concert_clock.now < 3
        watch.wait_until_clear()
        assert 6.5 < concert_clock.now < 8.5
    assert trips == [("the shutter is open", "the shutter is open is not true")]


@concurrently
def test_flapping_by_100_sets_a_second_is_one_trip_that_lasts(ring, trips, concert_runtime, concert_clock):
    @async_
    def flap():
        for number in range(1000):
            ring.current = (12 if number % 2 else 100) * q.mA
            time.sleep(0.005)

    with Watch([Interlock(ring["current"] > 80 * q.mA, settle=1 * q.s)], trips) as watch:
        flapping = flap()
        pause(watch, 0.1)
        while not flapping.done():
            assert watch.problem() is not None
            time.sleep(0.1)
        ring.current = 100 * q.mA
        watch.wait_until_clear()
    assert len(trips) == 1


@in_all_runtimes
def test_two_at_once(ring, beam, trips, concert_runtime, concert_clock):
    shutter = Interlock(ring["shutter"].equals("open"), settle=3 * q.s, name="shutter")
    with Watch([beam, shutter], trips) as watch:
        ring.stored, ring._shutter = 12 * q.mA, "closed"
        pause(watch, 0.2)
        assert watch.problem() == f"{LOW}; ring.shutter is 'closed', wanted 'open'"
        ring.stored = 100 * q.mA
        pause(watch, 1.5)
        assert watch.problem() == "ring.shutter is 'closed', wanted 'open'"
        ring._shutter = "open"
        began = time.monotonic()
        watch.wait_until_clear()
        assert 2.9 < time.monotonic() - began < 3.5
    assert sorted(name for name, _ in trips) == ["beam", "shutter"]


@in_all_runtimes
def test_a_source_out_of_reach_trips_and_settles(ring, beam, trips, concert_runtime, concert_clock):
    with Watch([beam], trips) as watch:
        ring.trouble = ConnectionError("no connection to 10.0.3.7:4001")
        pause(watch, 0.2)
        reason = "ring.current cannot be read: ConnectionError: no connection to 10.0.3.7:4001, wanted > 80 mA"
        assert watch.problem() == reason
        ring.trouble = None
        watch.wait_until_clear()
    assert trips == [("beam", reason)]


@in_all_runtimes
def test_a_function_that_raises_trips(trips, concert_runtime, concert_clock):
    with Watch([Interlock(Condition(lambda: 1 / 0, "the answer"))], trips) as watch:
        pause(watch, 3)
        assert "ZeroDivisionError" in watch.problem()
    assert len(trips) == 1


@concurrently
def test_a_source_that_hangs_trips_and_hides_no_other(ring, beam, trips, concert_runtime, concert_clock):
    hanging = []

    def answer():
        while hanging:
            time.sleep(0.1)
        return True

    slow = Interlock(Condition(answer, "the hutch is searched"), timeout=2 * q.s, settle=1 * q.s)
    with Watch([slow, beam], trips) as watch:
        pause(watch, 1)
        hanging.append(True)
        pause(watch, 1)
        assert watch.problem() is None
        ring.stored = 12 * q.mA
        pause(watch, 0.2)
        assert watch.problem() == LOW
        pause(watch, 2)
        assert watch.problem().startswith("the hutch is searched: no answer for 3.")
        hanging.clear()
        ring.stored = 100 * q.mA
        began = time.monotonic()
        watch.wait_until_clear()
        assert 0.9 < time.monotonic() - began < 2
    assert len(trips) == 2


@concurrently
def test_an_answer_that_came_too_late_does_not_count(trips, concert_runtime, concert_clock):
    with Watch([Interlock(Condition(lambda: time.sleep(3) or True, "slow"), settle=0 * q.s)], trips) as watch:
        for _ in range(40):
            assert watch.problem().startswith("slow: ")
            time.sleep(0.5)
    assert len(trips) == 1


@concurrently
def test_a_source_that_never_answers_does_not_keep_the_watch_open(trips, concert_runtime):
    never = threading.Event()
    stuck = Interlock(Condition(lambda: never.wait(LATE), "stuck"), timeout=0.05 * q.s)
    try:
        with Watch([stuck], trips) as watch:
            assert watch.problem().startswith("stuck: no answer for 0.")
        assert not never.is_set()
    finally:
        never.set()


@concurrently
def test_a_set_is_seen_before_the_next_look_is_due(ring, trips, concert_runtime, concert_clock, until):
    with Watch([Interlock(ring["current"] > 80 * q.mA)], trips):
        time.sleep(0.5)
        now = concert_clock.now
        ring.current = 12 * q.mA
        until(lambda: trips)
        assert concert_clock.now - now < 0.025


@concurrently
def test_slow_sources_are_asked_less_often(concert_runtime, concert_clock):
    asked = []

    def slow():
        asked.append(time.monotonic())
        time.sleep(0.04)
        return True

    with Watch([Interlock(slow)]):
        time.sleep(44)
    assert 80 < len(asked) <= 110  # 0.04 s in 0.44 s


@in_all_runtimes
def test_what_is_added_meanwhile_is_watched_and_what_is_removed_is_not(
    ring, beam, trips, concert_runtime, concert_clock
):
    guards = []
    with Watch(guards, trips) as watch:
        ring.stored = 12 * q.mA
        pause(watch, 0.5)
        assert watch.problem() is None
        guards.append(beam)
        pause(watch, 0.5)
        assert watch.problem() == LOW
        guards.append(ring["shutter"].equals("open"))
        guards.remove(beam)
        pause(watch, 0.5)
        assert watch.problem() is None
    assert trips == [("beam", LOW)]


def test_an_iterator_of_interlocks_will_do(ring, beam, concert_clock):
    ring.stored = 12 * q.mA
    with Watch(iter([beam])) as watch:
        pause(watch, 1)
        assert watch.problem() == LOW


@in_all_runtimes
def test_after_the_block_nothing_is_told(ring, beam, trips, concert_runtime, concert_clock):
    with Watch([beam], trips):
        pass
    ring.current = 12 * q.mA
    concert_clock.advance(5)
    assert trips == []
    reads = ring.reads
    concert_clock.advance(5)
    assert ring.reads == reads


@in_all_runtimes
def test_a_failing_answer_to_a_trip_changes_nothing(ring, beam, concert_runtime, concert_clock, caplog):
    def fail(_interlock, _reason):
        raise ZeroDivisionError("bad hook")

    ring.stored = 12 * q.mA
    with Watch([beam], fail) as watch:
        pause(watch, 1)
        assert watch.problem() == LOW
    assert caplog.text.count("what was to be done when beam tripped failed") == 1


@concurrently
def test_who_waits_for_clearance_can_be_killed(ring, beam, concert_runtime, concert_clock):
    @async_
    def run():
        with Watch([beam]) as watch:
            waiting.set()
            watch.wait_until_clear()

    waiting = threading.Event()
    ring.stored = 12 * q.mA
    running = run()
    assert waiting.wait(LATE)
    running.cancel()
    assert running.cancelled()
    concert_clock.advance(1)
    reads = ring.reads
    concert_clock.advance(5)
    assert ring.reads == reads


@pytest.mark.skipif(runtime() != "gevent", reason="greenlets are killed at once, which is what it takes")
@pytest.mark.parametrize("stopping_motion", [False, True])
def test_a_watch_that_was_killed_says_so(beam, stopping_motion, concert_clock):
    beam.stop_motion = stopping_motion
    with Watch([beam]) as watch:
        time.sleep(0.1)
        watch._monitor.cancel()
        assert "nobody watches the interlocks any more" in watch.problem(stopping_motion)


@in_all_runtimes
def test_what_is_no_interlock_is_refused_before_anything_is_watched(ring, beam, concert_runtime):
    with pytest.raises(TypeError, match="is no condition"):
        with Watch([beam, ring.current > 80 * q.mA]):
            pytest.fail("it was taken")
