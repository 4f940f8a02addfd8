"""Ctrl-C: what a press does, and code that it must not cut short.

A press is for the foreground: what the main greenlet (without gevent: the main thread) is doing. While it waits for
futures, the wait ends, the futures it started are cancelled, and only then :exc:`KeyboardInterrupt` is raised. Inside
:func:`shielded` a first press (or kill) is kept for the end, a second one is held back, a third one gets through.

Who is to end the whole process presses as well, with the :exc:`SystemExit` that is then raised instead: that is never
lost, however long it is held back.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from concert import _cooperative
from concert.async_._native import thread_ident
from concert.async_._scope import current_command, running_future

if TYPE_CHECKING:
    from concert.async_._future import Future

GETS_THROUGH = 3  # this many presses or kills end even a cleanup

if _cooperative.state.cooperative:
    from gevent import get_hub, getcurrent

    hub = get_hub()
    MAIN_GREENLET = hub.parent
else:
    hub = MAIN_GREENLET = None

MAIN_THREAD = thread_ident() if threading.current_thread() is threading.main_thread() else None


class Foreground:
    """What a press finds: the main greenlet or thread, waiting or not, shielded or not."""

    def __init__(self) -> None:
        self.waiter: Any = None  # the greenlet or ThreadWaiter while parked
        self.shields = 0
        self.presses = 0  # noted and not delivered
        self.due = False  # a press that ends the wait in progress
        self.unanswered = 0  # further presses because that did not happen
        self.ended: list[Future] = []  # what presses have begun to end; whoever is interrupted waits for it
        self.delivered: int | None = None  # presses for the shell's present command; None where there is no shell
        self.end: BaseException | None = None  # what is to end the process, and was not raised yet

    def interruption(self) -> BaseException:
        """Return what to raise now because of a press."""
        end, self.end = self.end, None
        return KeyboardInterrupt() if end is None else end

    def leave(self, interrupted: Any = None) -> None:
        """Note that a wait is over; *interrupted* is who waits in the code that has made it in a signal's handler."""
        self.waiter = interrupted
        self.due = False
        self.unanswered = 0

    def press(self, end: BaseException | None = None) -> None:
        """Do what Ctrl-C asks for, or raise *end* instead; called by a signal's handler, whatever code is running."""
        if end is not None:
            self.end = end
        if self.shields:
            self.presses += 1
            if self.presses < GETS_THROUGH:
                return
        if self.waiter is not None:
            self.unanswered += self.due
            if self.unanswered >= GETS_THROUGH - 1:
                raise self.interruption()  # in whatever keeps the hub from running
            self.due = True
            self._wake()
            _stop_busy_code()
        elif _is_cleaning_up() or self._command_is_cleaning_up():
            pass
        elif hub is not None and getcurrent() is not MAIN_GREENLET:
            # The main greenlet waits in something that is not ours; other greenlets have done nothing wrong.
            hub.loop.run_callback_threadsafe(self._throw_in_hub)
        else:
            raise self.interruption()

    def _command_is_cleaning_up(self) -> bool:
        """Count a press for the shell's command; tell whether it is the second, which is held back."""
        if self.delivered is None:
            return False
        self.delivered += 1
        return self.delivered == GETS_THROUGH - 1

    def _throw_in_hub(self) -> None:
        # It may have gone on since, to a wait of ours or to a cleanup.
        if self.shields or self.waiter is not None:
            self.press()
        else:
            MAIN_GREENLET.throw(self.interruption())

    def _wake(self) -> None:
        if hub is not None:
            hub.loop.run_callback_threadsafe(self._wake_in_hub)
        elif self.waiter is not None:
            self.waiter.wake()

    def _wake_in_hub(self) -> None:
        # It may have gone on since; a stray switch would hit whatever it waits for now.
        if self.due and self.waiter is not None:
            self.waiter.switch()


foreground = Foreground()


def is_foreground_thread(ident: int) -> bool:
    """Tell whether the native thread is the foreground: the main thread where nothing is cooperative."""
    return hub is None and ident == MAIN_THREAD


def _stop_busy_code() -> None:
    """End, right here, code of the foreground that does not let the hub run, and so cannot be told otherwise."""
    future = running_future.get()
    top = _top_of_command(future)
    if future is not None and top is not None:
        top._end(None, foreground.ended)
        future._deliver_here()


