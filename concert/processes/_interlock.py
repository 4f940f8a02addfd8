"""Interlocks: conditions that must hold while a scan runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from concert.async_._scope import running_future
from concert.base import Condition
from concert.base._condition import condition_of
from concert.processes._guard import POLL, Guard
from concert.quantities import q, seconds


class Interlock:
    """A *condition* that must hold while a scan runs: if it does not, the scan pauses before its next point.

    *condition* is a :class:`.Condition` or a function without arguments. The scan goes on when the condition has held
    for the time *settle* without a break. With *stop_motion* what moves is stopped at once, and the interrupted point
    is measured again. *name* is what messages call it, by default the condition itself. A source that fails, cannot be
    reached, or gives no answer within the time *timeout* counts as a condition that does not hold.
    """

    def __init__(
        self,
        condition: Condition | Callable[[], Any],
        settle: Any = 1 * q.s,
        stop_motion: bool = False,
        name: str | None = None,
        timeout: Any = 2 * q.s,
    ) -> None:
        self.condition = condition_of(condition)
        self.settle = seconds(settle)
        self.stop_motion = bool(stop_motion)
        self.name = name or str(self.condition)
        self.timeout = seconds(timeout)
        #: What tells a function without a name from another one that is called the same.
        self.code = getattr(condition, "__code__", None) if name is None and _is_lambda(condition) else None

    def problem(self) -> str | None:
        """Look now: return None, or what is wrong as a sentence."""
        return problems([self])[0]

    def __repr__(self) -> str:
        return f"<Interlock {self.name}>"


def _is_lambda(condition: Any) -> bool:
    return getattr(condition, "__name__", "") == "<lambda>"


def problems(interlocks: list[Interlock]) -> list[str | None]:
    """Look at the *interlocks* now, at all of them at the same time: return what is wrong with each, or None."""
    guards = [Guard(interlock) for interlock in interlocks]
    try:
        look_at(guards)
        return [guard.problem() for guard in guards]
    finally:
        for guard in guards:
            guard.close()


def look_at(guards: list[Guard]) -> None:
    """Let every one of *guards* look from now on, and wait until it has, or has tripped because that takes too long."""
    pause = 0.0
    began = time.monotonic()
    for guard in guards:
        guard.look()
    while not all(guard.looked_at >= began for guard in guards):
        for guard in guards:
            guard.tend()
        let_kill_through()
        time.sleep(pause)
        pause = min(pause + 0.001, POLL)


def interlock_of(what: Interlock | Condition | Callable[[], Any]) -> Interlock:
    """Return *what* as an interlock; a condition, or a function, becomes one that has the usual settling time."""
    return what if isinstance(what, Interlock) else Interlock(what)


def let_kill_through() -> None:
    """Raise a kill of the running code that is due: a native thread that sleeps does not notice one by itself."""
    future = running_future.get()
    if future is not None:
        future._deliver_here()
