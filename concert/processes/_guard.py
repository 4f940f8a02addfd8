"""Watching one condition: is it all right, has it tripped, is it all right for long enough again?"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from random import random
from typing import TYPE_CHECKING, Any

from concert.async_ import Future, async_
from concert.async_._native import allocate_lock

if TYPE_CHECKING:
    from concert.processes._interlock import Interlock

LOG = logging.getLogger("concert.interlocks")

POLL = 0.05  # seconds between two looks, about
POLL_TRIPPED = 0.005  # the same after a trip: a short break must not be missed while it settles
LONGEST_REST = 0.5  # seconds between two looks at a slow source

OnTrip = Callable[["Interlock", str], Any]


class Guard:
    """Looks at the *interlock* when told to, each look a future of its own, and remembers what came of it.

    It trips with the first look that finds something wrong, and calls *on_trip*. It is clear again when every look
    during the settling time has found nothing; one that finds something wrong lets that time begin anew.
    """

    def __init__(self, interlock: Interlock, on_trip: OnTrip | None = None) -> None:
        self.interlock = interlock
        self._on_trip = on_trip
        self._lock = allocate_lock()  # looks may end in several threads at once
        self._closed = False
        self._look: Future | None = None
        self._asked = 0.0  # when the look in progress, or the last one, began
        self._next = 0.0  # when the next one is due
        self._again = False  # something has changed during the look in progress
        self.looked_at = -math.inf  # when the last look began that has ended; of a closed one, always
        self._tripped = False
        self._reason = ""  # what the last look found wrong
        self._right_since: float | None = None  # while tripped: since when looks find nothing wrong

    # -- looking ------------------------------------------------------------------------------------------------

    def look(self, _sender: Any = None) -> None:
        """Begin to look, unless a look is in progress; may be called by whoever knows that something has changed."""
        if self._closed or self._in_progress():
            self._again = True
            return
        self._again = False
        self._asked = time.monotonic()
        self._look = async_(self._evaluate)().detach()  # it is not over with the code that happened to ask for it
        self._look.label = f"look at {self.interlock.name}"

    def tend(self) -> None:
        """Do what is due: begin a look, or note that one takes too long."""
        now = time.monotonic()
        if not self._in_progress():
            if now >= self._next:
                self.look()
        elif now >= self._asked + self.interlock.timeout:
            self._note(now, f"{self.interlock.condition}: no answer for {now - self._asked:.1f} s")

    def due(self) -> float:
        """Return when to call :meth:`tend` again, at the latest."""
        if not self._in_progress():
            return self._next
        now = time.monotonic()
        return now + min(max(now - self._asked, POLL_TRIPPED / 10), POLL)  # most looks are over soon

    def close(self) -> None:
        """Stop looking; nothing is called any more. A look in progress is told to end, and not waited for."""
        with self._lock:
            self._closed = True
            self.looked_at = math.inf  # nobody is to wait for a look that does not come
        if self._look is not None:
            self._look.cancel(block=False)

    def _in_progress(self) -> bool:
        return self._look is not None and not self._look.done()

    def _evaluate(self) -> None:
        began = time.monotonic()
        reason = f"{self.interlock.condition} cannot be told: somebody ended the look at it"
        try:
            reason = self.interlock.condition.evaluate().reason
        finally:
            took = time.monotonic() - began
            if took > self.interlock.timeout:
                reason = f"{self.interlock.condition}: it took {took:.1f} s to answer"
            self._note(began, reason)
            self._next = 0.0 if self._again else began + took + self._rest(took)

    def _rest(self, took: float) -> float:
        """Return for how many seconds to leave the source alone: never regularly, lest flapping keeps in step."""
        usual = POLL_TRIPPED if self._tripped else POLL
        return max(usual * (0.5 + random()), min(10 * took, LONGEST_REST))

    # -- what was found -----------------------------------------------------------------------------------------

    def _note(self, began: float, reason: str) -> None:
        """Take down what a look that began at the time *began* has found wrong."""
        with self._lock:
            if self._closed:
                return
            trips = bool(reason) and not self._tripped
            self._reason = reason
            if reason:
                self._tripped = True
                self._right_since = None
            elif self._tripped:
                if self._right_since is None:
                    self._right_since = began
                self._tripped = began - self._right_since < self.interlock.settle
            self.looked_at = began
        if trips and self._on_trip is not None:
            self._tell(reason)

    def _tell(self, reason: str) -> None:
        assert self._on_trip is not None
        try:
            self._on_trip(self.interlock, reason)
        except Exception:  # the interlock has tripped, and stays so
            LOG.exception("what was to be done when %s tripped failed", self.interlock.name)

    def problem(self) -> str | None:
        """Return what is wrong, or that it is settling; None if nothing is."""
        with self._lock:
            if not self._tripped:
                return None
            if self._right_since is None:
                return self._reason
            left = max(self._right_since + self.interlock.settle - time.monotonic(), 0.0)
        return f"{self.interlock.name}: settling, {left:.1f} s left"
