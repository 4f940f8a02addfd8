"""What devices answer, as text for tables: they may fail, and they may not answer at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from concert.async_ import Future
from concert.quantities import shown

ANSWER_TIME = 5.0  # seconds that a device has to answer before its row says that it does not


def answer(read: Future, show: Callable[[Any], str] = shown) -> str:
    """Return what a reading gave as text for a table, or why it gave nothing within :data:`ANSWER_TIME`.

    *show* makes text of what is no text.
    """
    try:
        value = read.result(timeout=ANSWER_TIME)
        return value if isinstance(value, str) else show(value)
    except TimeoutError as error:
        if not read.done():
            read.cancel(block=False)
            return f"no answer within {ANSWER_TIME:g} s"
        return f"{type(error).__name__}: {error}"
    except Exception as error:  # whatever is wrong with one device, the others are shown
        return f"{type(error).__name__}: {error}"
