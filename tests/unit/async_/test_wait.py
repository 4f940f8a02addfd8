"""Waiting for many futures: failures, time limits, and what an interrupted wait does to them."""

import time

import pytest

from concert.async_ import Future, KillException, async_, resolve, threaded, unhandled, wait
from concert.async_._interrupts import foreground
from concert.async_._parking import waiting_for
from concert.async_._scope import begin_command
from concert.quantities import q

concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)


@async_
def fail(text):
    raise ValueError(text)


@async_
def pair(x, y):
    return x, y


@async_
def nap():
    time.sleep(0.001)


@async_
def hold(enough=()):
    while not enough:
        nap().result()
    return "done"


def test_wait_returns_when_all_are_done(concert_runtime):
    futures = [nap() for _ in range(10)]
    assert wait(futures) is None
    assert all(future.done() for future in futures)


def test_wait_takes_any_iterable_and_nothing(concert_runtime):
    wait(nap() for _ in range(2))
    wait([])


def test_first_failure_in_the_order_given_is_raised_when_all_are_done(concert_runtime):
    futures = [nap(), fail("first"), nap(), fail("second")]
    with pytest.raises(ValueError, match="first") as info:
        wait(futures)
    assert all(future.done() for future in futures)
    assert info.value.__notes__ == ["fail failed as well: ValueError: second"]


def test_notes_are_not_repeated(concert_runtime):
    futures = [fail("first"), fail("second")]
    for _ in range(2):
        with pytest.raises(ValueError, match="first") as info:
            wait([*futures, futures[0]])
    assert len(info.value.__notes__) == 1


def test_all_failures_count_as_fetched(concert_runtime):
    unhandled()
    with pytest.raises(ValueError, match="first"):
        wait([fail("first"), fail("second")])
    assert unhandled() == []


@concurrently
def test_killed_future_is_a_failure(concert_runtime):
    future = hold()
    future.kill(OSError("unplugged"))
    with pytest.raises(OSError, match="unplugged"):
        wait([nap(), future])


@concurrently
@pytest.mark.parametrize("timeout", [0.01, 0, 10 * q.ms])
def test_waiting_too_long_names_the_late_and_lets_them_go_on(concert_runtime, timeout):
    enough = []
    late = [hold(enough), hold(enough)]
    with pytest.raises(TimeoutError, match=r"2 of 3 have not finished within .* s: hold, hold"):
        wait([pair(1, 2).join(), *late], timeout=timeout)
    assert not any(future.done() for future in late)
    enough.append(True)
    assert resolve(late) == ["done", "done"]


@concurrently
@pytest.mark.parametrize("timeout", ["1", 1 * q.mm, -1, float("nan")])
def test_nonsense_as_time_limit_is_refused_and_changes_nothing(concert_runtime, timeout):
    future = nap()
    with pytest.raises((TypeError, ValueError)):
        wait([future], timeout=timeout)
    wait([future])


def test_resolve_gives_the_tuples_in_order(concert_runtime):
    assert resolve(pair(x, x * x) for x in range(5)) == [(0, 0), (1, 1), (2, 4), (3, 9), (4, 16)]


def test_resolve_raises_as_wait_does(concert_runtime):
    with pytest.raises(ValueError, match="no"):
        resolve([pair(1, 2), fail("no")])


def test_any_mixture_may_be_waited_for(concert_runtime):
    from concert.async_ import using

    futures = [threaded(lambda: "native")()]
    for runtime in ("threads", "sync", concert_runtime):
        with using(runtime):
            futures.append(async_(lambda runtime=runtime: runtime)())
    assert resolve(futures) == ["native", "threads", "sync", concert_runtime]


def press_soon(until):
    """Let Ctrl-C be pressed as soon as the main code waits; what a signal does to it is tested elsewhere."""

    @threaded
    def press():
        until(lambda: foreground.waiter is not None)
        foreground.press()

    return press().detach()


@concurrently
@pytest.mark.parametrize("how", [Future.result, Future.join, Future.exception, lambda future: wait([future])])
def test_interrupted_wait_cancels_what_the_same_command_started(concert_runtime, until, how):
    stopped = []
    future = hold()
    future.cancel_operation = lambda: stopped.append(True)
    press = press_soon(until)
    with pytest.raises(KeyboardInterrupt):
        how(future)
    assert future.cancelled()
    assert stopped == [True]
    press.join()


@concurrently
def test_interrupted_wait_leaves_the_futures_of_earlier_commands_alone(concert_runtime, until):
    enough = []
    earlier = hold(enough)
    begin_command()
    ours = hold()
    press = press_soon(until)
    with pytest.raises(KeyboardInterrupt):
        wait([earlier, ours])
    assert ours.cancelled()
    assert not earlier.done()
    enough.append(True)
    assert earlier.result() == "done"
    press.join()


@concurrently
def test_interrupted_wait_leaves_detached_futures_alone(concert_runtime, until):
    enough = []
    detached = hold(enough).detach()
    press = press_soon(until)
    with pytest.raises(KeyboardInterrupt):
        wait([detached])
    enough.append(True)
    assert detached.result() == "done"
    press.join()


@concurrently
def test_killed_code_that_waits_for_many_ends_them(concert_runtime, until):
    enough = []
    older = hold(enough)
    younger = []

    @async_
    def wait_for_both():
        younger.append(hold())
        wait([older, *younger])

    future = wait_for_both()
    until(lambda: younger and younger[0].running())
    future.cancel()
    assert younger[0].cancelled()
    assert not older.done()
    with pytest.raises(KillException):
        future.result()
    enough.append(True)
    older.join()


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_wait_goes_on_after_a_signal_handler_has_waited_as_it_began(concert_runtime):
    outer, inner = nap(), nap()
    start_now, waiters = outer._start_now, []

    def handle_signal_and_start_now():
        waiters.append(foreground.waiter)
        inner.join()
        waiters.append(foreground.waiter)
        return start_now()

    outer._start_now = handle_signal_and_start_now
    outer.join()
    assert waiters[0] is waiters[1] is not None
    assert foreground.waiter is None
    assert not waiting_for
