"""A served device as its client sees it: readings, operations that are seen through to their end, holds, signs of life.

The server's side, which says what all this means, is the desk of a served device.
"""

from __future__ import annotations

import getpass
import logging
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from concert.async_ import shielded
from concert.async_._native import allocate_lock
from concert.async_._parking import ThreadWaiter
from concert.async_._pool import pool
from concert.base._exclusive import is_patient
from concert.networking._wire import PREFIX, dumps, loads, made_error
from concert.networking.tango import (
    TangoConnectionError,
    TangoDeviceError,
    TangoError,
    TangoProxy,
    TangoTimeoutError,
)

LOG = logging.getLogger("concert.networking")

SIGNS = 4  # of life that are given in the time in which one is expected
LIMITS_AGE = 1.0  # seconds for which the limits that were told are believed
END_TIME = 5.0  # seconds that an operation has to end after it was cancelled

T = TypeVar("T")

#: What messages say that is done, by what an operation does.
DOING = {"get": "reading {}", "set": "setting {}", "call": "waiting for {}"}


class Served:
    """The device that is served at the other end of *proxy*."""

    def __init__(self, proxy: TangoProxy) -> None:
        self.proxy = proxy
        self.description: dict[str, Any] = loads(self._ask("ConcertDescribe"))
        self._client = uuid.uuid4().hex
        self._who = f"{getpass.getuser()} on {socket.gethostname()} (process {os.getpid()})"
        self._signs = _Signs(self._sign, self.description["lease"] / SIGNS)
        self._limits: dict[str, list[Any]] = {}
        self._limits_time = -LIMITS_AGE

    def read(self, attribute: str) -> Any:
        """Return the value of a Tango attribute."""
        return _ours(lambda: self.proxy.read_attribute(attribute).value)

    def limits(self) -> dict[str, list[Any]]:
        """Return the soft limits that quantities have there, as they were told not long ago."""
        now = monotonic()
        if now - self._limits_time > LIMITS_AGE:
            self._limits = loads(self._ask("ConcertLimits"))
            self._limits_time = now
        return self._limits

    def operate(self, what: str, name: str, under: str | None = None, urgent: bool = False, **more: Any) -> Any:
        """Have something done: see it through to its end and return its result.

        *what* is ``get`` or ``set`` a parameter or ``call`` a method, called *name*; *under* is the hold under which it
        is done. If this code is killed, or loses the connection, it is cancelled there.
        """
        operation = uuid.uuid4().hex
        request = {"operation": operation, "what": what, "name": name, "under": under, **more}
        doing = DOING[what].format(name)
        with self._cancelling(operation):
            begun = False
            try:
                answer = self._start(request, urgent, doing)
                if answer["done"]:
                    return answer["value"]
                begun = True
                with self._signs:
                    return self._wait(operation, doing)
            except (TangoConnectionError, TangoTimeoutError) as error:
                if what == "get" or not (begun or isinstance(error, TangoTimeoutError)):
                    raise
                raise type(error)(f"{error}; what it moves may go on moving", error.device, error.reason) from error

    def hold(self, part: str | None, under: str | None) -> str:
        """Hold the device, or the parameter *part* of it, when it is free; return what :meth:`release` wants."""
        operation = uuid.uuid4().hex
        doing = f"waiting for {part or 'it'}"
        self._signs.begin()
        try:
            with self._cancelling(operation):
                request = {"operation": operation, "what": "hold", "name": part, "under": under}
                answer = self._start(request, False, doing)
                if not answer["done"]:
                    self._wait(operation, doing)
        except BaseException:
            self._signs.end()
            raise
        return operation

    def release(self, hold: str) -> None:
        """End a hold; where the connection is lost, it ends by itself."""
        self._signs.end()
        with shielded():
            self._end(hold, cancel=False)

    # -- inside -------------------------------------------------------------------------------------------------

    def _start(self, request: dict[str, Any], urgent: bool, doing: str) -> dict[str, Any]:
        request |= {"client": self._client, "who": self._who, "patient": is_patient()}
        return loads(self._ask("ConcertStart", dumps(request), doing=doing, urgent=urgent))

    def _wait(self, operation: str, doing: str) -> Any:
        request = dumps({"operation": operation, "client": self._client})
        while not (answer := loads(self._ask("ConcertOutcome", request, doing=doing, urgent=True)))["done"]:
            pass
        return answer["value"]

    @contextmanager
    def _cancelling(self, operation: str) -> Iterator[None]:
        """If the block ends before the operation has told how it ended, cancel it."""
        try:
            yield
        except BaseException as error:
            if not isinstance(error.__cause__, TangoDeviceError):
                with shielded():
                    self._end(operation, cancel=True)
            raise

    def _end(self, operation: str, cancel: bool) -> None:
        request = dumps({"operation": operation, "client": self._client, "cancel": cancel})
        deadline = monotonic() + END_TIME
        try:
            while not loads(self._ask("ConcertEnd", request, urgent=True))["done"] and monotonic() < deadline:
                pass
        except TangoError as error:  # the server finds out by itself that nobody is there any more
            LOG.warning("%s could not be told that it is no longer used: %s", self.proxy.device_name, error)

    def _sign(self) -> None:
        self._ask("ConcertSign", dumps({"client": self._client}), urgent=True)

    def _ask(self, command: str, *request: str, doing: str = "", urgent: bool = False) -> str:
        doing = doing or f"running {command}"
        return _ours(lambda: self.proxy.call("command_inout", command, *request, doing=doing, urgent=urgent))


class _Signs:
    """Gives signs of life every *period* seconds, from a native thread, so that computing here does not keep it."""

    def __init__(self, sign: Callable[[], object], period: float) -> None:
        self._sign = sign
        self._period = period
        self._reasons = 0
        self._lock = allocate_lock()  # native threads come here as well
        self._sleeper: ThreadWaiter | None = None

    def begin(self) -> None:
        """Give them until :meth:`end` is called as often as this."""
        with self._lock:
            self._reasons += 1
            if self._sleeper is None:
                self._sleeper = ThreadWaiter()
                pool.submit(partial(self._go_on, self._sleeper))

    def end(self) -> None:
        """Undo :meth:`begin`."""
        with self._lock:
            self._reasons -= 1
            if not self._reasons and self._sleeper is not None:
                sleeper, self._sleeper = self._sleeper, None
                sleeper.wake()

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *_exception: object) -> None:
        self.end()

    def _go_on(self, sleeper: ThreadWaiter) -> None:
        while True:
            sleeper.sleep(self._period)
            if self._sleeper is not sleeper:
                return
            try:
                self._sign()
            except Exception as error:  # the next one may come through
                LOG.warning("a sign of life was not taken: %s", error)


def _ours(ask: Callable[[], T]) -> T:
    """Return what *ask* returns; if it raises an error of a served device, raise that as what it was there."""
    try:
        return ask()
    except TangoDeviceError as error:
        if not error.reason.startswith(PREFIX):
            raise
        told = error.__cause__.args[0]  # type: ignore[union-attr]
        message, *notes = told.desc.split("\n")
        state = told.origin.partition(" [")[2].removesuffix("]")
        failure = made_error(error.reason.removeprefix(PREFIX), message, state or None)
        for note in notes:
            failure.add_note(note)
        raise failure from error
