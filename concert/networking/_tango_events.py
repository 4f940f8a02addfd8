"""Events of Tango devices: from Tango's native threads to handlers, in order, with a word about what was missed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context
from time import monotonic
from typing import Any, NamedTuple, Self

import numpy as np

from concert.async_._dispatcher import Subscriber
from concert.async_._native import native_sleep
from concert.async_._pool import pool
from concert.async_._runtimes import context_for_events, start_beside
from concert.networking._tango_end import subscriptions, under_way
from concert.networking._tango_errors import Call, TangoError, error_of

LOG = logging.getLogger("concert.networking")

OPENING_TIME = 0.5  # seconds within which the way for events is open
KINDS = ("change", "periodic", "archive", "user")


class TangoEvent(NamedTuple):
    """What a handler is told.

    *value* is the new value of *attribute* and *time* when the server took it, in seconds since 1970. While no events
    come *error* says why, and *value* and *time* are None. *gap* is for how many seconds none could come before this
    one; what changed meanwhile is not told. The *initial* event tells the value of the time of subscribing. *raw* is
    Tango's own ``EventData``, None for a change that Tango lost while it began.
    """

    device: str
    attribute: str
    value: Any
    time: float | None
    error: TangoError | None
    gap: float
    initial: bool
    raw: Any


class TangoSubscription:
    """That a handler is called for events, until :meth:`close`, over restarts of the server and the database.

    It may be used in a ``with`` statement.
    """

    def __init__(
        self, call: Call, attribute: str, handler: Callable[[TangoEvent], Any], end: Callable[[Any], Any]
    ) -> None:
        self.attribute = attribute
        self.of_changes = False  # one that Tango has lost can then be found by reading
        self.proxy: Any = None  # the DeviceProxy through which Tango was told
        self.number = 0  # Tango's for the subscription
        self._end: Callable[[Any], Any] | None = end
        self._call = call
        self._subscriber = Subscriber(handler)
        self._context: Context = context_for_events()
        self._lost: float | None = None  # when events stopped to come
        self._reason = ""
        self._latest: tuple[Any, float | None] = (None, None)  # the last value told and its time

    def close(self) -> None:
        """Call the handler no more, not even for what has come already."""
        self._subscriber.active = False
        end, self._end = self._end, None
        if end is not None:
            subscriptions.discard(self)
            end(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<events of {self._call.device}/{self.attribute}>"

    def begun(self, proxy: Any, number: int) -> bool:
        """Note that Tango was told, and as which *number*; return whether it is still wanted."""
        self.proxy, self.number = proxy, number
        subscriptions.add(self)
        return self._subscriber.active

    def give_up(self) -> None:
        """Note that nobody waits any more for the subscription to begin."""
        self._subscriber.active, self._end = False, None

    def end_now(self) -> None:
        """Tell Tango that nothing is to come any more, at the end of the process."""
        self._subscriber.active = False
        try:
            self.proxy.unsubscribe_event(self.number)
        except Exception:  # whatever it is, it is too late to do anything about it
            LOG.debug("%r could not be ended", self, exc_info=True)

    def receive(self, raw: Any) -> None:
        """Take an event; called in the thread that subscribes or in one of Tango's, where nobody would see an error."""
        try:
            event = self._failure(raw) if raw.err else self._news(raw)
            if event is not None:
                self._tell(event)
        except Exception:
            LOG.exception("an event of %s/%s was lost", self._call.device, self.attribute)

    def look_again(self) -> None:
        """Look, a moment after the (new) beginning and in a native thread, for a change that Tango has lost.

        Subscribing returns before the way for events is open, and what is sent before that goes nowhere.
        """
        native_sleep(OPENING_TIME)
        if not self._subscriber.active or self._lost is not None:
            return
        try:
            with under_way(self._call):
                reading = self.proxy.read_attribute(self.attribute)
        except Exception:  # of the device or the line: whoever asks for the value will see it
            return
        value, time = self._latest
        if not _same(value, reading.value) and (time is None or reading.time.totime() > time):
            self._tell(self._event(reading, 0.0, None))

    def _tell(self, event: TangoEvent) -> None:
        if self._subscriber.active:
            self._context.copy().run(self._subscriber.tell, event)

    def _event(self, reading: Any, gap: float, raw: Any) -> TangoEvent:
        value = None if reading is None else reading.value
        time = None if reading is None else reading.time.totime()
        self._latest = (value, time)
        return TangoEvent(self._call.device, self.attribute, value, time, None, gap, self.proxy is None, raw)

    def _news(self, raw: Any) -> TangoEvent:
        gap = 0.0
        if self._lost is not None:
            gap, self._lost, self._reason = monotonic() - self._lost, None, ""
            LOG.warning(
                "events of %s/%s come again after %.1f s; what changed meanwhile was not told",
                self._call.device,
                self.attribute,
                gap,
            )
            if self.of_changes:
                start_beside(pool, self.look_again).detach()
        return self._event(getattr(raw, "attr_value", None), gap, raw)

    def _failure(self, raw: Any) -> TangoEvent | None:
        """Return the event that tells of a failure, or None if it is the same one again."""
        reason = raw.errors[0].reason if raw.errors else ""
        if self._lost is None:
            self._lost = monotonic()
        if reason == self._reason:
            return None
        self._reason = reason
        error = error_of(_Failure(tuple(raw.errors)), self._call)
        LOG.warning("no events of %s/%s: %s", self._call.device, self.attribute, error)
        return TangoEvent(self._call.device, self.attribute, None, None, error, 0.0, self.proxy is None, raw)


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(np.all(one == other))
    except ValueError:  # arrays of different shapes
        return False


class _Failure(NamedTuple):
    args: tuple[Any, ...]
