"""Exclusive access to a device or one of its parameters, for one line of work and the futures it starts.

Holding is inherited through the context: what is started inside ``with device:`` may write to the device, everybody
else waits. Who would wait forever, because the holder waits for something that the caller holds, is told so.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from concert.async_ import Future
from concert.async_._native import allocate_lock
from concert.async_._parking import park, strand, waiting_for
from concert.async_._scope import running_future
from concert.base._errors import DeadlockError, LockError

T = TypeVar("T")

RECHECK = 0.25  # seconds: a deadlock may be closed by somebody who begins to wait later than we did

_guard = allocate_lock()  # held for a few dictionary operations, never while waiting


class Hold:
    """That somebody holds a device, or the parameter *part* of it, until all who acquired it have released it."""

    __slots__ = ("_future", "exclusion", "part", "strands")

    def __init__(self, exclusion: Exclusion, part: str | None) -> None:
        self.exclusion = exclusion
        self.part = part
        self._future = running_future.get()
        self.strands = [strand()]  # of whom has acquired it: its first holder, and those who inherited it

    @property
    def name(self) -> str:
        """What messages call the holder, as it is now: a scan tells how far it is."""
        return _name_of(self._future)

    @property
    def advice(self) -> str:
        """What one can do who wants to have it."""
        return "" if self._future is None else self._future.advice


_held: ContextVar[tuple[Hold, ...]] = ContextVar("held", default=())
_patient: ContextVar[bool] = ContextVar("patient", default=True)
_passing: ContextVar[bool] = ContextVar("passing", default=False)


@contextmanager
def refusing() -> Iterator[None]:
    """In the block, raise :exc:`.LockError` at once instead of waiting for a device that somebody else holds."""
    token = _patient.set(False)
    try:
        yield
    finally:
        _patient.reset(token)


def is_patient() -> bool:
    """Tell whether the running code would wait for a device that somebody else holds; see :func:`refusing`."""
    return _patient.get()


def held_parts(exclusion: Exclusion) -> list[str | None]:
    """Return what the running code holds of a device, the last it took first: parameters, and None for the whole."""
    return [hold.part for hold in reversed(_held.get()) if hold.exclusion is exclusion]


def passes() -> bool:
    """Tell whether the running code is part of a stop, which nothing that is held or locked holds up."""
    return _passing.get()


def passing(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run *function*, which stops a device: it, and what it starts, passes all that is held or locked."""
    token = _passing.set(True)
    try:
        return function(*args, **kwargs)
    finally:
        _passing.reset(token)


class _Request(Future):
    """What one who waits for *exclusion* waits on: done when it is worth another try."""

    def __init__(self, exclusion: Exclusion, part: str | None, for_method: bool = False) -> None:
        super().__init__(_nothing, (), {})
        self.detach()
        self.exclusion = exclusion
        self.part = part
        self.for_method = for_method
        self.held = _held.get()
        self.future = running_future.get()

    def holders(self) -> list[Hold | Future]:
        """Return who stands in the way."""
        exclusion, part = self.exclusion, self.part
        if self.for_method:
            parts: list[Any] = []
        elif part is None:
            parts = [*exclusion.parts.values(), *exclusion.sets.values(), *exclusion.users]
        else:
            parts = [exclusion.parts.get(part), exclusion.sets.get(part)]
        holders = [each for each in (exclusion.whole, *parts) if each is not None]
        return [each for each in holders if each not in self.held and not _belongs_to(self.future, each)]

    def wait(self) -> None:
        """Wait until somebody released something."""
        try:
            while not self._done:
                self._refuse_deadlock()
                park(self, RECHECK)
        finally:
            if self in self.exclusion.requests:
                self.exclusion.requests.remove(self)

    def refusal(self, error: type[LockError], reason: str = "") -> LockError:
        holders = _outermost(self.holders())
        names = ", ".join(sorted({holder.name for holder in holders})) or "nobody any more"
        advice = "" if reason else next((f"; {each.advice}" for each in holders if each.advice), "")
        return error(f"{self.exclusion.name_of(self.part)} is held by {names}{reason}{advice}")

    def try_again(self) -> None:
        self._done = True
        self._wake_waiters()

    def _refuse_deadlock(self) -> None:
        me = strand()
        seen: set[int] = set()
        todo: list[Any] = self.holders()
        while todo:
            holder = todo.pop()
            if id(holder) in seen:
                continue
            seen.add(id(holder))
            for at in tuple(holder.strands) if isinstance(holder, Hold) else (holder._strand,):
                if at is None:
                    continue
                if at == me:
                    raise self.refusal(DeadlockError, f", which waits for what {_my_name()} holds")
                target = waiting_for.get(at)
                if target is None or target._done:  # it has only not gone on yet
                    continue
                todo += target.holders() if isinstance(target, _Request) else [target]


def _nothing() -> None:
    pass


def _belongs_to(future: Any, ancestor: Hold | Future) -> bool:
    """Tell whether *future* is *ancestor*, or was started by it."""
    return isinstance(future, Future) and future.belongs_to(ancestor)


def _outermost(holders: list[Hold | Future]) -> list[Hold | Future]:
    """Leave out what belongs to another one of the holders: the set that a scan is just doing, for example."""
    futures = [holder._future if isinstance(holder, Hold) else holder for holder in holders]
    return [
        holder
        for holder, future in zip(holders, futures, strict=True)
        if not any(_belongs_to(future, each) for each in futures if each is not None and each is not future)
    ]


