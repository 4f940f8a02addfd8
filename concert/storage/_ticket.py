"""Waiting for what a native thread does: in greenlets, native threads and plain code alike."""

from __future__ import annotations

from typing import Any

from concert.async_ import Event


class Ticket:
    """What somebody waits with for the outcome of work that a native thread does for several.

    Unlike a future it belongs to nobody: whoever is killed while waiting leaves the work alone.
    """

    __slots__ = ("_error", "_event", "_value")

    def __init__(self) -> None:
        self._event = Event()
        self._value: Any = None
        self._error: BaseException | None = None

    def done(self) -> bool:
        """Tell whether there is an outcome."""
        return self._event.is_set()

    def settle(self, value: Any = None, error: BaseException | None = None) -> None:
        """Give the outcome to all who wait for it."""
        self._value, self._error = value, error
        self._event.set()

    def result(self) -> Any:
        """Wait for the outcome and return it, or raise it."""
        self._event.wait()
        if self._error is None:
            return self._value
        # Several may wait: each gets an exception of its own, or their tracebacks would be mixed.
        error = self._error
        try:
            own = type(error)(*error.args)
        except TypeError:
            own = error
        raise own from error
