"""What runs in the background, as whoever shows it sees it."""

import gc

import pytest

from concert.async_ import (
    _jobs,
    _scope,
    async_,
    background_job,
    background_jobs,
    note_futures,
    tell_progress,
    wait,
)


@pytest.fixture(autouse=True)
def noted():
    note_futures()
    yield
    _scope.on_command_future = None
    _jobs._started.clear()


@pytest.fixture
def gate():
    """A future that others can wait for, and a function that opens it."""
    opened = []

    @async_
    def keep_shut():
        while not opened:
            wait([nothing()])

    return keep_shut, lambda: opened.append(True)


@async_
def nothing():
    pass


class Scan:
    progress = 0.25
    remaining = 42.0

    def describe(self):
        return "scan 214 mesh"


def test_a_registered_job_is_listed_while_its_block_runs():
    scan = Scan()
    with background_job(scan):
        assert background_jobs() == [scan]
    assert background_jobs() == []


def test_a_job_whose_block_fails_is_not_listed_any_more():
    with pytest.raises(ValueError, match="no light"), background_job(Scan()):
        raise ValueError("no light")
    assert background_jobs() == []


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_a_future_is_listed_until_it_is_done(concert_runtime, gate):
    keep_shut, open_gate = gate
    future = keep_shut()
    (job,) = background_jobs()
    assert job.describe().endswith("keep_shut")
    assert (job.progress, job.remaining) == (None, None)
    open_gate()
    future.join()
    assert background_jobs() == []


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_a_future_can_tell_how_far_it_is(concert_runtime, gate, until):
    keep_shut, open_gate = gate

    @async_
    def align():
        tell_progress(0.5, "alignment of the mirror")
        keep_shut().join()

    future = align()
    until(lambda: future.progress is not None or wait([nothing()]))
    job = next(each for each in background_jobs() if each.future is future)
    assert job.describe() == "alignment of the mirror"
    assert job.progress == 0.5
    assert job.remaining >= 0
    open_gate()
    future.join()


def test_what_is_left_is_reckoned_from_what_was_done():
    assert _jobs.remaining_time(30.0, 0.75) == pytest.approx(10.0)
    assert _jobs.remaining_time(30.0, 0.0) is None
    assert _jobs.remaining_time(30.0, None) is None


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_only_what_a_command_started_is_listed(concert_runtime, gate):
    keep_shut, open_gate = gate

    @async_
    def outer():
        child = keep_shut()
        child.join()

    future = outer()
    wait([nothing()])
    assert [job.future for job in background_jobs()] == [future]
    open_gate()
    future.join()


def test_progress_outside_of_functions_and_beyond_its_ends_is_harmless(concert_runtime):
    tell_progress(0.5)

    @async_
    def overshoot():
        tell_progress(7)

    future = overshoot().join()
    assert future.progress == 1.0


def test_nothing_is_remembered_of_futures_that_are_gone(concert_runtime, until):
    nothing().join()
    until(lambda: gc.collect() >= 0 and not _jobs._started)
