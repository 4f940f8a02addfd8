"""Exclusive access to a device or one of its parameters, for one line of work and the futures it starts.

Holding is inherited through the context: what is started inside ``with device:`` may write to the device, everybody
else waits, and is let in in the order of asking. Who would wait forever, because the holder waits for something that
the caller holds, is told so.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
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
RECHECK_MORE = 0.01  # seconds, for each who waits: to look takes time

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
        self.may_pass = False  # those who began to wait earlier, because they wait for the one who asks

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
        return [each for each in holders if not self._is_inside(each)]

    def ahead(self) -> Iterator[_Request]:
        """Yield whose turn comes first: those who wait already, but for what is inside of what they wait for."""
        if self.may_pass:
            return
        for each in tuple(self.exclusion.requests):
            if each is self:
                return
            if self._meets(each) and not self._is_further_inside(each):
                yield each

    def is_free(self) -> bool:
        """Tell whether its turn has come."""
        return not self.holders() and next(self.ahead(), None) is None

    def wait(self) -> None:
        """Wait until its turn may have come."""
        while not self._done:
            self._refuse_deadlock()
            if self.is_free():
                return
            park(self, RECHECK + RECHECK_MORE * len(self.exclusion.requests))

    def again(self) -> _Request:
        """Return the same request, to be waited on again."""
        request = _Request(self.exclusion, self.part, self.for_method)
        request.may_pass = self.may_pass
        return request

    def refusal(self, error: type[LockError], reason: str = "") -> LockError:
        """Return the error that tells who stands in the way."""
        name, holders = self.exclusion.name_of(self.part), _outermost(self.holders())
        if not holders and (ahead := list(self.ahead())):
            return error(f"{name} is already waited for by {_listed(_name_of(each.future) for each in ahead)}")
        advice = "" if reason else next((f"; {each.advice}" for each in holders if each.advice), "")
        names = _listed(holder.name for holder in holders) or "nobody any more"
        return error(f"{name} is held by {names}{reason}{advice}")

    def try_again(self) -> None:
        self._done = True
        self._wake_waiters()

    def _is_inside(self, holder: Hold | Future) -> bool:
        return holder in self.held or _belongs_to(self.future, holder)

    def _meets(self, other: _Request) -> bool:
        """Tell whether only one of both can have what it wants."""
        for each in (self, other):
            if each.part is None and not each.for_method:
                return True
        return self.part is not None and self.part == other.part

    def _is_further_inside(self, other: _Request) -> bool:
        return any(self._is_inside(each) and not other._is_inside(each) for each in self.exclusion.holders())

    def _refuse_deadlock(self) -> None:
        holders = self.holders()
        if _comes_back(holders, _Request.holders):
            raise self.refusal(DeadlockError, f", which waits for what {_my_name()} holds")
        if not holders and not self.may_pass:
            # Whoever they wait for, all but one of a circle who wait for their turn alone may keep the order: the one
            # behind somebody who waits for a holder gives it up.
            self.may_pass = _comes_back((each for each in self.ahead() if each.holders()), _Request._in_the_way)

    def _in_the_way(self) -> list[Hold | Future]:
        return [*self.holders(), *self.ahead()]


def _comes_back(todo: Iterable[Any], in_the_way: Callable[[_Request], list[Hold | Future]]) -> bool:
    """Tell whether those in *todo* wait, as *in_the_way* tells whom requests wait for, for who asks."""
    me = strand()
    seen: set[int] = set()
    todo = list(todo)
    while todo:
        holder = todo.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        if isinstance(holder, _Request):
            todo += in_the_way(holder)
            continue
        for at in tuple(holder.strands) if isinstance(holder, Hold) else (holder._strand,):
            if at is None:
                continue
            if at == me:
                return True
            target = waiting_for.get(at)
            if target is not None and not target._done:  # else it has only not gone on yet
                todo.append(target)
    return False


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


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))


def _my_name() -> str:
    return _name_of(running_future.get())


def _name_of(future: Future | None) -> str:
    return future.name if future is not None else "the main program"


class Exclusion:
    """Who may use a device now.

    Somebody may hold the whole device (``with device:``) or one parameter of it (``with device['x']:``, and every set
    for as long as it takes). Methods in progress share the device with each other, not with who holds the whole.
    """

    __slots__ = ("_device", "excused", "own_stops", "parts", "requests", "sets", "stops", "users", "whole")

    def __init__(self, device: Any) -> None:
        self._device = weakref.ref(device)  # what remembers holds, a context for example, must not keep it alive
        self.whole: Hold | None = None
        self.parts: dict[str, Hold] = {}
        self.sets: dict[str, Future] = {}
        self.stops = 0  # how often the device was stopped
        self.own_stops = 0  # how often a set stopped it itself
        self.excused: dict[str | Future, int] = {}  # how often a set, or a method, in progress stopped it itself
        self.users: list[Hold | Future] = []
        self.requests: list[_Request] = []

    def name_of(self, part: str | None) -> str:
        """Return what messages call the device or its parameter *part*."""
        name = getattr(self._device(), "name", "a dropped device")
        return name if part is None else f"{name}.{part}"

    def holders(self) -> list[Hold | Future]:
        """Return all who hold the device, or something of it."""
        whole = [] if self.whole is None else [self.whole]
        return [*whole, *self.parts.values(), *self.sets.values(), *self.users]

    # -- what sets and methods do -------------------------------------------------------------------------------

    def begin_set(self, part: str, future: Future) -> bool:
        """Let *future* hold the parameter *part* if nobody else holds or wants anything; return whether it does."""
        with _guard:
            if self.whole is None and part not in self.sets and not self.requests:
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
                if self.excused and isinstance(user, Future) and user not in self.users:
                    self.excused.pop(user, None)
            self._wake()

    def note_stop(self) -> None:
        """Count that the device is stopped, which makes the sets fail that did not ask for it themselves."""
        future = running_future.get()
        with _guard:
            self.stops += 1
            parts: set[str | Future] = {part for part, setter in self.sets.items() if _belongs_to(future, setter)}
            users: set[str | Future] = {
                user for user in self.users if isinstance(user, Future) and _belongs_to(future, user)
            }
            self.own_stops += bool(parts)
            for each in parts | users:
                self.excused[each] = self.excused.get(each, 0) + 1

    def stopped_since(self, stops: int, what: str | Future) -> bool:
        """Tell whether somebody else than *what* is in progress stopped the device after *stops* stops.

        It is the name of the parameter that is set, or a method's future.
        """
        return self.stops - stops > self.excused.get(what, 0)

    @property
    def stops_for_all(self) -> int:
        """How often the device was stopped for those that wait as well: not by a set itself."""
        return self.stops - self.own_stops

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
        with _guard:
            if _passing.get() or request.is_free():
                return take()
            self.requests.append(request)
        try:
            if not _patient.get():
                raise request.refusal(LockError)
            while True:
                request.wait()
                with _guard:
                    if request.is_free():
                        self.requests.remove(request)
                        return take()
                    # It keeps its place: whoever comes later waits for it.
                    again = request.again()
                    self.requests[self.requests.index(request)] = again
                    request = again
        except BaseException:
            with _guard:
                self.requests.remove(request)
            request._done = True  # nobody waits for it any more
            self._wake()
            raise

    def _wake(self) -> None:
        with _guard:
            free = [request for request in self.requests if request.is_free()]
        for request in free:
            request.try_again()


def exclusion_of(device: Any) -> Exclusion:
    """Return the device's exclusion, made when first needed."""
    return device._exclusion or device.__dict__.setdefault("_exclusion", Exclusion(device))


def holders_of(device: Any, part: str) -> list[str]:
    """Return the names of those who hold the device, or its parameter *part*, and would let the running code wait."""
    exclusion = device._exclusion
    return [] if exclusion is None else sorted({holder.name for holder in _Request(exclusion, part).holders()})
