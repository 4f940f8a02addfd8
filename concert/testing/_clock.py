"""A virtual clock: it stands still while code runs, and jumps to the next wake-up when all code sleeps or waits.

Code that takes its time from the ``time`` module (``time.sleep``, ``time.monotonic``, ``time.time``) lives by it, in
whatever greenlet or thread; native threads that were there before are left alone. Sockets, locks and the time limits
of futures go by real time.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from typing import Any

from concert.async_._interrupts import MAIN_THREAD
from concert.async_._native import allocate_lock, thread_ident
from concert.async_._parking import ThreadWaiter, call_in_hub, hub, on_hub_thread, waiting_for
from concert.async_._pool import pool
from concert.quantities import seconds

if hub is not None:
    from gevent import getcurrent

TICK = 0.001  # seconds of real time between two looks at threads that are at work
PATIENCE = 50  # ticks after which such a thread is taken to wait for something unknown

_real_sleep = time.sleep
_real_monotonic = time.monotonic


class _Sleeper:
    """A greenlet, or a native thread with the waiter it blocks on, until it is *gone* from the clock."""

    __slots__ = ("gone", "greenlet", "thread", "waiter")

    def __init__(self, greenlet: Any, thread: int | None, waiter: ThreadWaiter | None) -> None:
        self.greenlet = greenlet
        self.thread = thread
        self.waiter = waiter
        self.gone = False


class Clock:
    """Virtual time, for as long as :func:`virtual_time` is in effect."""

    def __init__(self) -> None:
        self._now = 0.0
        self._origin = time.monotonic()
        self._origin_of_date = time.time()
        self._closed = False
        self._lock = allocate_lock()  # guards what follows
        self._sleepers: list[tuple[float, int, _Sleeper]] = []  # a heap
        self._numbers = 0
        self._asleep: set[int] = set()  # of the threads that are expected to do something
        self._woken: set[int] = set()  # of these, not awake yet
        self._ticks = 0  # in a row without a sign of life
        self._outsiders = set(sys._current_frames()) - pool.members - {thread_ident()}
        self._watch = _HubWatch(self) if hub is not None else None

    @property
    def now(self) -> float:
        """The virtual time since the clock was started, in seconds."""
        return self._now

    def advance(self, time: Any) -> None:
        """Let *time*, a quantity or a number of seconds, pass; what is due meanwhile happens in its order."""
        self.sleep(seconds(time))

    def monotonic(self) -> float:
        """Stand in for :func:`time.monotonic`."""
        return self._origin + self._now

    def time(self) -> float:
        """Stand in for :func:`time.time`."""
        return self._origin_of_date + self._now

    def sleep(self, seconds: float) -> None:
        """Stand in for :func:`time.sleep`."""
        if not math.isfinite(seconds):
            raise ValueError(f"expected a finite number of seconds to sleep, not {seconds}")
        thread = thread_ident()
        if self._closed or thread in self._outsiders or seconds <= 0:
            _real_sleep(seconds)
        elif on_hub_thread():
            self._sleep_in_greenlet(self._now + seconds)
        else:
            self._sleep_in_thread(self._now + seconds, thread)

    def close(self) -> None:
        """Let all who sleep go on; from now on sleeping takes real time."""
        self._closed = True
        with self._lock:
            sleepers, self._sleepers = self._sleepers, []
        for _, _, sleeper in sleepers:
            if sleeper.waiter is not None:
                sleeper.gone = True
                sleeper.waiter.wake()
            else:
                call_in_hub(_switch_to, sleeper)

    def _sleep_in_greenlet(self, wakeup: float) -> None:
        sleeper = _Sleeper(getcurrent(), None, None)
        self._add(wakeup, sleeper)
        try:
            while not sleeper.gone:
                hub.switch()
        finally:
            sleeper.gone = True

    def _sleep_in_thread(self, wakeup: float, thread: int) -> None:
        waiter = ThreadWaiter()
        sleeper = _Sleeper(None, thread, waiter)
        self._add(wakeup, sleeper)
        try:
            while not sleeper.gone:
                greenlet = self.jump()
                if greenlet is not None:
                    call_in_hub(_switch_to, greenlet)
                # In a cooperative process the hub keeps watch, else those who sleep do.
                waiter.sleep(None if self._watch is not None else TICK * len(self._sleepers))
                if not sleeper.gone:
                    self.tick()
        finally:
            sleeper.gone = True
            self._asleep.discard(thread)
            self._woken.discard(thread)

    def _add(self, wakeup: float, sleeper: _Sleeper) -> None:
        thread = sleeper.thread
        with self._lock:
            self._numbers += 1
            heappush(self._sleepers, (wakeup, self._numbers, sleeper))
            if thread is not None and (thread in pool.members or thread == MAIN_THREAD):
                self._asleep.add(thread)
            self._ticks = 0
        if self._watch is not None:
            self._watch.begin()

    def tick(self) -> None:
        """Note that some real time has passed in vain; on a busy computer threads may take long to wake up."""
        self._ticks = 0 if self._woken else self._ticks + 1

    def needed(self) -> bool:
        """Tell whether anybody sleeps, or may soon."""
        return not self._closed and (bool(self._sleepers) or pool.at_work > 0)

    def jump(self) -> _Sleeper | None:
        """Jump to the next wake-up if all rest: wake a thread, or return a greenlet for the hub to switch to."""
        with self._lock:
            if not self._all_rest():
                return None
            while self._sleepers:
                wakeup, _, sleeper = heappop(self._sleepers)
                if not sleeper.gone:
                    self._now = wakeup
                    self._ticks = 0
                    return self._wake(sleeper)
            return None

    def _wake(self, sleeper: _Sleeper) -> _Sleeper | None:
        if sleeper.waiter is None or sleeper.thread is None:
            assert self._watch is not None
            self._watch.resting = False
            return sleeper
        # From here on it counts as being at work, even if it takes a while to go on.
        sleeper.gone = True
        self._asleep.discard(sleeper.thread)
        self._woken.add(sleeper.thread)
        sleeper.waiter.wake()
        return None

    def _all_rest(self) -> bool:
        if self._ticks >= PATIENCE:
            return True
        if self._watch is not None:
            main_rests = self._watch.resting
        else:
            main_rests = MAIN_THREAD in self._asleep or MAIN_THREAD in waiting_for
        at_work = pool.at_work - len(self._asleep) + (MAIN_THREAD in self._asleep)
        # Who waits for a future that is done is about to go on.
        return main_rests and at_work <= 0 and not any(future.done() for future in waiting_for.copy().values())


class _HubWatch:
    """Lets a clock jump when the hub has nothing to do."""

    def __init__(self, clock: Clock) -> None:
        self.resting = False
        self._clock = clock
        self._on = False
        self._idle = hub.loop.idle()
        self._check = hub.loop.check()
        self._timer = hub.loop.timer(TICK, TICK)  # repeating: one that has fired cannot be started again

    def begin(self) -> None:
        """Keep watch until nobody sleeps; may be called from any thread."""
        if not self._on:
            self._on = True
            call_in_hub(self._wait_for_rest)

    def _wait_for_rest(self) -> None:
        self._idle.start(self._at_rest)

    def _at_rest(self) -> None:
        # The loop calls this when no callback, timer or socket is due.
        self.resting = True
        greenlet = self._clock.jump()
        if greenlet is not None:
            _switch_to(greenlet)
        elif not self._clock.needed():
            self._end()
        else:
            self._wait_for_threads()

    def _wait_for_threads(self) -> None:
        """Let the loop wait, and look again when something has happened, or after a tick."""
        self._idle.stop()
        self._check.start(self._awake, _real_monotonic())
        self._timer.again(_nothing, update=True)

    def _awake(self, since: float) -> None:
        self.resting = False
        self._check.stop()
        self._timer.stop()
        if _real_monotonic() - since >= TICK:
            self._clock.tick()
        self._wait_for_rest()

    def _end(self) -> None:
        self.resting = False
        self._idle.stop()
        self._on = False
        if self._clock.needed():  # since the last look
            self.begin()


def _nothing() -> None:
    """Be called by a timer that only has to wake the loop."""


def _switch_to(sleeper: _Sleeper) -> None:
    """Let a greenlet go on; runs in the hub."""
    if not sleeper.gone:
        sleeper.gone = True
        sleeper.greenlet.switch()


@contextmanager
def virtual_time() -> Iterator[Clock]:
    """Put a virtual clock behind the functions of the ``time`` module while the block runs."""
    real = time.sleep, time.monotonic, time.time
    clock = Clock()
    time.sleep, time.monotonic, time.time = clock.sleep, clock.monotonic, clock.time  # type: ignore[assignment]
    try:
        yield clock
    finally:
        time.sleep, time.monotonic, time.time = real
        clock.close()
