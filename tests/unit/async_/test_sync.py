"""The synchronous runtime: everything has happened when the call returns."""

import pytest

from concert.async_ import KillException, async_, using, wait


@pytest.fixture(autouse=True)
def synchronous():
    with using("sync"):
        yield


def test_call_has_run_when_it_returns():
    done = []
    future = async_(done.append)(1)
    assert done == [1]
    assert future.done()
    assert not future.running()


def test_failure_waits_for_who_asks():
    future = async_(lambda: 1 / 0)()
    with pytest.raises(ZeroDivisionError):
        future.result()
    with pytest.raises(ZeroDivisionError):
        wait([future])


def test_cancel_comes_too_late():
    stopped = []
    future = async_(lambda: "done")()
    future.cancel_operation = lambda: stopped.append(True)
    future.cancel()
    future.kill(ValueError)
    assert future.result() == "done"
    assert not stopped


def test_kill_raised_by_the_code_itself_ends_the_call_alone():
    @async_
    def give_up():
        raise KillException

    future = give_up()
    assert future.cancelled()
    with pytest.raises(KillException):
        future.result()


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_interrupt_goes_through_all_calls_and_stops_each_once(interrupt):
    stopped, started = [], []

    @async_
    def nest(depth):
        from concert.async_._scope import running_future

        future = running_future.get()
        future.cancel_operation = lambda: stopped.append(depth)
        started.append(future)
        if depth:
            nest(depth - 1).result()
        raise interrupt

    with pytest.raises(interrupt):
        nest(2)
    assert stopped == [0, 1, 2]
    assert all(future.cancelled() for future in started)


def test_next_call_after_an_interrupt_works():
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        async_(interrupt)()
    assert async_(lambda: "fine")().result() == "fine"


def test_thousands_of_calls_may_wait_for_each_other():
    @async_
    def nest(depth):
        return nest(depth - 1).result() + 1 if depth else 0

    assert nest(3000).result() == 3000


def test_endless_recursion_still_ends():
    def recurse():
        return recurse()

    @async_
    def runaway():
        return recurse()

    with pytest.raises(RecursionError):
        runaway().result()
