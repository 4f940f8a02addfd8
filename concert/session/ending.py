"""Ending in good order when the process is told to end: cleanup is done, as after Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from concert.async_._interrupts import MAIN_GREENLET, hub

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_good_order() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end the block by :exc:`SystemExit`."""
    before = {number: signal.signal(number, _end) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: Any) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # once is enough: what follows is cleanup
    end = SystemExit(128 + number)  # what shells expect of a program that a signal has ended
    if hub is None:
        raise end
    # Not in whatever greenlet the signal happens to find: the main one waits for all that was started.
    hub.loop.run_callback_threadsafe(MAIN_GREENLET.throw, end)