def _my_name() -> str:
    return _name_of(running_future.get())


def _name_of(future: Future | None) -> str:
    return future.name if future is not None else "the main program"


class Exclusion:
    """Who may use a device now.

    Somebody may hold the whole device (``with device:``) or one parameter of it (``with device['x']:``, and every set
    for as long as it takes). Methods in progress share the device with each other, not with who holds the whole.
    """

    __slots__ = ("_device", "excused", "parts", "requests", "sets", "stops", "users", "whole")

    def __init__(self, device: Any) -> None:
        self._device = weakref.ref(device)  # what remembers holds, a context for example, must not keep it alive
        self.whole: Hold | None = None
        self.parts: dict[str, Hold] = {}
        self.sets: dict[str, Future] = {}
        self.stops = 0  # how often the device was stopped
        self.excused: dict[str, int] = {}  # how often a set in progress stopped it itself
        self.users: list[Hold | Future] = []
        self.requests: list[_Request] = []

    def name_of(self, part: str | None) -> str:
        """Return what messages call the device or its parameter *part*."""
        name = getattr(self._device(), "name", "a dropped device")
        return name if part is None else f"{name}.{part}"

    # -- what sets and methods do -------------------------------------------------------------------------------

    def begin_set(self, part: str, future: Future) -> bool:
        """Let *future* hold the parameter *part* if nobody else holds anything; return whether it does."""
        with _guard:
            if self.whole is None and part not in self.sets:
                hold = self.parts.get(part)
                if hold is None or hold in _held.get():
                    self.sets[part] = future
                    return True
        return False

    def wait_for_set(self, part: str, future: Future) -> bool:
        """Do as :meth:`begin_set`, waiting for others; return False if it is part of a set of the same parameter."""

        def take() -> bool:
            return self.sets.setdefault(part, future) is future

        future.held_up = True  # and stays so if it is given up meanwhile
        mine = self._when_free(_Request(self, part), take)
        future.held_up = False
        return mine

    def end_set(self, part: str) -> None:
        """Release what :meth:`begin_set` took."""
        with _guard:
            del self.sets[part]
            if self.excused:
                self.excused.pop(part, None)
        if self.requests:
            self._wake()

    @contextmanager
    def method(self) -> Iterator[None]:
        """Share the device for the time of a method, which waits while somebody else holds the whole."""
        user = running_future.get() or Hold(self, None)
        self._when_free(_Request(self, None, for_method=True), lambda: self.users.append(user))
        if isinstance(user, Hold):
            _held.set((*_held.get(), user))
        try:
            yield
        finally:
            if isinstance(user, Hold):
                _held.set(tuple(hold for hold in _held.get() if hold is not user))
            with _guard:
                self.users.remove(user)
            self._wake()

    def note_stop(self) -> None:
        """Count that the device is stopped, which makes the sets fail that did not ask for it themselves."""
        future = running_future.get()
        with _guard:
            self.stops += 1
            for part, setter in self.sets.items():
                if _belongs_to(future, setter):
                    self.excused[part] = self.excused.get(part, 0) + 1

    def stopped_since(self, stops: int, part: str) -> bool:
        """Tell whether somebody else than the set of *part* in progress stopped the device after *stops* stops."""
        return self.stops - stops > self.excused.get(part, 0)

    # -- what ``with`` does -------------------------------------------------------------------------------------

    def acquire(self, part: str | None) -> None:
        """Hold the device, or its parameter *part*, for the running code and what it starts."""
        hold = self._when_free(_Request(self, part), lambda: self._take(part))
        _held.set((*_held.get(), hold))

    def release(self, part: str | None) -> None:
        """Undo the running code's last :meth:`acquire` of the same."""
        held = list(_held.get())
        me = strand()
        hold = next((hold for hold in reversed(held) if hold.exclusion is self and hold.part == part), None)
        if hold is None or me not in hold.strands:
            raise LockError(f"{self.name_of(part)} is not held by {_my_name()}")
        held.remove(hold)
        _held.set(tuple(held))
        with _guard:
            hold.strands.remove(me)
            if hold.strands:
                return
            if part is None:
                self.whole = None
            else:
                del self.parts[part]
        self._wake()

    def _take(self, part: str | None) -> Hold:
        hold = self.whole if part is None else self.parts.get(part)
        if hold is not None:  # by this code, or what started it
            hold.strands.append(strand())
            return hold
        hold = Hold(self, part)
        if part is None:
            self.whole = hold
        else:
            self.parts[part] = hold
        return hold

    def _when_free(self, request: _Request, take: Callable[[], T]) -> T:
        while True:
            with _guard:
                if _passing.get() or not request.holders():
                    return take()
                self.requests.append(request)
            if not _patient.get():
                self.requests.remove(request)
                raise request.refusal(LockError)
            request.wait()
            request = _Request(self, request.part, request.for_method)

    def _wake(self) -> None:
        for request in tuple(self.requests):
            request.try_again()


def exclusion_of(device: Any) -> Exclusion:
    """Return the device's exclusion, made when first needed."""
    return device._exclusion or device.__dict__.setdefault("_exclusion", Exclusion(device))


def holders_of(device: Any, part: str) -> list[str]:
    """Return the names of those who hold the device, or its parameter *part*, and would let the running code wait."""
    exclusion = device._exclusion
    return [] if exclusion is None else sorted({holder.name for holder in _Request(exclusion, part).holders()})
