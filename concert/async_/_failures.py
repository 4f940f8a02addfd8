"""Failures of futures that nobody fetched: each is logged once and handed out once, none is lost."""

from __future__ import annotations

import atexit
import logging
import sys
import weakref
from collections import deque
from typing import NamedTuple

from concert.async_._native import members

LOG = logging.getLogger("concert.async")

KEPT = 1000  # of the failures whose futures are gone, these many wait to be asked for


class UnhandledFailure(NamedTuple):
    """The *exception* that ended the future called *name*."""

    name: str
    exception: BaseException


class Failure:
    """How a future failed. It belongs to the future alone, so it is dropped with it."""

    __slots__ = ("__weakref__", "exception", "fetched", "name", "traceback")

    def __init__(self, name: str, exception: BaseException) -> None:
        self.name = name
        self.exception = exception
        self.traceback = exception.__traceback__
        self.fetched = False
        _alive.add(self)

    def fetch(self) -> BaseException:
        """Return the exception, which from now on is somebody's responsibility."""
        self.fetched = True
        return self.exception.with_traceback(self.traceback)

    def report(self) -> UnhandledFailure:
        """Log the failure; it will not be reported again."""
        self.fetched = True
        LOG.error("%s failed and nobody asked for its result", self.name, exc_info=self.exception)
        return UnhandledFailure(self.name, self.exception)

    def __del__(self) -> None:
        if not self.fetched and not sys.is_finalizing():
            _dropped.append(self.report())


_alive: weakref.WeakSet[Failure] = weakref.WeakSet()
_dropped: deque[UnhandledFailure] = deque(maxlen=KEPT)


def unhandled() -> list[UnhandledFailure]:
    """Return the failures that nobody fetched since the last call, and log those that were not logged yet."""
    failures = [_dropped.popleft() for _ in range(len(_dropped))]
    failures += [failure.report() for failure in members(_alive) if not failure.fetched]
    return failures


# What is alive when the program ends would be dropped when nothing can be logged any more.
atexit.register(unhandled)
