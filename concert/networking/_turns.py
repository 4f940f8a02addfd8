"""Taking turns, for greenlets of the hub and native threads alike.

In a patched process ``threading.Lock`` is for greenlets only: shared with native threads it loses wake-ups, and raises
LoopExit in a greenlet that waits for a native thread while the hub has nothing else to do.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from concert.async_ import HAVE_GEVENT, shielded
from concert.async_._native import allocate_lock
from concert.async_._parking import ThreadWaiter, on_hub_thread

if HAVE_GEVENT:
    from gevent import get_hub, getcurrent


class Place:
    """A caller's place in the queue; a new one for every turn."""

    waiter: Any = None  # only of those who have to wait


class Turns:
    """Lets one caller in at a time, in the order in which they came::

        place = Place()
        try:
            turns.enter(place)
            ...
        finally:
            turns.leave(place)

    A context manager would look better, but ``leave`` may be called at any time and twice, which an interrupt that
    strikes just as it is called makes necessary.
    """

    def __init__(self) -> None:
        # Held for a few instructions and never across a switch, so it cannot stop the hub.
        self._guard = allocate_lock()
        self._queue: deque[Place] = deque()
        # Handed from one to the next, so that nobody can jump the queue.
        self._owner: Place | None = None

    @property
    def waiting(self) -> int:
        """How many callers wait for their turn."""
        return len(self._queue)

    def enter(self, place: Place) -> None:
        """Wait until it is the turn of *place*; once interrupted, only :meth:`leave` may follow.

        A future that was ended while its native thread waited here, which the thread cannot know, gets its kill
        instead of its turn: what it was about to do must not happen any more.
        """
        with self._guard:
            if self._owner is None:
                self._owner = place
            else:
                place.waiter = _GreenletWaiter() if on_hub_thread() else ThreadWaiter()
                self._queue.append(place)
        while self._owner is not place:
            place.waiter.sleep(None)
        with shielded():
            pass  # a kill that is due is raised at the end of the block

    def leave(self, place: Place) -> None:
        """Give the turn to the next one, or give up waiting for it; do nothing if that has happened already."""
        with self._guard:
            if self._owner is place:
                self._owner = self._queue.popleft() if self._queue else None
                if self._owner is not None:
                    self._owner.waiter.wake()
            elif place in self._queue:
                self._queue.remove(place)
            waiter, place.waiter = place.waiter, None
            if type(waiter) is _GreenletWaiter:
                waiter.close()


class _GreenletWaiter:
    """A greenlet that waits in the hub; :meth:`wake` may be called from any thread until it is closed."""

    def __init__(self) -> None:
        # Its being started also tells the hub that something may still happen.
        self._watcher = get_hub().loop.async_()
        self._watcher.start(getcurrent().switch)

    def sleep(self, _timeout: None) -> None:
        get_hub().switch()

    def wake(self) -> None:
        self._watcher.send()

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
