"""Ending in good order when the process is told to end: cleanup is done, as after Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from concert.async_._interrupts import foreground

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_good_order() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a terminal that is closed, end the block by :exc:`SystemExit`.

    They are held back by a cleanup as Ctrl-C is, but end the process after it in any case.
    """
    before = {number: signal.signal(number, _end) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        end_if_told()


def end_if_told() -> None:
    """Raise what is to end the process, if a cleanup that is over has held it back."""
    if foreground.end is not None:
        raise foreground.interruption()


def _end(number: int, _frame: Any) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # once is enough: what follows is cleanup
    foreground.press(SystemExit(128 + number))  # what shells expect of a program that a signal has ended
