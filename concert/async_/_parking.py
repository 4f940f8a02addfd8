"""Letting the running greenlet or native thread wait until a future is done.

Which of the two it is depends on who waits, not on what is waited for: code on the hub's thread must wait
cooperatively, code in any other thread may simply block.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from concert import _cooperative
from concert.async_._interrupts import MAIN_GREENLET, foreground, is_foreground_thread
from concert.async_._native import allocate_lock, thread_ident
from concert.async_._scope import running_future

if TYPE_CHECKING:
    from concert.async_._future import Future

if _cooperative.state.cooperative:
    from gevent import get_hub, getcurrent
    from gevent.exceptions import LoopExit

    hub = get_hub()
    HUB_THREAD = thread_ident()
else:
    hub = HUB_THREAD = None

# A signal that comes just before a native thread blocks does not wake it, so the foreground looks now and then.
HEARTBEAT = 0.1  # seconds

# Who waits for what, to find deadlocks: greenlet or thread identifier -> future.
waiting_for: dict[Any, Future] = {}


def on_hub_thread() -> bool:
    """Tell whether the running code shares its thread with the hub."""
    return thread_ident() == HUB_THREAD


def in_hub() -> bool:
    """Tell whether the running code is the hub's own, a signal handler or a callback, which cannot wait."""
    return on_hub_thread() and getcurrent() is hub


def strand() -> Any:
    """Return what identifies the running line of execution: its greenlet, or its thread's identifier."""
    ident = thread_ident()
    return getcurrent() if ident == HUB_THREAD else ident


def call_in_hub(function: Any, *args: Any) -> None:
    """Let the hub call *function* soon, from whatever thread this is called."""
    if on_hub_thread():
        hub.loop.run_callback(function, *args)
    else:
        hub.loop.run_callback_threadsafe(function, *args)


class ThreadWaiter:
    """A blocked native thread; :meth:`wake` may be called from anywhere, any number of times."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def sleep(self, timeout: float | None) -> None:
        """Block until woken, or for *timeout* seconds."""
        if timeout is None:
            self._lock.acquire()
        else:
            self._lock.acquire(True, max(0.0, min(timeout, 1e9)))

    def wake(self) -> None:
        """Let the thread go on."""
        try:
            self._lock.release()
        except RuntimeError:  # awake already
            pass


def park(future: Future, timeout: float | None) -> bool:
    """Wait until *future* is done or *timeout* seconds passed; return whether it is done."""
    if thread_ident() == HUB_THREAD:
        return _park_greenlet(future, timeout)
    return _park_thread(future, timeout)


def _park_greenlet(future: Future, timeout: float | None) -> bool:
    # Every assignment to a parameter comes through here: this is written for speed.
    me = getcurrent()
    if me is hub:
        raise RuntimeError(f"{future.name} cannot be waited for inside the hub")
    in_foreground = me is MAIN_GREENLET
    # A signal's handler may wait as well, while the code that it has interrupted begins to wait.
    interrupted, interrupted_waiter = waiting_for.get(me), foreground.waiter
    timer = None if timeout is None else _Timer(timeout, me)
    waiters = future._waiters
    waiters.append(me)
    waiting_for[me] = future
    if in_foreground:
        foreground.waiter = me
    try:
        worker = future._start_now()
        target = hub if worker is None else worker  # a fresh greenlet is false
        while not future._done and (timer is None or not timer.expired):
            if foreground.due and in_foreground:
                break
            try:
                target.switch()
            except LoopExit:
                _go_on_for_threads()
            target = hub
        if foreground.due and in_foreground:
            raise foreground.interruption()
    finally:
        if in_foreground:
            foreground.leave(interrupted_waiter)
        _go_back_to(interrupted, me)
        if timer is not None:
            timer.close()
        if waiters and me in waiters:
            waiters.remove(me)
    return future._done


def _go_back_to(interrupted: Future | None, me: Any) -> None:
    """Note that *me* waits no more, or again for what it was about to wait for when a signal came."""
    if interrupted is None:
        waiting_for.pop(me, None)
    else:
        waiting_for[me] = interrupted


class _Timer:
    """Switches to *waiter*, which waits, after some seconds."""

    __slots__ = ("_timer", "_waiter", "expired")

    def __init__(self, timeout: float, waiter: Any) -> None:
        self.expired = False
        self._waiter = waiter
        self._timer = hub.loop.timer(timeout)
        self._timer.start(self._expire)

    def _expire(self) -> None:
        self.expired = True
        self._waiter.switch()

    def close(self) -> None:
        self._timer.close()


def _go_on_for_threads() -> None:
    """Go on after a LoopExit: the hub sees nothing that could still happen, but it does not see native threads."""
    if len(sys._current_frames()) == 1:
        raise  # called while it is being handled
    listen_to_threads()


def listen_to_threads() -> None:
    """Keep the hub from concluding that nothing can happen any more: native threads are at work."""
    global _threads_watcher
    if _threads_watcher is None:
        _threads_watcher = hub.loop.async_()
        _threads_watcher.start(lambda: None)


_threads_watcher: Any = None


def _park_thread(future: Future, timeout: float | None) -> bool:
    deadline = None if timeout is None else monotonic() + timeout
    me = thread_ident()
    waiter = ThreadWaiter()
    interrupted, interrupted_waiter = waiting_for.get(me), foreground.waiter  # as above
    mine = running_future.get()
    waiters = future._waiters
    waiters.append(waiter)
    waiting_for[me] = future
    in_foreground = is_foreground_thread(me)
    if in_foreground:
        foreground.waiter = waiter
    try:
        future._start_now()
        with blocking(mine, waiter):
            while not future._done and not (foreground.due and in_foreground):
                if mine is not None:
                    mine._deliver_here()
                remaining = None if deadline is None else deadline - monotonic()
                if remaining is not None and remaining <= 0:
                    break
                if in_foreground:
                    remaining = HEARTBEAT if remaining is None else min(remaining, HEARTBEAT)
                waiter.sleep(remaining)
        if foreground.due and in_foreground:
            raise foreground.interruption()
    finally:
        if in_foreground:
            foreground.leave(interrupted_waiter)
        _go_back_to(interrupted, me)
        if waiter in waiters:
            waiters.remove(waiter)
    return future._done


@contextmanager
def blocking(future: Future | None, waiter: ThreadWaiter) -> Iterator[None]:
    """Mark the running thread as waiting: its pool may run others, and a kill of *future* wakes *waiter*."""
    if future is None:
        yield
        return
    future._enter_wait(waiter)
    try:
        yield
    finally:
        future._leave_wait()
