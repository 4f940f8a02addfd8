"""The threads runtime: futures whose code runs in native threads, with or without gevent."""

from __future__ import annotations

from concert.async_._future import Future
from concert.async_._interrupts import GETS_THROUGH
from concert.async_._native import KillException, allocate_lock, thread_ident
from concert.async_._parking import ThreadWaiter
from concert.async_._pool import Jobs, pool
from concert.async_._scope import running_future

_lock = allocate_lock()  # guards the step from running to done, which threads race for


class ThreadFuture(Future):
    """A call that runs in a native thread, at once.

    Its code cannot be stopped from outside. Cancelling starts the cancel operation and ends the future; what the code
    returns later is dropped, and when the code next waits for a future it gets the kill there.
    """

    jobs: Jobs | None = None  # who gives it a thread, if not the pool
    _launched = False
    _waiter: ThreadWaiter | None = None

    def _launch(self) -> None:
        self._launched = True
        try:
            (pool if self.jobs is None else self.jobs).submit(self._run_in_context)
        except RuntimeError as error:  # not a single thread is to be had
            self._finish(None, error)
            self._after_finish()

    def _start_now(self) -> None:
        if not self._launched:
            self._launch()

    def _run_in_context(self) -> None:
        context = self._context
        if context is not None:  # not ended before a thread was free
            context.run(self._run)
        self = context = None  # type: ignore[assignment]  # a traceback keeps this frame, but must not keep the future

    def _run(self) -> None:
        self._started = True
        self._strand = thread_ident()
        running_future.set(self)
        value = error = None
        try:
            value = self._function(*self._args, **self._kwargs)
        except BaseException as exception:
            error = exception
        with _lock:
            late = self._done
            if not late:
                self._finish(value, error)
        self._strand = None
        if not late:
            self._after_finish()
        self = value = error = None  # type: ignore[assignment]  # the traceback must not keep the result alive

    def _end(self, exception: BaseException | None, ended: list[Future]) -> None:
        with _lock:
            if self._killed is not None:
                self._kills += 1
            if self._done:
                return
            self._kills = 1
            self._killed = exception or KillException()
            operation, children = self.cancel_operation, list(self._children or ())
            self._finish(None, None)
        if operation is not None:
            self._operation = self._start_operation(operation)
            ended.append(self._operation)
        for child in children:
            child._end(None, ended)
        waiter = self._waiter
        if waiter is not None:
            waiter.wake()
        self._after_finish()

    def _after_finish(self) -> None:
        try:
            if self._callbacks:
                self._run_callbacks()
        finally:
            self._wake_waiters()

    def _kill_is_due(self) -> bool:
        # Unlike a greenlet's code this goes on after the future has ended.
        if self._killed is None or self._delivered == self._kills:
            return False
        return self._kills >= GETS_THROUGH or (self._delivered == 0 and not self._shields)

    def _enter_wait(self, waiter: ThreadWaiter) -> None:
        self._waiter = waiter
        pool.block()

    def _leave_wait(self) -> None:
        pool.unblock()
        self._waiter = None
