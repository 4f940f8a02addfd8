"""Futures: what they tell, how long one waits for them, and what they keep alive."""

import gc
import time
import weakref
from contextvars import ContextVar

import pytest

from concert import config
from concert.async_ import Event, Future, KillException, async_, threaded, using, wait
from concert.quantities import q

concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)


@async_
def add(left, right=0):
    """Return the sum."""
    return left + right


@async_
def fail(exception):
    raise exception


@async_
def sleep(seconds):
    time.sleep(seconds)
    return seconds


@async_
def divide_by_zero():
    return 1 / 0


class Thing:
    """What can be weakly referenced."""


def test_result_is_what_the_function_returns(concert_runtime):
    future = add(1, right=2)
    assert isinstance(future, Future)
    assert future.result() == 3
    assert future.done()
    assert not future.running()
    assert not future.cancelled()
    assert future.exception() is None


def test_join_returns_the_future(concert_runtime):
    future = add(1)
    assert future.join() is future


def test_decorated_function_keeps_name_and_documentation(concert_runtime):
    assert add.__name__ == "add"
    assert add.__doc__ == "Return the sum."


@pytest.mark.parametrize("method", [Future.result, Future.join])
def test_failure_is_raised_each_time_it_is_asked_for(concert_runtime, method):
    error = ValueError("no")
    future = fail(error)
    for _ in range(2):
        with pytest.raises(ValueError, match="no") as info:
            method(future)
        assert info.value is error
    assert future.exception() is error


def test_traceback_does_not_grow_with_each_time(concert_runtime):
    future = fail(ValueError())

    def length():
        with pytest.raises(ValueError) as info:  # noqa: PT011
            future.result()
        return len(info.traceback)

    assert length() == length()


