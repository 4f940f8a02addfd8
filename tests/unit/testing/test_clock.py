"""Virtual time: hours of motion pass in an instant, in the right order, for whoever sleeps."""

import time
from time import perf_counter

import pytest

from concert.async_ import async_, threaded, wait
from concert.async_._native import allocate_lock, start_new_thread
from concert.quantities import q
from concert.testing import virtual_time

REAL = time.sleep, time.monotonic, time.time

in_all_runtimes = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)


@async_
def move(distance, speed=1.0):
    """Poll every 0.1 s, as a motor's driver does, until *distance* mm at *speed* mm/s have been done."""
    end = time.monotonic() + distance / speed
    while time.monotonic() < end:
        time.sleep(0.1)


@in_all_runtimes
def test_hours_of_motion_take_no_time(concert_runtime, concert_clock):
    began = perf_counter()
    move(3600).result()
    assert concert_clock.now == pytest.approx(3600, abs=0.2)
    assert perf_counter() - began < 10  # usually 0.2


@concurrently
def test_what_sleeps_at_the_same_time_costs_the_time_once(concert_runtime, concert_clock):
    wait([move(10), move(20), move(30)])
    assert concert_clock.now == pytest.approx(30, abs=0.2)


def test_one_after_the_other_adds_up_where_everything_is_synchronous(concert_clock):
    from concert.async_ import using

    with using("sync"):
        wait([move(10), move(20)])
    assert concert_clock.now == pytest.approx(30, abs=0.4)


@concurrently
def test_sleepers_wake_in_the_order_of_their_times(concert_runtime, concert_clock):
    woken = []

    @async_
    def sleep(seconds):
        time.sleep(seconds)
        woken.append((seconds, concert_clock.now))

    wait([sleep(3), sleep(1), sleep(2)])
    assert woken == [(1, 1), (2, 2), (3, 3)]


@concurrently
def test_clock_stands_still_while_the_test_looks(concert_runtime, concert_clock):
    motor = move(10)
    while not motor.running():
        time.sleep(0)
    now = concert_clock.now
    assert now < 1
    assert not motor.done()
    assert concert_clock.now == now
    motor.join()


@concurrently
def test_advance_lets_happen_what_is_due(concert_runtime, concert_clock):
    near, far = move(10), move(1000)
    concert_clock.advance(1 * q.min)
    assert concert_clock.now == pytest.approx(60)
    assert near.done()
    assert not far.done()
    concert_clock.advance(1000)
    assert far.done()


@in_all_runtimes
def test_all_clocks_of_the_time_module_agree(concert_runtime, concert_clock):
    date, instant = time.time(), time.monotonic()
    time.sleep(86400)
    assert time.time() - date == pytest.approx(86400)
    assert time.monotonic() - instant == pytest.approx(86400)
    assert abs(date - REAL[2]()) < 60


def test_main_code_may_poll_beside_a_future(concert_clock):
    motor = move(100)
    while not motor.done():
        time.sleep(1)
    assert 100 <= concert_clock.now < 102


@concurrently
def test_native_code_at_work_is_waited_for(concert_runtime, concert_clock):
    go_on = []

    @threaded
    def expose():
        while not go_on:
            pass
        return concert_clock.now

    exposure = expose()
    while not exposure.running():
        time.sleep(0)
    motor = move(0.1)
    go_on.append(True)
    assert exposure.result() <= 0.2
    motor.join()


@concurrently
def test_thread_that_waits_for_something_else_does_not_stop_the_clock(concert_runtime, concert_clock):
    lock = allocate_lock()
    lock.acquire()

    @threaded
    def wait_for_a_signal():
        lock.acquire()

    signal = wait_for_a_signal()
    move(1).join()
    assert concert_clock.now == pytest.approx(1, abs=0.2)
    lock.release()
    signal.join()


def test_native_threads_of_others_sleep_in_real_time():
    count, enough = [0], []

    def housekeeping():
        while not enough:
            time.sleep(0.01)
            count[0] += 1

    start_new_thread(housekeeping, ())
    while not count[0]:
        time.sleep(0.001)
    try:
        began, before = perf_counter(), count[0]
        with virtual_time():
            move(600).join()
        assert count[0] - before <= (perf_counter() - began) / 0.01 + 1
    finally:
        enough.append(True)


@concurrently
def test_killed_sleeper_is_forgotten(concert_runtime, concert_clock):
    @async_
    def sleep():
        time.sleep(1000)

    future = sleep()
    concert_clock.advance(1)
    future.cancel()
    if concert_runtime == "gevent":
        concert_clock.advance(1)
        assert concert_clock.now == 2
    assert future.cancelled()


@concurrently
def test_sleepers_go_on_when_the_clock_ends(concert_runtime):
    @async_
    def sleep():
        time.sleep(1e6)
        return "awake"

    with virtual_time() as clock:
        future = sleep()
        clock.advance(1)
    assert future.result(timeout=10) == "awake"
    assert (time.sleep, time.monotonic, time.time) == REAL


def test_function_kept_from_the_clock_is_real_afterwards():
    with virtual_time():
        from time import sleep
    began = perf_counter()
    sleep(0.01)
    assert perf_counter() - began > 0.005


@pytest.mark.parametrize("seconds", [float("nan"), "1"])
def test_nonsense_is_refused_as_ever(concert_clock, seconds):
    with pytest.raises((ValueError, TypeError)):
        time.sleep(seconds)
