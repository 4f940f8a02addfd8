"""Motors: linear and rotational axes, and those of them that can move continuously."""

from __future__ import annotations

import functools
import math
from typing import Any

from concert.async_ import async_
from concert.async_._scope import running_future
from concert.base import (
    AccessorNotImplementedError,
    HardLimitError,
    Quantity,
    QuantityValue,
    State,
    StoppedError,
    check,
)
from concert.base._exclusive import exclusion_of, passing
from concert.devices.base import Device
from concert.quantities import q, shown

STILL = ("standby", "hard-limit")

ROUNDINGS = 4  # so many times the last digit of a summand may be lost in a sum, units converted


class PositionValue(QuantityValue):
    """The position of one motor."""

    __slots__ = ()

    def _write_relative(self, delta: Any) -> None:
        """Write what is *delta* from where the motor is; runs as a future of its own."""
        step = q.Quantity(self._as_difference(delta), self.unit)
        exclusion = exclusion_of(self._device)
        stops = exclusion.stops_for_all
        with self:  # another move at the same time adds to this one
            value = self._sum(self._read(), step)
            if exclusion.stops_for_all != stops:
                self._raise_stopped(value)
            self._write(value)

    def _sum(self, position: Any, step: Any) -> Any:
        """Return both together, the soft limit itself if that is beside it by rounding alone: 0.1 + 0.2 > 0.3."""
        value = position + step
        rounding = ROUNDINGS * math.ulp(max(abs(position.magnitude), abs(step.magnitude)))
        for limit in (self._low, self._high):
            if abs(value.magnitude - limit) < rounding:
                return q.Quantity(limit, self.unit)
        return value

    def _verify(self, value: Any) -> None:
        super()._verify(value)
        if self.tolerance is None and self._device.in_hard_limit:  # type: ignore[attr-defined]
            where = f"at {shown(self._read())} " if self.readable else ""
            raise HardLimitError(msg=f"{self.full_name} ran into a limit switch {where}on the way to {shown(value)}")


class Position(Quantity):
    """A motor's position. A set is done when the motor stands there; running into a limit switch is an error."""

    value_class = PositionValue

    def __init__(self, unit: Any, **kwargs: Any) -> None:
        super().__init__(unit, check=check(source=STILL), shape=(), **kwargs)


class Velocity(Quantity):
    """How fast a motor keeps moving. Setting it starts the motion, or ends it: it is no setting to come back to."""

    is_setting = False

    def __init__(
        self,
        unit: Any,
        help: str = "Velocity of continuous motion: setting it starts the motion, 0 ends it",
        **kwargs: Any,
    ) -> None:
        super().__init__(unit, check=check(source=(*STILL, "moving")), help=help, shape=(), **kwargs)


class Motor(Device):
    """What linear and rotation motors have in common.

    A driver implements ``_get_position``, ``_set_position``, which returns when the motor stands, and ``_stop`` or
    ``_cancel_position``, and if the device can tell, ``_get_state``: standby, moving or hard-limit. ``_home`` is
    optional, and so is ``_estimate_position``, which tells how long a motion takes.
    """

    main_parameter = "position"
    state = State(default="standby")
    position: Any

    @async_
    def move(self, delta: Any) -> None:
        """Move by *delta*, relative to where the motor is: a future, done when it has arrived."""
        self["position"]._write_relative(delta)

    @async_
    def stop(self) -> None:
        """Stop the motion: a future, done when the motor stands. A set in progress fails."""
        self._stop()

    @async_
    @check(source=STILL)
    def home(self) -> None:
        """Drive to the reference position: a future, done when the motor is there and knows its position.

        Cancelling it stops the motor; raise :exc:`.StoppedError` if somebody else does.
        """
        future, exclusion = running_future.get(), exclusion_of(self)
        assert future is not None
        stops = exclusion.stops
        future.cancel_operation = functools.partial(passing, self._stop)
        self._home()
        future.cancel_operation = None
        if exclusion.stopped_since(stops, future):
            raise StoppedError("stopped", f"{self.name} was stopped on the way to its reference")

    @property
    def in_hard_limit(self) -> bool:
        """Whether the motor is in one of its limit switches."""
        return self.state == "hard-limit"

    def _cancel_position(self) -> None:
        self._stop()

    def _stop(self) -> None:
        # A driver says how to stop in either of two methods; here the other one is looked for.
        if type(self)._cancel_position is Motor._cancel_position:
            raise AccessorNotImplementedError(f"{self.name} cannot be stopped: its driver needs a method _stop")
        self._cancel_position()

    def _home(self) -> None:
        raise AccessorNotImplementedError(f"{self.name} cannot be homed: its driver has no method _home")


class LinearMotor(Motor):
    """A motor that moves something along a line."""

    position = Position(q.mm, help="Position along the axis")


class RotationMotor(Motor):
    """A motor that turns something."""

    position = Position(q.deg, help="Angle about the axis")


class ContinuousLinearMotor(LinearMotor):
    """A linear motor that can also keep moving. A driver also implements ``_get_velocity`` and ``_set_velocity``."""

    velocity = Velocity(q.mm / q.s)

    def _cancel_velocity(self) -> None:
        self._stop()


class ContinuousRotationMotor(RotationMotor):
    """A rotation motor that can also keep turning. A driver also implements ``_get_velocity`` and ``_set_velocity``."""

    velocity = Velocity(q.deg / q.s)

    def _cancel_velocity(self) -> None:
        self._stop()
