"""Watching interlocks while something runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from concert.async_ import Future, async_, runtime
from concert.base import Condition
from concert.processes._guard import POLL, POLL_TRIPPED, Guard, OnTrip
from concert.processes._interlock import Interlock, interlock_of, let_kill_through, look_at

POLL_NOTHING = 0.25  # seconds between two looks whether there is something to watch now


class Watch:
    """Watches *interlocks* while the block runs, and calls *on_trip* with the interlock and the reason at every trip.

    *on_change* is called with the :meth:`problem` whenever that has changed.

    *interlocks* are conditions, functions or :class:`Interlock`\\ s. The collection may change meanwhile: what is added
    is watched, what is removed is not any more. A trip lasts until the condition has held for the settling time,
    however often it comes and goes in between. *on_trip* is called wherever the trip was found and should be quick.

    Entering looks at everything once, so what has tripped already is known, and told, then. Parameters are looked at
    whenever they were set, and everything many times a second. With the sync runtime nothing goes on by itself:
    everything is looked at when :meth:`problem` is asked. The watch goes on to the end of the block also when the code
    in it is killed: its cleanup may still move something.
    """

    def __init__(
        self,
        interlocks: Iterable[Interlock | Condition | Callable[[], Any]],
        on_trip: OnTrip | None = None,
        on_change: Callable[[str | None], Any] | None = None,
    ) -> None:
        # An iterator can be followed only once.
        self._interlocks = tuple(interlocks) if isinstance(interlocks, Iterator) else interlocks
        self._on_trip = on_trip
        self._on_change = on_change
        self._told: str | None = None  # the problem that was told last
        self._guards: dict[int, Guard] = {}  # by the identity of what they were made of
        self._sources: dict[int, Any] = {}  # keeps these identities from being used again
        self._monitor: Future | None = None
        self._closed = False

    def __enter__(self) -> Self:
        try:
            self._follow()
            look_at(list(self._guards.values()))
            if runtime() != "sync":
                self._monitor = async_(self._keep_looking)().detach()
                self._monitor.label = "watch of the interlocks"
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Stop watching; nothing is called any more."""
        self._closed = True
        if self._monitor is not None:
            self._monitor.cancel(block=False)
        for guard in self._guards.values():
            self._drop(guard)

    def problem(self, stopping_motion: bool = False) -> str | None:
        """Return what is wrong now, or what is settling and for how long; None if nothing is.

        With *stopping_motion* only those interlocks count that stop motion.
        """
        if self._monitor is None and not self._closed:
            self._follow()
            look_at(self._chosen(stopping_motion))
        chosen = self._chosen(stopping_motion)
        found = [problem for guard in chosen if (problem := guard.problem()) is not None]
        dead = self._monitor if self._monitor is not None and self._monitor.done() and not self._closed else None
        if dead is not None and (chosen or not stopping_motion):
            found.append(f"nobody watches the interlocks any more: {dead.exception()}")
        return "; ".join(found) or None

    def look(self, stopping_motion: bool = False) -> str | None:
        """Look now, not only when the next look is due, and return the :meth:`problem`."""
        if self._monitor is not None and (guards := self._chosen(stopping_motion)):
            look_at(guards)
        return self.problem(stopping_motion)

    def wait_until_clear(self) -> None:
        """Wait until every condition has held for its settling time without a break."""
        while self.problem() is not None:
            let_kill_through()
            time.sleep(self._until_next_look())

    def _chosen(self, stopping_motion: bool) -> list[Guard]:
        return [each for each in self._guards.values() if each.interlock.stop_motion or not stopping_motion]

    def _keep_looking(self) -> None:
        while not self._closed:
            self._follow()
            for guard in self._guards.values():
                guard.tend()
            self._tell_change()
            time.sleep(self._until_next_look())

    def _tell_change(self) -> None:
        problem = self.problem()
        if problem != self._told:
            self._told = problem
            if self._on_change is not None:
                self._on_change(problem)

    def _tripped(self, interlock: Interlock, reason: str) -> None:
        self._told = reason  # even if it is clear again before the next round, that is a change
        if self._on_trip is not None:
            self._on_trip(interlock, reason)

    def _until_next_look(self) -> float:
        """Return how many seconds to sleep: until a look is due, but not long, since anything may change."""
        if not self._guards:
            return POLL_NOTHING
        due = min(guard.due() for guard in self._guards.values())
        return min(max(due - time.monotonic(), POLL_TRIPPED / 10), POLL)

    def _follow(self) -> None:
        """Watch what is in the collection now."""
        sources = {id(each): each for each in self._interlocks}
        if sources.keys() == self._guards.keys():
            return
        guards = {key: self._guards.get(key) or self._begin(interlock_of(each)) for key, each in sources.items()}
        dropped = [guard for key, guard in self._guards.items() if key not in guards]
        self._sources, self._guards = sources, guards
        for guard in dropped:
            self._drop(guard)

    def _begin(self, interlock: Interlock) -> Guard:
        guard = Guard(interlock, self._tripped)
        for parameter in interlock.condition.parameters:
            parameter.subscribe(guard.look)
        return guard

    def _drop(self, guard: Guard) -> None:
        for parameter in guard.interlock.condition.parameters:
            parameter.unsubscribe(guard.look)
        guard.close()
