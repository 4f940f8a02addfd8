"""The future: what an asynchronous call gives back, whichever runtime runs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from typing import Any

from concert.async_ import _parking, _scope
from concert.async_._failures import Failure
from concert.async_._interrupts import GETS_THROUGH, foreground, in_foreground, shielded_cleanup
from concert.async_._native import HAVE_GEVENT, KillException
from concert.async_._scope import Command, Owner, current_command, running_future
from concert.quantities import seconds

if HAVE_GEVENT:
    from gevent import Timeout as GeventTimeout
    from gevent.exceptions import LoopExit
else:
    GeventTimeout = LoopExit = ()  # type: ignore[assignment,misc]

LOG = logging.getLogger("concert.async")


class Future:
    """The running, or finished, call of an asynchronous function.

    :attr:`cancel_operation` may be assigned a function without arguments. It is called, once, when the future is
    cancelled or killed before its code has finished: a motor's stop, for example.
    """

    # Defaults live on the class: most futures never need most of these.
    cancel_operation: Callable[[], Any] | None = None
    advice = ""  # what one can do who waits for what it holds
    held_up = False  # whether it waits, before it begins, for what somebody else holds
    label: str | None = None  # what messages call it, if not by its function's name
    progress: float | None = None  # the part of it that is done, 0 to 1, if its code has told
    _done = False
    _started = False
    _value: Any = None
    _failure: Failure | None = None  # how the code failed
    _killed: BaseException | None = None  # what it was cancelled or killed with
    _kills = 0
    _delivered = 0  # so many of the kills were thrown, or need not be
    _shields = 0
    _operation: Future | None = None
    _callbacks: list[Callable[[Future], Any]] | None = None
    _children: set[Future] | None = None
    _strand: Any = None  # the greenlet or the identifier of the thread that the code runs in

    def __init__(self, function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> None:
        self._function = function
        self._args = args
        self._kwargs = kwargs
        self._waiters: list[Any] = []
        self._context: Context | None = copy_context()
        parent = running_future.get()
        self._owner: Owner | None = parent or current_command()
        if parent is not None:
            if not parent._done:
                if parent._children is None:
                    parent._children = set()
                parent._children.add(self)
            elif parent._kill_is_due():
                # A thread whose call was cancelled, and which has not noticed yet, must not move anything any more.
                self._killed = parent._killed
                self._finish(None, None)
        elif _scope.on_command_future is not None:
            _scope.on_command_future(self)

    # -- what happened ------------------------------------------------------------------------------------------

    def result(self, timeout: Any = None) -> Any:
        """Wait until the code has finished and return what it returned, or raise what it raised.

        *timeout* is a time, as a quantity or in seconds; when it passes, :exc:`TimeoutError` is raised and the code
        goes on. After :meth:`cancel` or :meth:`kill` raise :exc:`.KillException` or the exception given there.
        """
        if not self._done:
            self._wait(timeout)
        if self._killed is None and self._failure is None:
            return self._value
        try:
            raise self._exception()
        finally:
            self = None  # type: ignore[assignment]  # the traceback must not keep the future alive

    def join(self, timeout: Any = None) -> Future:
        """Wait as :meth:`result` does, raise what happened, and return the future itself."""
        try:
            self.result(timeout)
            return self
        finally:
            self = None  # type: ignore[assignment]  # as above

    def exception(self, timeout: Any = None) -> BaseException | None:
        """Wait as :meth:`result` does and return what it would raise, or None."""
        if not self._done:
            self._wait(timeout)
        return None if self._killed is None and self._failure is None else self._exception()

    def _exception(self) -> BaseException:
        if self._killed is not None:
            # Killed together with the code that asks: that code's own kill goes first, or it would hit its cleanup.
            asking = running_future.get()
            if asking is not None:
                asking._deliver_here()
            # Without what it has collected where it was raised before, which would grow.
            return self._killed.with_traceback(None)
        assert self._failure is not None
        return self._failure.fetch()

    def done(self) -> bool:
        """Tell whether the code has finished, in whatever way, or will never run."""
        return self._done

    def running(self) -> bool:
        """Tell whether the code has started and not finished."""
        return self._started and not self._done

    def cancelled(self) -> bool:
        """Tell whether the future was ended by :meth:`cancel` or :meth:`kill`."""
        return self._done and self._killed is not None

    def add_done_callback(self, callback: Callable[[Future], Any]) -> None:
        """Call *callback* with the future when it is done, or now if it is; a failing callback is logged."""
        # Setting and popping are atomic: threads may meet here, and each callback is called once.
        self.__dict__.setdefault("_callbacks", []).append(callback)
        if self._done:
            self._run_callbacks()

    @property
    def name(self) -> str:
        """What messages call the future: its label, what its object says, or its function's name."""
        function = self._function
        described = self.label or getattr(getattr(function, "__self__", None), "call_name", None)
        return described or getattr(function, "__qualname__", None) or repr(function)

    def __repr__(self) -> str:
        if not self._done:
            what = "running" if self._started else "waiting to start"
        elif self._killed is not None:
            what = f"ended with {type(self._killed).__name__}"
        elif self._failure is not None:
            what = f"failed: {type(self._failure.exception).__name__}: {self._failure.exception}"
        else:
            what = "done"
        return f"<{self.name}: {what}>"

    # -- ending it ----------------------------------------------------------------------------------------------

    def cancel(self, block: bool = True) -> None:
        """End the code with a :exc:`.KillException` and start :attr:`cancel_operation`; do nothing when done.

        The futures that the code had started are cancelled as well. Return when all of it has ended, or at once
        without *block*. Code that is cleaning up is not cut short by a second call; a third one gets through.
        """
        self.kill(None, block)

    def kill(self, exception: BaseException | type[BaseException] | None = None, block: bool = True) -> None:
        """Do as :meth:`cancel`, but let *exception* be what ends the code and what :meth:`result` raises."""
        if isinstance(exception, type):
            exception = exception()
        ended: list[Future] = []
        self._end(exception, ended)
        running = running_future.get()
        if running is not None and (running is self or running in ended):
            running._deliver_here()  # it would wait for its own end
        elif block:
            for future in ended:
                future._wait_until_done()

    def belongs_to(self, ancestor: Any) -> bool:
        """Tell whether this is *ancestor*, or was started by it or what that has started."""
        future: Any = self
        while isinstance(future, Future):
            if future is ancestor:
                return True
            future = future._owner
        return False

    def detach(self) -> Future:
        """Let the future go on when the code that started it is killed or interrupted; return the future."""
        owner, self._owner = self._owner, None
        if isinstance(owner, Future) and owner._children is not None:
            owner._children.discard(self)
        return self

    # -- for the runtimes ---------------------------------------------------------------------------------------

    def _launch(self) -> None:
        """Let the code start as soon as it may."""
        raise NotImplementedError

    def _start_now(self) -> Any:
        """Start the code, if it has not started, for somebody who is about to wait; maybe return what to run."""
        return None

    def _end(self, exception: BaseException | None, ended: list[Future]) -> None:
        """Begin to end the code and what it started; append to *ended* what to wait for."""
        raise NotImplementedError

    def _kill_is_due(self) -> bool:
        """Tell whether a kill should be thrown into the code now: the first one, and those that get through."""
        if self._done or self._delivered == self._kills:
            return False
        return self._kills >= GETS_THROUGH or (self._delivered == 0 and not self._shields)

    def _deliver_here(self) -> None:
        """Raise a kill that is due, in the future's own code."""
        if self._kill_is_due():
            self._delivered = self._kills
            assert self._killed is not None
            raise self._killed

    def _enter_wait(self, waiter: _parking.ThreadWaiter) -> None:
        """Note that the code's native thread is about to block on *waiter*."""

    def _leave_wait(self) -> None:
        """Note that the code's native thread goes on."""

    def _start_operation(self, operation: Callable[[], Any]) -> Future:
        future = type(self)(operation, (), {}).detach()
        future.label = f"the cancel operation of {self.name}"
        future._launch()
        return future

    def _finish(self, value: Any, exception: BaseException | None) -> None:
        """Mark the future as done, with no chance for anything else to run in between."""
        if self._killed is None:
            self._value = value
            if isinstance(exception, KillException):
                self._killed = exception
            elif exception is not None:
                self._failure = Failure(self.name, exception)
        elif exception is not None and exception is not self._killed and not isinstance(exception, KillException):
            LOG.error("%s failed while it was being ended", self.name, exc_info=exception)
        self._done = True
        self._args = self._kwargs = self._context = None  # type: ignore[assignment]
        owner = self._owner
        if owner.__class__ is not Command and owner is not None:
            siblings = owner._children  # type: ignore[union-attr]
            if siblings is not None:
                siblings.discard(self)
        if self._children:
            for child in list(self._children):
                child._owner = owner
            self._children = None

    def _run_callbacks(self) -> None:
        while self._callbacks:
            try:
                callback = self._callbacks.pop(0)
            except IndexError:
                return
            try:
                callback(self)
            except (Exception, KillException) as error:  # a kill of something that the callback waited for
                caller = running_future.get()
                if caller is not None and caller is not self and caller._killed is error:
                    raise  # or of the code that runs it
                LOG.exception("the callback %r of %s failed", callback, self.name)

    def _wake_waiters(self) -> None:
        greenlets = False
        for waiter in tuple(self._waiters):
            if type(waiter) is _parking.ThreadWaiter:
                waiter.wake()
            else:
                greenlets = True
        if greenlets:
            _parking.call_in_hub(self._switch_to_waiters)

    def _switch_to_waiters(self) -> None:
        # A greenlet is listed only while it waits for this future, so the switch cannot hit anything else.
        for waiter in tuple(self._waiters):
            if type(waiter) is not _parking.ThreadWaiter and waiter in self._waiters:
                self._waiters.remove(waiter)
                waiter.switch()

    def _wait(self, timeout: Any) -> None:
        limit = None if timeout is None else seconds(timeout)
        try:
            in_time = _parking.park(self, limit)
        except BaseException as interruption:
            give_up([self], interruption)
            raise
        if not in_time:
            raise TimeoutError(f"{self.name} has not finished within {limit:g} s")

    def _wait_until_done(self) -> None:
        if not self._done:
            _parking.park(self, None)


def give_up(futures: Iterable[Future], interruption: BaseException) -> None:
    """After a wait for *futures* was interrupted: cancel those that the same code had started, and wait for their end.

    A wait that has merely lasted too long changes nothing.
    """
    if isinstance(interruption, (TimeoutError, GeventTimeout, LoopExit)):
        return
    owner = running_future.get() or current_command()
    mine = [future for future in futures if not future._done and future._owner is owner]
    ended: list[Future] = []
    if in_foreground():
        ended, foreground.ended = foreground.ended, []
    with shielded_cleanup():
        try:
            for future in mine:
                if not future._kills:
                    future._end(None, ended)
                else:  # killed together with this code
                    ended.append(future)
            for future in ended:
                future._wait_until_done()
            if mine or ended:  # for who tells people what was stopped; a thread's future is done when it is told to end
                interruption.ended = tuple(dict.fromkeys((*mine, *ended)))  # type: ignore[attr-defined]
        except BaseException:
            # Interrupted once too often: cut the cleanups short and go.
            for future in mine:
                while not future._done and future._kills < GETS_THROUGH:
                    future._end(None, [])
            raise
