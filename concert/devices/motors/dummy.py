"""Motors without hardware: same states, same limits, and motion that takes its time.

Where a motor is follows from the time alone, so a motion is the same whenever it is looked at, and passes at once on a
test's clock.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

from concert.devices.motors import base
from concert.quantities import q

POLL = 0.05  # seconds: how soon a motion notices that it was stopped


class _Motion(NamedTuple):
    """A motion at constant velocity, which began at the time *began*."""

    start: float
    end: float
    velocity: float
    began: float
    into_limit: bool  # whether it ends in a limit switch

    @property
    def remaining(self) -> float:
        """How long it goes on, in seconds."""
        if self.start == self.end or not self.velocity:
            return 0.0
        return max(self.began + (self.end - self.start) / self.velocity - time.monotonic(), 0.0)

    @property
    def position(self) -> float:
        """Where the axis is now."""
        return self.end - self.velocity * self.remaining if self.velocity else self.start


class Axis:
    """An axis between two limit switches; positions are numbers, times are seconds."""

    def __init__(self, position: float, lower: float, upper: float) -> None:
        self.lower = lower
        self.upper = upper
        self._motion = _Motion(position, position, 0.0, 0.0, False)

    def _move(self, target: float, velocity: float) -> None:
        # One assignment, so that nobody sees one half of it.
        end = min(max(target, self.lower), self.upper)
        self._motion = _Motion(self.position, end, velocity, time.monotonic(), end != target)

    @property
    def position(self) -> float:
        """Where the axis is now."""
        return self._motion.position

    @property
    def velocity(self) -> float:
        """How fast it moves now."""
        return self._motion.velocity if self.remaining else 0.0

    @property
    def remaining(self) -> float:
        """How long it will move, in seconds."""
        return self._motion.remaining

    @property
    def in_limit(self) -> bool:
        """Whether it stands in a limit switch that it ran into."""
        motion = self._motion
        return motion.into_limit and not motion.remaining

    def move_to(self, target: float, speed: float) -> None:
        """Start to move, at most to a limit switch."""
        self._move(target, math.copysign(speed, target - self.position))

    def run(self, velocity: float) -> None:
        """Keep moving until a limit switch is reached; 0 ends the motion."""
        if velocity:
            self._move(math.copysign(math.inf, velocity), velocity)
        else:
            self.stop()

    def stop(self) -> None:
        """Stop where it is."""
        if self.remaining:
            self._move(self.position, 0.0)


class _DummyMotor(base.Motor):
    """The common part: an :class:`Axis` in the position's unit."""

    _default_speed: Any

    def __init__(
        self,
        position: Any = None,
        speed: Any = None,
        hard_limits: tuple[Any, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        unit = self["position"].unit
        lower, upper = hard_limits if hard_limits is not None else (-1000 * unit, 1000 * unit)
        start = 0 * unit if position is None else position
        self._speed = (self._default_speed if speed is None else speed).m_as(unit / q.s)
        self._axis = Axis(*(float(each.m_as(unit)) for each in (start, lower, upper)))

    def _get_position(self) -> Any:
        return self._axis.position * self["position"].unit

    def _set_position(self, position: Any) -> None:
        self._axis.move_to(position.magnitude, self._speed)
        self._finish()

    def _estimate_position(self, begin: Any, end: Any) -> Any:
        return abs(end - begin).magnitude / self._speed * q.s

    def _finish(self) -> None:
        while (remaining := self._axis.remaining) > 0:
            time.sleep(min(max(remaining, 1e-6), POLL))  # a clock may not be able to tell less

    def _get_state(self) -> str:
        if self._axis.velocity:
            return "moving"
        return "hard-limit" if self._axis.in_limit else "standby"

    def _stop(self) -> None:
        self._axis.stop()

    def _home(self) -> None:
        self["position"].set(0 * self["position"].unit).join()


class _ContinuousDummyMotor(_DummyMotor):
    def _get_velocity(self) -> Any:
        return self._axis.velocity * self["velocity"].unit

    def _set_velocity(self, velocity: Any) -> None:
        self._axis.run(velocity.magnitude)


class LinearMotor(_DummyMotor, base.LinearMotor):
    """A linear motor.

    *position* is where it starts (0 mm), *speed* how fast it moves (10 mm/s) and *hard_limits* where its limit switches
    are (±1000 mm).
    """

    _default_speed = 10 * q.mm / q.s
    position = base.Position(q.mm, tolerance=1 * q.um, help="Position along the axis")


class RotationMotor(_DummyMotor, base.RotationMotor):
    """A rotation motor.

    *position* is where it starts (0 deg), *speed* how fast it turns (30 deg/s) and *hard_limits* where its limit
    switches are (±1000 deg).
    """

    _default_speed = 30 * q.deg / q.s
    position = base.Position(q.deg, tolerance=0.001 * q.deg, help="Angle about the axis")


class ContinuousLinearMotor(_ContinuousDummyMotor, base.ContinuousLinearMotor):
    """A :class:`LinearMotor` that can keep moving."""

    _default_speed = LinearMotor._default_speed
    position = base.Position(q.mm, tolerance=1 * q.um, help="Position along the axis")


class ContinuousRotationMotor(_ContinuousDummyMotor, base.ContinuousRotationMotor):
    """A :class:`RotationMotor` that can keep turning."""

    _default_speed = RotationMotor._default_speed
    position = base.Position(q.deg, tolerance=0.001 * q.deg, help="Angle about the axis")