# Where everything is synchronous there is one stack, and it is what such an exception ends.
@concurrently
@pytest.mark.parametrize("exit_", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_failure_of_any_kind_comes_through_the_future(concert_runtime, exit_):
    with pytest.raises(exit_):
        fail(exit_()).result()


def test_wrong_arguments_come_through_the_future(concert_runtime):
    future = add(1, 2, 3)
    with pytest.raises(TypeError, match="positional"):
        future.result()


@concurrently
@pytest.mark.parametrize("method", [Future.result, Future.join, Future.exception])
@pytest.mark.parametrize("timeout", [0.001, 0, 1 * q.ms])
def test_waiting_too_long_raises_and_leaves_the_future_running(concert_runtime, until, method, timeout):
    go_on = []

    @async_
    def wait_for_us():
        while not go_on:
            time.sleep(0.001)
        return "done"

    future = wait_for_us()
    with pytest.raises(TimeoutError, match="wait_for_us has not finished within"):
        method(future, timeout=timeout)
    until(future.running)
    go_on.append(True)
    assert future.result() == "done"


@pytest.mark.parametrize("timeout", [10, 10.0, 10 * q.s, 1 * q.min, float("inf")])
def test_time_limits_are_seconds_or_quantities(concert_runtime, timeout):
    assert add(1).result(timeout=timeout) == 1


@concurrently
@pytest.mark.parametrize("timeout", ["1", 1 * q.mm, -1])
def test_nonsense_as_time_limit_is_refused_and_changes_nothing(concert_runtime, timeout):
    future = sleep(0.01)
    with pytest.raises((TypeError, ValueError)):
        future.result(timeout=timeout)
    assert future.result() == 0.01


@pytest.mark.parametrize("concert_runtime", ["gevent"], indirect=True)
def test_code_does_not_start_inside_the_call(concert_runtime):
    started = []
    future = async_(started.append)(1)
    assert not started
    assert not future.running()
    assert "waiting to start" in repr(future)
    future.join()
    assert started == [1]


@pytest.mark.parametrize("concert_runtime", ["gevent"], indirect=True)
def test_code_starts_when_the_caller_yields(concert_runtime):
    started = []
    future = async_(started.append)(1)
    time.sleep(0)
    assert started == [1]
    assert future.done()


@pytest.mark.parametrize("concert_runtime", ["gevent"], indirect=True)
def test_code_starts_in_the_order_of_the_calls(concert_runtime):
    started = []
    start = async_(started.append)
    futures = [start(number) for number in range(200)]
    futures[150].result()
    assert started[:151] == list(range(151))
    wait(futures)


def test_representation_tells_what_happened(concert_runtime):
    assert repr(add(1).join()) == "<add: done>"
    failed = fail(ValueError("no"))
    failed.exception()
    assert repr(failed) == "<fail: failed: ValueError: no>"


def test_callback_is_called_when_the_future_is_done(concert_runtime, until):
    called = []
    future = add(1)
    future.add_done_callback(called.append)
    until(lambda: called)
    assert called == [future]
    assert future.done()


def test_callback_of_a_done_future_is_called_at_once(concert_runtime):
    called = []
    future = add(1).join()
    future.add_done_callback(called.append)
    assert called == [future]


def test_failing_callback_is_logged_and_harms_no_other(concert_runtime, caplog):
    called = []

    def crash(_future):
        raise ValueError("in the callback")

    future = sleep(0.001)
    future.add_done_callback(crash)
    future.add_done_callback(called.append)
    assert future.result() == 0.001
    if not called:
        future.add_done_callback(called.append)
    assert "crash" in caplog.text
    assert "in the callback" in caplog.text


@concurrently
def test_callback_that_hits_a_kill_is_logged_and_keeps_nobody_waiting(concert_runtime, caplog):
    killed = async_(Event().wait)()
    killed.cancel()
    called = []
    future = sleep(0.01)
    future.add_done_callback(lambda _future: killed.result())
    future.add_done_callback(called.append)
    assert future.result(timeout=5) == 0.01
    assert called == [future]
    assert "KillException" in caplog.text or "GreenletExit" in caplog.text


@pytest.mark.skipif(not config.ENABLE_GEVENT, reason="of greenlets")
@pytest.mark.parametrize("concert_runtime", ["gevent", "sync"], indirect=True)
def test_kill_of_the_code_that_runs_a_callback_is_no_failure_of_the_callback(concert_runtime, caplog, until):
    waiting = []

    def wait_long(_future):
        waiting.append(True)
        time.sleep(10)

    @async_
    def call_back():
        done.add_done_callback(wait_long)

    done = add(1).join()
    with using("gevent"):
        future = call_back()
    until(lambda: waiting)
    future.cancel()
    assert isinstance(future.exception(), KillException)
    assert not caplog.text


@concurrently
def test_callback_is_called_once_whoever_is_first(concert_runtime, until):
    for _ in range(300):
        called = []
        future = add(1)
        future.add_done_callback(called.append)
        until(lambda called=called: called)
        assert called == [future]


VALUE: ContextVar[str] = ContextVar("value", default="unset")


def test_context_variables_are_copied_into_each_call(concert_runtime):
    @async_
    def change(to):
        seen = VALUE.get()
        VALUE.set(to)
        return seen, VALUE.get()

    token = VALUE.set("ours")
    try:
        first = change("first")
        second = change("second")
        VALUE.set("later")
        results = [first.result(), second.result()]
        assert VALUE.get() == "later"
    finally:
        VALUE.reset(token)
    assert results == [("ours", "first"), ("ours", "second")]


def test_context_reaches_calls_of_calls_and_native_threads(concert_runtime):
    @threaded
    def innermost():
        return VALUE.get()

    @async_
    def outer():
        return innermost().result()

    token = VALUE.set("ours")
    try:
        assert outer().result() == "ours"
    finally:
        VALUE.reset(token)


def test_result_is_not_kept_by_anything_but_the_future(concert_runtime):
    future = async_(Thing)()
    result = weakref.ref(future.result())
    assert result() is not None
    del future
    _collect_until(lambda: result() is None)


def test_arguments_are_dropped_when_the_call_is_done(concert_runtime):
    thing = Thing()
    reference = weakref.ref(thing)
    future = async_(lambda thing: None)(thing)
    future.join()
    del thing
    _collect_until(lambda: reference() is None)


# Where everything is synchronous the traceback and the future hold each other, on the caller's own stack.
@concurrently
@pytest.mark.parametrize("ask", [Future.result, Future.join, Future.exception])
def test_failed_future_is_dropped_without_the_garbage_collector(concert_runtime, ask):
    future = divide_by_zero()
    reference = weakref.ref(future)
    try:
        ask(future)
    except ZeroDivisionError:
        pass
    del future
    _collect_until(lambda: reference() is None)


@concurrently
def test_wait_does_not_keep_a_failed_future(concert_runtime):
    future = divide_by_zero()
    reference = weakref.ref(future)
    try:
        wait([future])
    except ZeroDivisionError:
        pass
    del future
    _collect_until(lambda: reference() is None)


@concurrently
def test_killed_future_is_dropped_without_the_garbage_collector(concert_runtime):
    future = sleep(0.001)
    reference = weakref.ref(future)
    future.cancel()
    try:
        future.result()
    except KillException:
        pass
    del future
    _collect_until(lambda: reference() is None)


def test_context_is_dropped_when_the_call_is_done(concert_runtime):
    thing = Thing()
    reference = weakref.ref(thing)
    token = VALUE.set(thing)
    future = add(1)
    VALUE.reset(token)
    future.join()
    del thing, token
    _collect_until(lambda: reference() is None)


def _collect_until(condition):
    """Let native threads come to the end of their work; without help from the garbage collector."""
    gc.disable()
    try:
        deadline = time.monotonic() + 5
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.001)
        assert condition()
    finally:
        gc.enable()


def test_thousand_calls_may_wait_for_each_other(concert_runtime):
    @async_
    def nest(depth):
        return nest(depth - 1).result() + 1 if depth else 0

    assert nest(1000).result() == 1000


def test_thousands_of_calls_may_be_under_way(concert_runtime):
    futures = [add(number, 1) for number in range(3000)]
    assert [future.result() for future in futures] == list(range(1, 3001))
