"""Axes of Aerotech controllers, over their ASCII command interface; see :mod:`concert.simulation.aerotech` for it."""

from __future__ import annotations

import time
from typing import Any, NoReturn

from concert.async_ import async_
from concert.base import StateError, check
from concert.devices.motors import base
from concert.networking.aerotech import Connection
from concert.quantities import q, shown

# AXISSTATUS
ENABLED = 0x01
MOVING = 0x04
FAULT = 0x40
# AXISFAULT
LIMITS = 0x04 | 0x08

POLL = 0.01  # seconds between two questions whether a motion is over


class _Axis(base.Motor):
    """The common part. The controller is at *host* and *port*, *axis* is its name there."""

    def __init__(self, host: str, port: int, axis: str = "X", name: str | None = None) -> None:
        super().__init__(name)
        self._connection = Connection(host, port)
        self._axis = axis

    def close(self) -> None:
        """Close the connection; the next access opens it again."""
        self._connection.close()

    @async_
    @check(source=("fault", "hard-limit"), target="standby")
    def reset(self) -> None:
        """Acknowledge the axis' faults: a future."""
        self._tell("FAULTACK")

    def _ask(self, what: str) -> str:
        return self._connection.execute(f"{what}({self._axis})")

    def _tell(self, command: str, *values: float) -> None:
        self._connection.execute(" ".join([command, self._axis, *(f"{value:.9g}" for value in values)]))

    def _get_state(self) -> str:
        status = int(self._ask("AXISSTATUS"))
        if status & MOVING:
            return "moving"
        if not status & FAULT:
            return "standby"
        return "fault" if self._ask_faults() & ~LIMITS else "hard-limit"

    def _ask_faults(self) -> int:
        return int(self._ask("AXISFAULT"))

    def _get_position(self) -> Any:
        return float(self._ask("PFBK")) * self["position"].unit

    def _set_position(self, position: Any) -> None:
        self._prepare()
        self._tell("MOVEABS", position.magnitude)
        self._finish()

    def _home(self) -> None:
        self._prepare()
        self._tell("HOME")
        self._finish()

    def _stop(self) -> None:
        self._tell("ABORT")
        self._wait_until_it_stands()

    def _prepare(self) -> None:
        """Make the axis ready to move; it leaves a limit switch only after the fault was acknowledged."""
        status = int(self._ask("AXISSTATUS"))
        if status & FAULT:
            if self._ask_faults() & ~LIMITS:
                self._raise_fault()
            self._tell("FAULTACK")
        if not status & ENABLED:
            self._tell("ENABLE")

    def _finish(self) -> None:
        if self._wait_until_it_stands() == "fault":
            self._raise_fault()

    def _wait_until_it_stands(self) -> str:
        while (state := self._get_state()) == "moving":
            time.sleep(POLL)
        return state

    def _raise_fault(self) -> NoReturn:
        where = shown(self.position)
        raise StateError("fault", f"{self.name} has a fault and stands at {where}; reset() acknowledges it")


class _ContinuousAxis(_Axis):
    def _get_velocity(self) -> Any:
        return float(self._ask("VFBK")) * self["velocity"].unit

    def _set_velocity(self, velocity: Any) -> None:
        # The controller changes no motion that is going on.
        self._tell("ABORT")
        self._finish()
        if velocity.magnitude:
            self._prepare()
            self._tell("FREERUN", velocity.magnitude)


class LinearMotor(_Axis, base.LinearMotor):
    """A linear axis whose controller counts in mm."""

    position = base.Position(q.mm, tolerance=0.001 * q.mm, help="Position along the axis")


class RotationMotor(_Axis, base.RotationMotor):
    """A rotation axis whose controller counts in deg."""

    position = base.Position(q.deg, tolerance=0.001 * q.deg, help="Angle about the axis")


class ContinuousLinearMotor(_ContinuousAxis, base.ContinuousLinearMotor):
    """A :class:`LinearMotor` that can keep moving."""

    position = base.Position(q.mm, tolerance=0.001 * q.mm, help="Position along the axis")


class ContinuousRotationMotor(_ContinuousAxis, base.ContinuousRotationMotor):
    """A :class:`RotationMotor` that can keep turning."""

    position = base.Position(q.deg, tolerance=0.001 * q.deg, help="Angle about the axis")
