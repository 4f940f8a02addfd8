"""Events: what code waits for that is not the end of a future."""

from __future__ import annotations

from typing import Any

from concert.async_._future import Future
from concert.async_._parking import park
from concert.quantities import seconds


class Event:
    """Something that has happened, or not yet; all who wait for it go on when it does.

    It can be set from, and waited for in, greenlets, native threads and plain code alike, and a wait is ended by a
    kill or Ctrl-C as every other one.
    """

    __slots__ = ("_flag",)

    def __init__(self) -> None:
        self._flag = _Flag()

    def is_set(self) -> bool:
        """Tell whether it has happened."""
        return self._flag._done

    def set(self) -> None:
        """Let it have happened, and those who wait go on."""
        self._flag._done = True
        self._flag._wake_waiters()

    def clear(self) -> None:
        """Let it be something that has not happened yet."""
        if self._flag._done:
            self._flag = _Flag()

    def wait(self, timeout: Any = None) -> bool:
        """Wait until it happens, at most for *timeout*, a time; return whether it has happened."""
        flag = self._flag
        return flag._done or park(flag, None if timeout is None else seconds(timeout))


class _Flag(Future):
    """What those who wait are listed at: nobody's future, without code."""

    def __init__(self) -> None:
        # Nothing of Future's own: it would belong to the running future, and end with it.
        self._function = Event.wait
        self._waiters = []
        self._owner = None
        self._context = None