def _is_cleaning_up() -> bool:
    """Count a press for a synchronous call in the main greenlet; tell whether it is the second, which is held back."""
    context = None if MAIN_GREENLET is None else MAIN_GREENLET.gr_context
    top = _top_of_command(running_future.get() if context is None else context.get(running_future))
    if top is None:
        return False
    top._kills += 1
    return top._kills == GETS_THROUGH - 1


def _top_of_command(future: Future | None) -> Future | None:
    """Return what the current command itself started, and *future* is a part of."""
    top: Future | None = None
    owner: Any = future
    while owner is not None and owner is not current_command():
        top, owner = owner, getattr(owner, "_owner", None)
    return None if owner is None else top


def in_foreground() -> bool:
    """Tell whether the running code is the foreground's."""
    if hub is not None:
        return getcurrent() is MAIN_GREENLET
    return thread_ident() == MAIN_THREAD


def shielded() -> AbstractContextManager[None]:
    """Let the block finish: a kill or Ctrl-C that comes meanwhile takes effect at its end.

    For cleanup that must not be cut short. A second one is held back as well, a third one gets through.
    """
    return _shield(interrupted=False)


def shielded_cleanup() -> AbstractContextManager[None]:
    """Shield the cleanup after an interrupt: like :func:`shielded` after its first kill or press."""
    return _shield(interrupted=True)


@contextmanager
def _shield(interrupted: bool) -> Iterator[None]:
    future = running_future.get()
    if in_foreground():
        with _shielded_foreground(int(interrupted)):
            yield
    elif future is not None:
        future._shields += 1
        try:
            yield
        finally:
            future._shields -= 1
            if not (interrupted or future._shields):
                future._deliver_here()
    else:
        yield


@contextmanager
def _shielded_foreground(presses: int) -> Iterator[None]:
    outermost = not foreground.shields
    if outermost:
        foreground.presses = presses
    foreground.shields += 1
    try:
        yield
    finally:
        foreground.shields -= 1
        if outermost:
            noted, foreground.presses = foreground.presses - presses, 0
            if noted and (foreground.end is not None or not presses):
                raise foreground.interruption()


def _on_sigint(_signum: int, _frame: Any) -> None:
    foreground.press()


def take_over() -> None:
    """Handle SIGINT as described above, whoever handles it now: a command of a shell begins."""
    foreground.delivered = 0
    signal.signal(signal.SIGINT, _on_sigint)
    if hub is not None:
        watch_signals()


def ignore() -> None:
    """Let presses do nothing: no command is running, and nobody is at the prompt yet."""
    foreground.delivered = None
    signal.signal(signal.SIGINT, lambda _signum, _frame: None)


def command_runs() -> bool:
    """Tell whether a press would be for a command, or a script, and not for somebody at a prompt."""
    return signal.getsignal(signal.SIGINT) is _on_sigint


def press() -> None:
    """Do as if Ctrl-C were pressed, if a command runs."""
    if command_runs():
        foreground.press()


def install() -> None:
    """Handle SIGINT as described above, if nobody else handles it yet and this is the main thread."""
    if MAIN_THREAD is None or thread_ident() != MAIN_THREAD:
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _on_sigint)
    if hub is not None:
        watch_signals()


_wakeup: tuple[Any, int] | None = None


def watch_signals() -> None:
    """Wake the hub when a signal arrives.

    A signal that comes just before the hub goes to sleep would otherwise wait for the next timer. An asyncio loop
    (the shell's prompt runs one) takes the wake-up descriptor for itself; call this again when it is over.
    """
    global _wakeup
    if _wakeup is None:
        reader, writer = os.pipe()
        for descriptor in (reader, writer):
            os.set_blocking(descriptor, False)
        watcher = hub.loop.io(reader, 1, ref=False)
        watcher.start(_drain, reader)
        _wakeup = (watcher, writer)
    signal.set_wakeup_fd(_wakeup[1], warn_on_full_buffer=False)


def _drain(reader: int) -> None:
    try:
        os.read(reader, 4096)
    except BlockingIOError:
        pass
