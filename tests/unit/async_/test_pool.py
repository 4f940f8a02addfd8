"""The pool of native threads: bounded, and never stuck because of it."""

import threading
import time

import pytest

from concert.async_ import async_, resolve, threaded, using, wait
from concert.async_._native import allocate_lock, thread_ident
from concert.async_._pool import Pool

concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)


@pytest.fixture
def gate():
    """Return a native lock that is held until it is released."""
    gate = allocate_lock()
    gate.acquire()
    return gate


def wait_until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_no_more_than_so_many_jobs_run_at_once(gate):
    pool = Pool(threads=2, idle_time=0)
    running = []

    def job():
        running.append(thread_ident())
        with gate:
            pass

    for _ in range(5):
        pool.submit(job)
    wait_until(lambda: len(running) == 2)
    time.sleep(0.01)
    assert len(running) == 2
    gate.release()
    wait_until(lambda: len(running) == 5)
    assert len(set(running)) <= 2


def test_a_job_that_waits_makes_room_for_another(gate):
    pool = Pool(threads=1, idle_time=0)
    done = []

    def outer():
        pool.block()
        with gate:
            pass
        pool.unblock()
        done.append("outer")

    pool.submit(outer)
    pool.submit(lambda: (done.append("inner"), gate.release()))
    wait_until(lambda: len(done) == 2)
    assert done == ["inner", "outer"]


def test_a_job_that_raises_is_logged_and_costs_no_thread(caplog):
    pool = Pool(threads=1, idle_time=0)
    done = []

    def fail():
        raise SystemExit("from a job")

    pool.submit(fail)
    pool.submit(lambda: done.append(True))
    wait_until(lambda: done and not pool.at_work)
    assert "from a job" in caplog.text


def test_threads_are_used_again():
    pool = Pool(threads=4, idle_time=10)
    used = []
    for count in range(1, 20):
        pool.submit(lambda: used.append(thread_ident()))
        wait_until(lambda count=count: len(used) == count and pool._idle)
    pool._idle_time = 0
    assert len(set(used)) == 1
    for waiter in list(pool._idle):
        waiter.wake()


def test_idle_threads_end():
    pool = Pool(threads=4, idle_time=0.001)
    before = threading.active_count()
    pool.submit(lambda: threading.current_thread())
    wait_until(lambda: not pool._idle and not pool._at_work)
    wait_until(lambda: threading.active_count() <= before)


def test_more_waiting_calls_than_threads_finish():
    @async_
    def nested(depth):
        return nested(depth - 1).result() + 1 if depth else 0

    with using("threads"):
        assert nested(600).result() == 600


@concurrently
def test_threaded_code_runs_in_another_thread(concert_runtime):
    assert threaded(thread_ident)().result() != thread_ident()


@concurrently
def test_many_threaded_calls_give_their_own_results(concert_runtime):
    assert resolve([threaded(lambda x=x: x * x)() for x in range(500)]) == [x * x for x in range(500)]


@concurrently
def test_what_waits_for_native_code_does_not_keep_others_waiting(concert_runtime, gate):
    future = threaded(gate.acquire)()
    wait([async_(lambda: None)() for _ in range(100)])
    assert not future.done()
    gate.release()
    future.join()
    gate.release()
