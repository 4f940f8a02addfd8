"""Cancelling and killing futures, from wherever, in whatever state they are."""

import time

import pytest

from concert.async_ import KillException, async_, shielded, threaded, unhandled
from concert.async_._native import start_new_thread

concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
greenlets_only = pytest.mark.parametrize("concert_runtime", ["gevent"], indirect=True)
threads_only = pytest.mark.parametrize("concert_runtime", ["threads"], indirect=True)


class Log(list):
    """What happened, in order; usable as an operation, too."""

    def stop(self):
        self.append("stopped")


@pytest.fixture
def log():
    return Log()


@async_
def nap():
    time.sleep(0.001)


@async_
def hold(log, enough=()):
    """Run until killed; in all runtimes a kill arrives where code waits for a future."""
    log.append("started")
    try:
        while not enough:
            nap().result()
    except BaseException as exception:
        log.append(exception)
        raise
    finally:
        log.append("cleaned up")
    return "done"


@pytest.fixture
def held(log, until, concert_runtime):
    """A future whose code is running."""
    future = hold(log)
    future.cancel_operation = log.stop
    until(lambda: log)
    return future


@concurrently
def test_cancel_ends_the_code_and_starts_the_operation(held, log, until):
    held.cancel()
    assert held.done()
    assert held.cancelled()
    assert "stopped" in log
    for ask in (held.result, held.join):
        with pytest.raises(KillException):
            ask()
    assert isinstance(held.exception(), KillException)
    until(lambda: "cleaned up" in log)
    assert log.count("stopped") == 1
    assert any(isinstance(entry, KillException) for entry in log)


@greenlets_only
def test_cancel_returns_when_the_code_has_cleaned_up(held, log):
    held.cancel()
    assert "cleaned up" in log


@concurrently
@pytest.mark.parametrize("exception", [ValueError("enough"), ValueError])
def test_kill_raises_the_exception_given_inside_and_outside(held, log, until, exception):
    held.kill(exception)
    with pytest.raises(ValueError) as info:  # noqa: PT011
        held.result()
    assert held.cancelled()
    until(lambda: "cleaned up" in log)
    assert info.value in log


@concurrently
def test_operation_is_called_once_however_often_it_is_cancelled(held, log, until):
    held.cancel(block=False)
    held.kill(ValueError(), block=False)
    held.cancel()
    held.cancel()
    with pytest.raises(KillException):
        held.result()
    until(lambda: "cleaned up" in log)
    assert log.count("stopped") == 1


def test_finished_future_is_left_alone(concert_runtime, log):
    future = async_(lambda: "done")()
    future.cancel_operation = log.stop
    future.join()
    future.cancel()
    future.kill(ValueError())
    assert future.result() == "done"
    assert not future.cancelled()
    assert not log


def test_failed_future_is_left_alone(concert_runtime, log):
    future = async_(lambda: 1 / 0)()
    future.cancel_operation = log.stop
    assert isinstance(future.exception(), ZeroDivisionError)
    future.kill(ValueError())
    assert isinstance(future.exception(), ZeroDivisionError)
    assert not log


@greenlets_only
def test_future_that_never_started_runs_no_code_and_finishes(concert_runtime, log):
    future = hold(log)
    future.cancel_operation = log.stop
    future.cancel()
    assert log == ["stopped"]
    assert future.done()
    with pytest.raises(KillException):
        future.result()
    time.sleep(0)
    assert log == ["stopped"]


@threads_only
def test_future_that_got_no_thread_runs_no_code_and_finishes(concert_runtime, log, monkeypatch):
    from concert.async_ import _threads

    waiting = []
    monkeypatch.setattr(_threads.pool, "submit", waiting.append)
    future = hold(log)
    monkeypatch.undo()
    future.cancel_operation = log.stop
    future.cancel()
    waiting[0]()
    assert log == ["stopped"]
    with pytest.raises(KillException):
        future.result()


@concurrently
def test_cancel_from_another_future(held, log):
    @async_
    def cancel():
        held.cancel()
        return held.done()

    assert cancel().result()


@concurrently
def test_cancel_from_a_native_thread(held, log, until):
    ended = []

    def cancel():
        held.cancel()
        ended.append(held.done())

    start_new_thread(cancel, ())
    with pytest.raises(KillException):
        held.result()
    until(lambda: ended and "cleaned up" in log)
    assert ended == [True]
    assert log.count("stopped") == 1


@concurrently
def test_waiters_everywhere_are_told(held):
    def ask():
        try:
            held.result()
        except KillException:
            return "told"

    asking = [async_(ask)(), threaded(ask)(), async_(ask)()]
    held.cancel()
    assert [future.result() for future in asking] == ["told"] * 3


