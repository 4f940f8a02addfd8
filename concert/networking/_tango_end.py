"""The end of a process in which Tango calls and subscriptions are under way.

A thread that comes back from C++ to an interpreter on its way down is ended in the middle of that, and the process with
it: SIGABRT. So everything is brought to its end first.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakSet

from concert.async_._native import allocate_lock, native_sleep

if TYPE_CHECKING:
    from concert.networking._tango_errors import Call
    from concert.networking._tango_events import TangoSubscription

LOG = logging.getLogger("concert.networking")

LAST_WAIT = 5.0  # seconds that the end of the process waits for calls under way

_calls: list[Call] = []
_registered = False
_ending = False

subscriptions: WeakSet[TangoSubscription] = WeakSet()  # which Tango was told of


def end_well() -> None:
    """Let the process end well; to be called when Tango has been imported, for what it does itself comes later then."""
    global _registered
    if not _registered:
        _registered = True
        atexit.register(_end)


@contextmanager
def under_way(call: Call) -> Iterator[None]:
    """Note that a native thread is busy with *call* while the block runs; at the end of the process begin nothing."""
    _calls.append(call)
    try:
        if _ending:
            _calls.remove(call)
            _wait_for_the_end()
        yield
    finally:
        _calls.remove(call)


def _wait_for_the_end() -> None:
    lock = allocate_lock()
    lock.acquire()
    lock.acquire()


def _end() -> None:
    global _ending
    _ending = True
    for subscription in list(subscriptions):
        subscription.end_now()
    deadline = monotonic() + LAST_WAIT
    while _calls:
        if monotonic() > deadline:
            call = _calls[0]
            LOG.warning("ended at once, for %s has not answered while %s", call.device, call.doing)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
        native_sleep(0.01)
