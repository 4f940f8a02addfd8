"""Native code: it runs beside everything else, whatever the runtime."""

import time

import pytest

from concert.async_ import KillException, async_, threaded, wait
from concert.async_._native import thread_ident

concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)


def spin(enough, begun=None):
    """Compute until told otherwise, without letting go of the thread."""
    if begun is not None:
        begun.append(thread_ident())
    while not enough:
        pass
    return "done"


@concurrently
def test_native_code_runs_in_a_native_thread_of_its_own(concert_runtime):
    assert threaded(thread_ident)().result() != thread_ident()


def test_where_everything_is_synchronous_so_is_native_code():
    from concert.async_ import using

    with using("sync"):
        future = threaded(thread_ident)()
    assert future.done()
    assert future.result() == thread_ident()


@concurrently
def test_computing_does_not_stop_the_others(concert_runtime):
    enough, ticks = [], []

    @async_
    def tick():
        for _ in range(10):
            time.sleep(0.001)
            ticks.append(True)

    computing = threaded(spin)(enough)
    tick().join()
    assert len(ticks) == 10
    assert not computing.done()
    enough.append(True)
    assert computing.result() == "done"


def test_failure_comes_through_the_future(concert_runtime):
    @threaded
    def fail():
        raise OSError("no such device")

    with pytest.raises(OSError, match="no such device"):
        fail().result()


def test_wrong_arguments_come_through_the_future(concert_runtime):
    with pytest.raises(TypeError):
        threaded(spin)(1, 2, 3).result()


@concurrently
def test_time_limit_leaves_native_code_running(concert_runtime):
    enough = []
    future = threaded(spin)(enough)
    with pytest.raises(TimeoutError):
        future.result(timeout=0.001)
    enough.append(True)
    assert future.result() == "done"


@concurrently
def test_cancel_calls_the_operation_and_does_not_wait_for_the_code(concert_runtime, until):
    enough, begun, stopped = [], [], []
    future = threaded(spin)(enough, begun)
    future.cancel_operation = lambda: stopped.append(True)
    until(lambda: begun)
    future.cancel()
    assert stopped == [True]
    assert future.done()
    with pytest.raises(KillException):
        future.result()
    enough.append(True)


@concurrently
def test_native_code_may_start_and_wait_for_futures(concert_runtime):
    nap = async_(time.sleep)

    @threaded
    def measure():
        wait([nap(0.001) for _ in range(10)])
        return async_(lambda: "measured")().result()

    assert measure().result() == "measured"


@concurrently
def test_native_code_may_wait_for_native_code_without_end(concert_runtime):
    @threaded
    def nest(depth):
        return nest(depth - 1).result() + 1 if depth else 0

    assert nest(1000).result() == 1000


def test_name_and_documentation_are_kept():
    assert threaded(spin).__name__ == "spin"
    assert "Compute until" in threaded(spin).__doc__


@concurrently
def test_thread_that_cannot_be_started_is_a_failure_of_the_future(concert_runtime, monkeypatch):
    from concert.async_ import _pool, _threads

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_threads, "pool", _pool.Pool())
    monkeypatch.setattr(_pool, "start_new_thread", refuse)
    future = threaded(spin)([])
    with pytest.raises(RuntimeError, match="start new thread"):
        future.result()