@concurrently
def test_killing_a_parent_ends_its_children_and_theirs(concert_runtime, log, until):
    started = []

    @async_
    def nest(depth):
        future = nest(depth - 1) if depth else hold(log)
        future.cancel_operation = lambda: log.append(f"stopped {depth}")
        started.append(future)
        return future.result()

    parent = nest(3)
    until(lambda: "started" in log)
    parent.cancel()
    assert [future.done() for future in started] == [True] * 4
    until(lambda: "cleaned up" in log)
    assert sorted(entry for entry in log if str(entry).startswith("stopped")) == [f"stopped {d}" for d in range(4)]


@concurrently
def test_killing_a_parent_ends_children_that_it_does_not_wait_for(concert_runtime, log, until):
    children = []

    @async_
    def parent():
        children.append(hold(log))
        children.append(hold(log).detach())
        while True:
            nap().result()

    future = parent()
    until(lambda: log.count("started") == 2)
    future.cancel()
    assert children[0].cancelled()
    assert not children[1].done()
    children[1].cancel()
    until(lambda: log.count("cleaned up") == 2)


@concurrently
def test_child_of_a_parent_that_has_ended_goes_on(concert_runtime, log, until):
    enough = []

    @async_
    def parent():
        return hold(log, enough)

    future = parent()
    child = future.result()
    future.cancel()
    until(lambda: log)
    assert not child.done()
    enough.append(True)
    assert child.result() == "done"


@concurrently
def test_code_that_waits_for_native_code_ends_at_once(concert_runtime, until):
    enough, native = [], []

    @threaded
    def expose():
        native.append("exposing")
        while not enough:
            pass
        native.append("exposed")

    @async_
    def scan():
        expose().result()

    future = scan()
    until(lambda: native)
    future.cancel()
    assert future.cancelled()
    assert native == ["exposing"]
    enough.append(True)
    until(lambda: len(native) == 2)


@concurrently
def test_operation_does_not_wait_for_a_slow_cleanup_but_cancel_waits_for_both(concert_runtime, log, until):
    enough = []

    @async_
    def slow():
        log.append("started")
        try:
            while True:
                nap().result()
        finally:
            with shielded():
                until(lambda: "stopping" in log)
                log.append("cleaned up")

    def operation():
        log.append("stopping")
        until(lambda: enough)
        log.append("stopped")

    future = slow()
    future.cancel_operation = operation
    until(lambda: log)
    future.cancel(block=False)
    assert "stopped" not in log
    until(lambda: "cleaned up" in log)
    assert "stopped" not in log
    enough.append(True)
    future.cancel()
    until(lambda: "stopped" in log)


@concurrently
def test_cancel_waits_for_a_slow_operation(held, log):
    def operation():
        for _ in range(5):
            nap().result()
        log.append("stopped")

    held.cancel_operation = operation
    held.cancel()
    assert "stopped" in log


@concurrently
def test_operation_that_fails_is_logged_and_the_future_ends(held, caplog):
    def operation():
        raise OSError("no connection")

    held.cancel_operation = operation
    held.cancel()
    assert held.cancelled()
    assert [failure.name for failure in unhandled()] == ["the cancel operation of hold"]
    assert "no connection" in caplog.text


@concurrently
def test_future_may_cancel_itself(concert_runtime, log, until):
    @async_
    def suicide():
        try:
            log[0].cancel()
            log.append("went on")
        finally:
            log.append("cleaned up")

    log.append(None)
    future = suicide()
    log[0] = future
    # A thread may have been faster than the line above.
    with pytest.raises((KillException, AttributeError)):
        future.result()
    until(lambda: len(log) > 1)
    assert log[1:] == ["cleaned up"]


@concurrently
def test_child_that_must_finish_may_cancel_its_parent(concert_runtime, log, until):
    @async_
    def child(parent):
        with shielded():
            parent.cancel()
            log.append("finished")
        log.append("went on")

    @async_
    def scan():
        until(lambda: started)
        child(started[0]).result()

    started = []
    started.append(scan())
    with pytest.raises(KillException):
        started[0].result()
    until(lambda: log)
    assert log == ["finished"]


@greenlets_only
def test_code_that_swallows_the_kill_is_killed_all_the_same(concert_runtime, log, until):
    @async_
    def swallow():
        try:
            log.append("started")
            time.sleep(10)
        except KillException:
            return "swallowed"

    future = swallow()
    until(lambda: log)
    future.cancel()
    with pytest.raises(KillException):
        future.result()


