"""A share of the pool: bounded, in order, and nobody else's trouble."""

import pytest

from concert.async_ import threaded, using
from concert.async_._native import allocate_lock
from concert.async_._pool import THREADS, Share, pool
from concert.async_._runtimes import start_beside


@pytest.fixture
def gate():
    """A native lock that is held, until the end at the latest."""
    gate = allocate_lock()
    gate.acquire()
    yield gate
    if gate.locked():
        gate.release()


def through(gate):
    with gate:
        return "through"


def test_no_more_than_so_many_run_at_once_and_the_others_follow(gate, until):
    share = Share(2)
    begun = []

    def job(number):
        begun.append(number)
        return through(gate)

    futures = [start_beside(share, job, number) for number in range(6)]
    until(lambda: len(begun) == 2)
    assert (share.busy, share.waiting) == (2, 4)
    gate.release()
    assert [future.result() for future in futures] == ["through"] * 6
    assert sorted(begun[:2]) == [0, 1]
    until(lambda: share.busy == 0)


def test_who_is_cancelled_while_it_waits_never_runs(gate, until):
    share = Share(1)
    ran = []
    first = start_beside(share, through, gate)
    second = start_beside(share, ran.append, 2)
    third = start_beside(share, ran.append, 3)
    second.cancel()
    gate.release()
    first.join()
    third.join()
    assert ran == [3]


def test_a_job_that_raises_leaves_its_place_to_the_next(caplog, until):
    share = Share(1)
    ran = []

    def fail():
        raise SystemExit("from a job")

    share.submit(fail)
    share.submit(lambda: ran.append(2))
    until(lambda: ran and not share.busy)
    assert "from a job" in caplog.text


def test_full_shares_leave_the_pool_to_others(gate, until):
    shares = [Share(32) for _ in range(THREADS // 32 + 1)]
    futures = [start_beside(share, through, gate) for share in shares for _ in range(32)]
    until(lambda: all(share.busy == 32 for share in shares))
    until(lambda: pool.at_work <= 1)
    with using("threads"):
        assert threaded(lambda: "fine")().result(10) == "fine"
    gate.release()
    assert {future.result() for future in futures} == {"through"}


def test_a_failure_is_the_futures_own(until):
    share = Share(1)

    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match=r"^no$"):
        start_beside(share, fail).result()
    assert start_beside(share, lambda: 7).result() == 7
    until(lambda: share.busy == 0)
