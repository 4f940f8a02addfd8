"""Waiting for what a native thread does: in greenlets, native threads and plain code alike."""

from __future__ import annotations

from typing import Any

from concert.async_ import Future
from concert.async_._parking import park


class Ticket(Future):
    """What somebody waits with for the outcome of work that a native thread does for several.

    Unlike other futures it belongs to nobody: whoever is killed while waiting leaves the work alone. Its failure is
    raised where it is waited for, and nowhere else.
    """

    # Nothing of Future's own: it would belong to the running future, and end with it. One is made for each point.
    _owner = None
    _context = None
    _error: BaseException | None = None

    def __init__(self) -> None:
        self._waiters = []

    @property
    def name(self) -> str:
        """What messages call it."""
        return "what is being stored"

    def settle(self, value: Any = None, error: BaseException | None = None) -> None:
        """Give the outcome to all who wait for it."""
        self._value, self._error = value, error
        self._done = True
        self._wake_waiters()

    def result(self, timeout: Any = None) -> Any:
        """Wait for the outcome and return it, or raise it."""
        if not self._done:
            park(self, timeout)
        if self._error is None:
            return self._value
        # Several may wait: each gets an exception of its own, or their tracebacks would be mixed.
        error = self._error
        try:
            own = type(error)(*error.args)
        except TypeError:
            own = error
        raise own from error
