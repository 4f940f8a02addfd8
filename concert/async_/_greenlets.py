"""The gevent runtime: futures whose code runs in greenlets of the hub.

A greenlet costs ten times what switching to one costs, so a worker greenlet serves one future after the other. A kill
belongs to a future, never to a greenlet: it is thrown from the hub, where nothing else can run between the look at
the future's state and the throw, and the worker marks its future as done directly after the call. So a kill cannot
hit the next future of the same worker.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

from greenlet import greenlet

from concert.async_._future import Future
from concert.async_._native import KillException, thread_ident
from concert.async_._parking import HUB_THREAD, ThreadWaiter, call_in_hub, hub, on_hub_thread
from concert.async_._scope import running_future

IDLE_WORKERS = 256  # so many are kept for the next calls
STARTS_IN_A_ROW = 64  # so many calls may be started without the hub, which has timers and sockets to serve

_queue: deque[GreenletFuture] = deque()
_idle: list[Worker] = []


class GreenletFuture(Future):
    """A call that runs in a worker greenlet, started when the caller first waits or yields."""

    _strand: Worker | None = None
    _queued = False

    def _launch(self) -> None:
        self._queued = True
        _queue.append(self)
        if thread_ident() == HUB_THREAD:
            if not _drain_scheduled:
                _schedule_drain()
        else:
            call_in_hub(_drain)

    def _start_now(self) -> Any:
        """Take a worker for the caller to switch to, unless others are to be started first."""
        global _starts
        if self._started or self._done:
            return None
        if thread_ident() != HUB_THREAD or (_queue and not self._queued):
            if not self._queued:
                self._launch()
            return None
        if self._queued:
            if not _queue or _queue[0] is not self:
                return None
            _queue.popleft()
        _starts += 1
        # A new greenlet inherits how deep the stack of its starter is, so only the hub makes new workers.
        if not _idle or _starts % STARTS_IN_A_ROW == 0:
            self._queued = True
            _queue.appendleft(self)
            _schedule_drain()
            return None
        return _worker_for(self)

    def _run(self, worker: Worker) -> None:
        self._strand = worker
        self._started = True
        running_future.set(self)
        value = error = None
        try:
            value = self._function(*self._args, **self._kwargs)
        except BaseException as exception:
            error = exception
        # From here to the end of _finish nothing else can run.
        self._finish(value, error)
        self._strand = None
        self = value = error = None  # type: ignore[assignment]  # the traceback must not keep the result alive

    def _end(self, exception: BaseException | None, ended: list[Future]) -> None:
        if self._done:
            return
        if not on_hub_thread():
            self._end_from_thread(exception, ended)
            return
        ended.append(self)
        self._kills += 1
        if self._kills == 1:
            self._killed = exception or KillException()
            if self.cancel_operation is not None:
                self._operation = self._start_operation(self.cancel_operation)
        if self._operation is not None:
            ended.append(self._operation)
        # Before its children end: their end would reach the code first, and the kill would then hit its cleanup.
        if self._started:
            call_in_hub(self._throw)
        else:
            self._finish(None, None)
            call_in_hub(self._after_finish)
        for child in list(self._children or ()):
            child._end(None, ended)

    def _end_from_thread(self, exception: BaseException | None, ended: list[Future]) -> None:
        begun = ThreadWaiter()

        def end() -> None:
            try:
                self._end(exception, ended)
            finally:
                begun.wake()

        call_in_hub(end)
        begun.sleep(None)

    def _throw(self) -> None:
        """Throw a kill that is due into the code; runs in the hub."""
        if self._kill_is_due():
            self._delivered = self._kills
            assert self._strand is not None
            self._strand.throw(self._killed)

    def _after_finish(self) -> None:
        """Wake those who wait, in the hub; the callbacks may block, so they get a call of their own."""
        if self._callbacks:
            callbacks = GreenletFuture(self._run_callbacks, (), {}).detach()
            callbacks._launch()
        self._wake_waiters()

    def _take_waiter(self) -> Any:
        """Return a greenlet for the worker to switch to, one that waits, or None; the hub wakes the others."""
        waiters = self._waiters
        try:
            # First taken and then looked at: native threads come and go meanwhile.
            waiter = waiters.pop()
        except IndexError:
            return None
        if type(waiter) is ThreadWaiter:
            waiter.wake()
            waiter = None
        if waiters:
            self._wake_waiters()
        return waiter


class Worker(greenlet):
    """A greenlet that runs futures, one after the other, and is idle in between."""

    __slots__ = ("future",)

    def __init__(self) -> None:
        super().__init__(parent=hub)
        self.future: GreenletFuture | None = None

    def run(self) -> None:
        try:
            while True:
                while self.future is None:
                    hub.switch()
                future, self.future = self.future, None
                future._run(self)
                self.gr_context = None  # type: ignore[misc]
                if future._callbacks:
                    try:
                        future._run_callbacks()
                    except BaseException:
                        call_in_hub(future._wake_waiters)
                        raise
                # What is kept for a greenlet, thread-local data for example, must not leak into the next call.
                if self.__dict__ or len(_idle) >= IDLE_WORKERS:
                    call_in_hub(future._wake_waiters)
                    return
                _idle.append(self)
                waiter = future._take_waiter()
                del future  # an idle worker must not keep the result alive
                if waiter is not None:
                    waiter.switch()
                    del waiter
        except KillException:
            pass  # thrown at the greenlet itself, while it was idle
        finally:
            if self in _idle:
                _idle.remove(self)
            threading._active.pop(id(self), None)  # type: ignore[attr-defined]  # logging may have entered it


_starts = 0
_drain_scheduled = False


def _schedule_drain() -> None:
    global _drain_scheduled
    if not _drain_scheduled:
        # In this order: an interrupt in between must not make it believe that it is scheduled.
        hub.loop.run_callback(_drain)
        _drain_scheduled = True


def _drain() -> None:
    """Start what was called and has not started; runs in the hub."""
    global _drain_scheduled
    _drain_scheduled = False
    for _ in range(len(_queue)):
        if not _queue:
            return
        future = _queue.popleft()
        if not future._done:
            _worker_for(future).switch()
    if _queue:
        _schedule_drain()


def _worker_for(future: GreenletFuture) -> Worker:
    worker = _idle.pop() if _idle else Worker()
    worker.gr_context = future._context  # type: ignore[misc, assignment]
    worker.future = future
    return worker