@greenlets_only
def test_cleanup_that_fails_is_logged(concert_runtime, log, until, caplog):
    @async_
    def clumsy():
        try:
            log.append("started")
            time.sleep(10)
        finally:
            raise OSError("cannot close")

    future = clumsy()
    until(lambda: log)
    future.cancel()
    with pytest.raises(KillException):
        future.result()
    assert "clumsy failed while it was being ended" in caplog.text
    assert "cannot close" in caplog.text


@greenlets_only
def test_cleanup_is_not_cut_short_by_a_second_kill_and_is_by_a_third(concert_runtime, log, until):
    @async_
    def clean_up_for_long():
        try:
            log.append("started")
            time.sleep(10)
        finally:
            try:
                log.append("cleaning up")
                time.sleep(10)
            except ValueError:
                log.append("cut short")
                raise

    future = clean_up_for_long()
    until(lambda: log)
    future.kill(ValueError, block=False)
    until(lambda: "cleaning up" in log)
    future.kill(block=False)
    for _ in range(3):
        time.sleep(0.001)
    assert "cut short" not in log
    future.kill()
    assert log == ["started", "cleaning up", "cut short"]


@greenlets_only
def test_shielded_block_is_finished_before_a_kill(concert_runtime, log, until):
    enough = []

    @async_
    def careful():
        with shielded():
            log.append("started")
            with shielded():
                until(lambda: enough)
            log.append("finished")
        log.append("went on")

    future = careful()
    until(lambda: log)
    future.cancel(block=False)
    future.cancel(block=False)
    time.sleep(0.001)
    assert log == ["started"]
    enough.append(True)
    with pytest.raises(KillException):
        future.result()
    assert log == ["started", "finished"]


@greenlets_only
def test_third_kill_gets_through_a_shield(concert_runtime, log, until):
    @async_
    def stubborn():
        with shielded():
            log.append("started")
            time.sleep(10)

    future = stubborn()
    until(lambda: log)
    for _ in range(2):
        future.cancel(block=False)
    time.sleep(0.001)
    assert not future.done()
    future.cancel()
    assert future.cancelled()


def test_shield_without_a_kill_does_nothing(concert_runtime):
    @async_
    def careful():
        with shielded():
            return "finished"

    assert careful().result() == "finished"
    with shielded():
        pass


@concurrently
def test_killed_code_leaves_older_futures_alone(concert_runtime, log, until):
    enough = []
    older = hold(log, enough)

    @async_
    def wait_for_older():
        older.result()

    younger = wait_for_older()
    until(lambda: log and younger.running())
    younger.cancel()
    assert not older.done()
    enough.append(True)
    assert older.result() == "done"


@threads_only
def test_late_result_of_a_thread_is_dropped(concert_runtime, until):
    enough, begun, ended = [], [], []

    @async_
    def slow():
        begun.append(True)
        until(lambda: enough)
        ended.append(True)
        return "late"

    future = slow()
    until(lambda: begun)
    future.cancel()
    assert future.done()
    assert not future.running()
    enough.append(True)
    until(lambda: ended)
    with pytest.raises(KillException):
        future.result()


@threads_only
def test_late_failure_of_a_thread_is_dropped(concert_runtime, until, caplog):
    enough, begun = [], []

    @async_
    def slow():
        begun.append(True)
        until(lambda: enough)
        begun.append(True)
        raise ValueError

    future = slow()
    until(lambda: begun)
    future.cancel()
    enough.append(True)
    until(lambda: len(begun) == 2)
    assert isinstance(future.exception(), KillException)


@threads_only
def test_late_code_of_a_cancelled_future_starts_nothing_new(concert_runtime, log, until):
    enough, moved = [], []
    move = async_(moved.append)

    @async_
    def scan():
        log.append("started")
        try:
            until(lambda: enough)  # deaf to the kill
            refused = move("to the next point")
            until(refused.done)
            log.append("went on")
            refused.result()
        finally:
            move("back").result()
            log.append("cleaned up")

    future = scan()
    until(lambda: log)
    future.cancel()
    enough.append(True)
    until(lambda: "cleaned up" in log)
    assert log == ["started", "went on", "cleaned up"]
    assert moved == ["back"]


def test_synchronous_call_that_is_interrupted_is_stopped_once(log):
    from concert.async_ import using

    @async_
    def parent():
        child = async_(interrupted)
        child()

    def interrupted():
        from concert.async_._scope import running_future

        running_future.get().cancel_operation = log.stop
        raise KeyboardInterrupt

    with using("sync"), pytest.raises(KeyboardInterrupt):
        parent()
    assert log == ["stopped"]
