"""The synchronous runtime: a call runs at once, in the caller, and what it returns is done."""

from __future__ import annotations

import sys
from typing import Any

from concert.async_._future import Future
from concert.async_._native import KillException
from concert.async_._parking import strand
from concert.async_._scope import running_future

FRAMES = 20  # generous for one function that waits for another one through a future
PYTHON_LIMIT = sys.getrecursionlimit()


class SyncFuture(Future):
    """A call that has run when the future is there."""

    _depth = 0

    def _launch(self) -> None:
        if self._done:  # called by a thread that should have ended
            return
        parent = running_future.get()
        self._depth = parent._depth + 1 if isinstance(parent, SyncFuture) else 1
        # Calls that wait for calls are nested on one stack here, which Python would end after a few hundred.
        needed = PYTHON_LIMIT + FRAMES * self._depth
        if needed > sys.getrecursionlimit() and self._depth > PYTHON_LIMIT // FRAMES:
            sys.setrecursionlimit(needed * 2)
        self._started = True
        assert self._context is not None
        value: Any = None
        error: BaseException | None = None
        try:
            value = self._context.run(self._run)
        except Exception as exception:
            error = exception
        except BaseException as exception:
            # Not this call alone is to end, but the code that made it.
            if not isinstance(exception, KillException) or self._in_killed_future():
                self._interrupt(exception)
                raise
            error = exception
        finally:
            if not self._done:
                self._finish(value, error)
                self._run_callbacks()
            value = error = None

    def _run(self) -> Any:
        running_future.set(self)
        self._strand = strand()
        try:
            return self._function(*self._args, **self._kwargs)
        finally:
            self._strand = None

    def _wait(self, timeout: Any) -> None:
        if not self._started:
            self._launch()  # not while parked: this is the caller's own code, for Ctrl-C too
        if not self._done:
            super()._wait(timeout)

    def _in_killed_future(self) -> bool:
        owner: Any = self
        while isinstance(owner, Future):
            if owner._killed is not None:
                return True
            owner = owner._owner
        return False

    def _interrupt(self, exception: BaseException) -> None:
        self._end(exception, [])
        self._finish(None, None)

    def _end(self, exception: BaseException | None, ended: list[Future]) -> None:
        if self._done or self._killed is not None:
            return
        self._killed = exception or KillException()
        if self.cancel_operation is not None:
            self._operation = self._start_operation(self.cancel_operation)
            ended.append(self._operation)
        for child in list(self._children or ()):
            child._end(None, ended)
