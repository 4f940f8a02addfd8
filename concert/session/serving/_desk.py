"""The desk of a served device: what its clients do with it, what they hold, and whether they are still there.

A client is a process elsewhere. What it does are operations: a set, a call of a method, a reading, or a hold, which is
``with device:`` over there. Each has an identifier that the client has chosen, so that an answer, or the request
itself, may get lost, and yet nothing happens twice, or after it was given up.

Clients give signs of life. Of one that has given none for :data:`LEASE`, the operations are cancelled, which stops what
they moved, and the holds end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from typing import Any

from concert.async_ import Future, KillException, async_
from concert.async_._runtimes import fresh_context
from concert.async_._scope import Command, running_future
from concert.base import LockError, StoppedError, refusing
from concert.devices.base import Device
from concert.session.serving._description import begin, is_served

LOG = logging.getLogger("concert.serving")

LEASE = 3.0  # seconds without a sign of life after which a client is taken for gone
POLL = 1.0  # seconds that a client's question for the end of an operation is kept, at most
KEPT = 10.0  # seconds that the outcome of an operation is kept, should its answer have been lost


class Operation:
    """What a client asked for in a *request* to the *device*. A hold has a context for what is done under it."""

    future: Future

    def __init__(self, request: dict[str, Any], device: str) -> None:
        self.client: str = request["client"]
        self.who: str = request["who"]
        self.what: str = request["what"]
        self.target = device if request["name"] is None else f"{device}.{request['name']}"
        self.given_up: str | None = None  # why, for who asks
        self.context: Context | None = None
        self.settled = threading.Event()  # over, or, for a hold, held
        self.over = threading.Event()
        self.released = threading.Event()

    @property
    def acts(self) -> bool:
        """Whether it may change the device, and is under way."""
        return self.what in ("set", "call") and not self.future.done()

    @property
    def held(self) -> bool:
        """Whether it is a hold that lasts."""
        return self.context is not None and not self.future.done()

    def give_up(self, why: str) -> None:
        """Cancel it, which stops what it moves; do not wait for that."""
        if self.given_up is None and not self.future.done():
            self.given_up = why
            self.future.cancel(block=False)


class Desk:
    """What clients do with the *device*; *goes_on* is whether that goes on when they are gone.

    :attr:`began` is called whenever an operation has begun that may change the device.
    """

    def __init__(self, device: Device, goes_on: bool) -> None:
        self.device = device
        self.began: Callable[[], object] = lambda: None
        self._goes_on = goes_on
        self._operations: dict[str, Operation] = {}  # by their identifiers: under way, or over not long ago
        self._under_way: dict[str, Operation] = {}
        self._to_forget: deque[tuple[float, str]] = deque()  # when what has to be forgotten, the oldest first
        self._seen: dict[str, float] = {}  # the clients, and when they gave a sign of life
        self._plain: set[Future] = set()  # what clients do that know nothing of Concert
        self._never: set[str] = set()  # operations given up before they came
        self._closed = False
        self._lock = threading.RLock()

    # -- what clients ask for -----------------------------------------------------------------------------------

    def start(self, request: dict[str, Any]) -> dict[str, Any]:
        """Begin what is asked for and return, if it ends soon, what became of it; see :meth:`outcome`."""
        operation = Operation(request, self.device.name)
        with self._lock:
            self._forget_old()
            if self._closed:
                raise ConnectionError(f"{self.device.name} is not served any more: its session ends")
            known = self._operations.get(request["operation"])
            if known is None and request["operation"] in self._never:
                raise LockError(f"{self.device.name} was told too late: the request had been given up")
            if known is None:
                context = self._context_for(operation.client, request.get("under"))
                operation.future = context.run(self._launch, request, operation)
                _attribute(operation.future, operation.who)
                self._operations[request["operation"]] = self._under_way[request["operation"]] = operation
                operation.future.add_done_callback(partial(self._note_end, request["operation"]))
        if known is None and operation.what != "get":
            self.began()
        return self.outcome(request)

    def outcome(self, request: dict[str, Any]) -> dict[str, Any]:
        """Wait a while for the end of an operation, for a hold for its beginning; return whether, and its value.

        Raise what it raised.
        """
        operation = self._operations.get(request["operation"])
        if operation is None:
            raise ConnectionError(f"{self.device.name} was served anew meanwhile: what became of it is not known")
        self._give_sign(operation.client)
        if not operation.settled.wait(POLL):
            return {"done": False}
        if operation.held:
            return {"done": True, "value": None}
        error = operation.future.exception()
        if isinstance(error, KillException):
            why = operation.given_up or "its session has cancelled it"
            raise StoppedError("stopped", f"{operation.target} was stopped: {why}")
        if error is not None:
            raise error
        value = operation.future.result()
        if operation.what == "get":  # may be large, and is read again as well
            self._operations.pop(request["operation"], None)
        return {"done": True, "value": value}

    def end(self, request: dict[str, Any]) -> dict[str, Any]:
        """Cancel an operation, or release a hold, and wait a while for its end; return whether that has come."""
        with self._lock:
            operation = self._operations.get(request["operation"])
            if operation is None:
                self._never.add(request["operation"])
                self._forget_later(request["operation"])
                return {"done": True}
        if operation.held and not request.get("cancel"):
            operation.released.set()
        else:
            operation.give_up(f"{operation.who} has cancelled it")
        return {"done": operation.over.wait(POLL)}

    def sign(self, request: dict[str, Any]) -> dict[str, Any]:
        """Take a sign of life of a client; return which of its operations are still under way."""
        self._give_sign(request["client"])
        return {"under_way": list(self._under_way)}

    def adopt(self, future: Future) -> None:
        """Take care of what a client does that knows nothing of Concert, and gives no signs of life."""
        _attribute(future.detach(), "a Tango client")
        self._plain.add(future)
        future.add_done_callback(self._plain.discard)
        self.began()

    # -- what the server asks for -------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether a client does something that may change the device."""
        return bool(self._plain) or any(each.acts for each in tuple(self._under_way.values()))

    def expire(self, now: float) -> None:
        """Give up what clients do that have given no sign of life for too long."""
        for client, seen in tuple(self._seen.items()):
            if now - seen <= LEASE:
                continue
            del self._seen[client]
            left = [each for each in tuple(self._under_way.values()) if each.client == client]
            if left:
                LOG.warning("%s gave no sign of life for %g s, %s", left[0].who, LEASE, self._consequence(left))
            for operation in left:
                self._abandon(operation)

    def forgive(self, now: float) -> None:
        """Take all clients for alive: it was this process that has been away."""
        for client in self._seen:
            self._seen[client] = now

    def close(self) -> None:
        """Cancel all that is under way, and let nothing begin any more."""
        with self._lock:
            self._closed = True
        for operation in tuple(self._under_way.values()):
            operation.give_up("its session has ended")
        for future in tuple(self._plain):
            future.cancel(block=False)

    def wait_until_still(self, limit: float) -> None:
        """Wait, at most *limit* seconds, until no client does anything that may change the device."""
        deadline = time.monotonic() + limit
        while self.busy and time.monotonic() < deadline:
            time.sleep(0.02)

    def wait_until_idle(self, limit: float) -> None:
        """Wait, at most *limit* seconds, until nothing is under way."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline and (self._plain or self._under_way):
            time.sleep(0.02)

    def holder(self) -> str | None:
        """Return who holds the device, if it is a client."""
        return next((each.who for each in tuple(self._under_way.values()) if each.held), None)

    # -- inside -------------------------------------------------------------------------------------------------

    def _consequence(self, left: list[Operation]) -> str:
        name = self.device.name
        moved = any(each.acts for each in left)
        held = any(each.held for each in left)
        said = [f"{name} {'goes on' if self._goes_on else 'is stopped'}"] if moved else []
        return " and ".join(said + ([f"its hold of {name} ends"] if held else []))

    def _abandon(self, operation: Operation) -> None:
        why = f"{operation.who} gave no sign of life for {LEASE:g} s"
        if operation.held:
            operation.given_up = why
            operation.released.set()
        elif not operation.acts or not self._goes_on:
            operation.give_up(why)

    def _give_sign(self, client: str) -> None:
        self._seen[client] = time.monotonic()

    def _context_for(self, client: str, hold: str | None) -> Context:
        """Return the context to work in: that of the client's hold, if it works under one."""
        self._give_sign(client)
        if hold is None:
            return fresh_context()
        operation = self._operations.get(hold)
        if operation is None or not operation.held or operation.context is None:
            why = operation.given_up if operation is not None else "it is served anew"
            raise LockError(f"{self.device.name} is not held any more: {why or 'the hold has ended'}")
        return operation.context.copy()

    def _launch(self, request: dict[str, Any], operation: Operation) -> Future:
        if request.get("patient", True):
            return self._begin(request, operation)
        with refusing():
            return self._begin(request, operation)

    def _begin(self, request: dict[str, Any], operation: Operation) -> Future:
        what, name = request["what"], request["name"]
        if what == "hold":
            return async_(self._hold)(name, operation)
        if what == "get":
            return self.device[name].get()
        if what == "set":
            return self.device[name].set(request["value"])
        if what != "call" or name.startswith("_") or not is_served(self.device, name):
            raise ValueError(f"{self.device.name} has no method {name!r} for its clients")
        return begin(self.device, name, *request["arguments"], **request["keywords"])

    def _hold(self, part: str | None, operation: Operation) -> None:
        me = running_future.get()
        assert me is not None
        me.label = operation.who  # the hold takes it for its own name
        with self.device if part is None else self.device[part]:
            operation.context = copy_context()
            operation.settled.set()
            operation.released.wait()

    def _note_end(self, key: str, _future: Future) -> None:
        """Remember that an operation is over, and what came of it for a while."""
        operation = self._under_way.pop(key)
        operation.settled.set()
        operation.over.set()
        self._forget_later(key)

    def _forget_later(self, key: str) -> None:
        self._to_forget.append((time.monotonic() + KEPT, key))

    def _forget_old(self) -> None:
        while self._to_forget and self._to_forget[0][0] < time.monotonic():
            _, key = self._to_forget.popleft()
            self._operations.pop(key, None)
            self._never.discard(key)


def _attribute(future: Future, who: str) -> None:
    """Let messages, and the audit trail, say that it is done for *who*."""
    future.label = who
    if not isinstance(future._owner, Future):  # else it is done under a hold of the same client
        future._owner = Command(who)
