"""Plain devices that the tests of several modules use, and how to do things from elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

import pytest

from concert.async_ import Future, async_, runtime
from concert.base import Parameter, Quantity, Selection, State, check
from concert.base._exclusive import exclusion_of
from concert.devices.base import Device
from concert.helpers import busy_wait
from concert.quantities import q

SOON = 0.02  # seconds: what is to wait for something is watched for so long
LATE = 10  # seconds: what is to end has ended by then, or hangs

concurrent = pytest.mark.skipif(
    runtime() == "sync", reason="with the sync runtime a call has ended before anything else can happen"
)


def elsewhere(function: Any, *args: Any) -> Future:
    """Call *function* in a future that has nothing to do with the running code: it holds nothing and is nobody's."""

    def call() -> Any:
        return function(*args)

    call.__qualname__ = "somebody else"
    return Context().run(async_(call)).detach()


def is_waiting(future: Future) -> bool:
    """Tell whether *future* has not ended after a moment."""
    time.sleep(SOON)  # not a join: who joins one that waits for what he holds makes a deadlock
    return not future.done()


def until(condition: Callable[[], Any]) -> None:
    """Let others go on until *condition* holds."""
    busy_wait(condition, 0.001, LATE)


def after(points: int, action: Callable[[], Any], value: Callable[[int], Any] = lambda count: count) -> Any:
    """Return something to read at every point of a scan, which does *action* at the one after so many.

    It gives the *value* of the number of readings.
    """
    readings: list[int] = []

    def reading() -> Any:
        readings.append(1)
        if len(readings) == points:
            action()
        return value(len(readings))

    return reading


def is_free(device: Device) -> bool:
    """Tell whether anybody may use the device, and nobody waits for it."""
    exclusion = exclusion_of(device)
    return not (exclusion.whole or exclusion.parts or exclusion.sets or exclusion.users or exclusion.requests)


class Stage(Device):
    """A position that is checked in every way; *written* is what has reached the device."""

    state = State(default="standby")
    position = Quantity(q.mm, lower=0 * q.mm, upper=10 * q.mm, check=check(source="standby"), shape=(), help="Where")
    comment = Parameter()
    mode = Selection(["slow", "fast"])
    corner = Quantity(q.mm, lower=-1 * q.mm, upper=1 * q.mm, shape=(2,))

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.written: list[Any] = []
        self._position = 1 * q.mm
        self._comment = "new"
        self._mode = "slow"
        self._corner = [0.0, 0.0] * q.mm

    def _get_position(self) -> Any:
        return self._position

    def _set_position(self, position: Any) -> None:
        self.written.append(position)
        self._position = position

    def _get_comment(self) -> Any:
        return self._comment

    def _set_comment(self, comment: Any) -> None:
        self.written.append(comment)
        self._comment = comment

    def _get_mode(self) -> Any:
        return self._mode

    def _set_mode(self, mode: Any) -> None:
        self.written.append(mode)
        self._mode = mode

    def _get_corner(self) -> Any:
        return self._corner

    def _set_corner(self, corner: Any) -> None:
        self.written.append(corner)
        self._corner = corner


class Slow(Device):
    """A device whose sets last until :attr:`gate` is opened; *log* is what has happened to it."""

    state = State(default="standby")
    x = Quantity(q.mm)
    y = Quantity(q.mm)

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)
        self.log: list[str] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        self._x = self._y = 0 * q.mm

    def _get_x(self) -> Any:
        return self._x

    def _set_x(self, value: Any) -> None:
        self._drive("x", value)
        self._x = value

    def _get_y(self) -> Any:
        return self._y

    def _set_y(self, value: Any) -> None:
        self._drive("y", value)
        self._y = value

    def _drive(self, name: str, value: Any) -> None:
        self.log.append(f"{name} begins {value.magnitude:g}")
        self.begun.set()
        assert self.gate.wait(LATE)
        self.log.append(f"{name} ends {value.magnitude:g}")

    @async_
    def stop(self) -> None:
        """Open the gate."""
        self.log.append("stop")
        self.gate.set()

    @async_
    def act(self) -> None:
        """Do something."""
        self.log.append("act")

    @check(source="standby")
    def act_at_once(self) -> None:
        """Do something, without a future."""
        self.log.append("act at once")
