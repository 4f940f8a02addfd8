"""Answers of devices that are all asked at the same time, and have so long together."""

from __future__ import annotations

import time

from concert.async_ import Future

ANSWER_TIME = 2.0  # seconds that all devices together have to answer


class NoAnswer(Exception):
    """A device has not answered in time."""


def deadline() -> float:
    """Return until when, on the monotonic clock, those have time to answer who are asked now."""
    return time.monotonic() + ANSWER_TIME


def failure_of(read: Future, until: float) -> BaseException | None:
    """Wait for *read*, and return what it has failed with, None if there is an answer.

    It is cancelled if it has not ended at the time *until*, and that is a :exc:`NoAnswer`.
    """
    try:
        return read.exception(max(0.0, until - time.monotonic()))
    except TimeoutError:
        read.cancel(block=False)
        return NoAnswer(f"no answer within {ANSWER_TIME:g} s")
