"""How long a call may take."""

from __future__ import annotations

from typing import Any

from concert.quantities import seconds


def checked_timeout(timeout: Any) -> float:
    """Return *timeout*, a quantity or a number of seconds, in seconds; raise :exc:`ValueError` if there is none."""
    time = seconds(timeout)
    if not time:
        raise ValueError("expected a timeout longer than 0 s")
    return time
