"""How a simulated axis moves: its place and speed as functions of time, and what may be asked of it.

Nothing here looks at a clock or ticks: every question brings the time along, and what has happened by then is worked
out. Positions are in deg, velocities in deg/s, accelerations in deg/s², times in s.
"""

from __future__ import annotations

from enum import IntFlag
from math import copysign, inf, sqrt
from typing import NamedTuple

HOME = 0.0  # deg, where homing ends


class Status(IntFlag):
    """What AXISSTATUS tells."""

    ENABLED = 0x01
    HOMED = 0x02
    MOVING = 0x04
    HOMING = 0x08
    LOWER_LIMIT = 0x10  # stands at the end of its travel
    UPPER_LIMIT = 0x20
    FAULT = 0x40  # AXISFAULT is not 0


class Fault(IntFlag):
    """What AXISFAULT tells; a fault stays until it is acknowledged."""

    POSITION_ERROR = 0x01  # the drive lost the axis and was switched off
    UPPER_LIMIT = 0x04  # a motion has run into the end of the travel
    LOWER_LIMIT = 0x08


class RefusedError(Exception):
    """Raised when an axis cannot do what it is asked for: the asker's fault."""


class FaultError(Exception):
    """Raised when an axis must not move before its fault is acknowledged."""


class Phase(NamedTuple):
    """A part of a motion: from time *begin* on, with constant *acceleration*."""

    begin: float
    position: float
    velocity: float
    acceleration: float

    def at(self, time: float) -> tuple[float, float]:
        """Return position and velocity at *time*."""
        elapsed = time - self.begin
        velocity = self.velocity + self.acceleration * elapsed
        return self.position + (self.velocity + velocity) / 2 * elapsed, velocity


class Motion(NamedTuple):
    """Phases, one after the other, until the axis rests at *target* from the time *end* on."""

    phases: tuple[Phase, ...]
    end: float
    target: float

    def at(self, time: float) -> tuple[float, float]:
        """Return position and velocity at *time*, which is not before the beginning."""
        if time >= self.end:
            return self.target, 0.0
        current = self.phases[0]
        for phase in self.phases[1:]:
            if phase.begin <= time:
                current = phase
        return current.at(time)


def rest(position: float) -> Motion:
    """Return the motion of an axis that does not move."""
    return Motion((), float("-inf"), position)


def trapezoid(begin: float, start: float, target: float, velocity: float, acceleration: float) -> Motion:
    """Return the motion from rest at *start* to rest at *target* that speeds up, cruises and slows down.

    Short ways are too short for *velocity* to be reached.
    """
    distance = abs(target - start)
    peak = min(velocity, sqrt(distance * acceleration))
    if not peak:  # no way, or one too short for floating point
        return rest(target)
    ramp = peak / acceleration
    cruise = distance / peak - ramp
    speeding_up = Phase(begin, start, 0.0, copysign(acceleration, target - start))
    cruising = Phase(begin + ramp, *speeding_up.at(begin + ramp), 0.0)
    slowing_down = Phase(cruising.begin + cruise, *cruising.at(cruising.begin + cruise), -speeding_up.acceleration)
    return Motion((speeding_up, cruising, slowing_down), slowing_down.begin + ramp, target)


def braking(begin: float, motion: Motion, acceleration: float) -> Motion:
    """Return what becomes of *motion* when it is stopped at the time *begin*."""
    position, velocity = motion.at(begin)
    if not velocity:
        return rest(position)
    phase = Phase(begin, position, velocity, copysign(acceleration, -velocity))
    end = begin + abs(velocity) / acceleration
    return Motion((phase,), end, phase.at(end)[0])


class Axis:
    """A rotary axis between two limit switches, one at each end of its travel from *lower* to *upper*.

    A motion beyond a limit runs up to the switch and ends there, with a fault; with a target at the limit it does the
    same. Motions begin and end at rest: while one goes on another one is refused.
    """

    def __init__(self, name: str, lower: float, upper: float, velocity: float, acceleration: float) -> None:
        if not lower < HOME < upper:
            raise ValueError(f"expected a travel of axis {name} around {HOME:g} deg, not {lower:g} to {upper:g} deg")
        if not (velocity > 0 and acceleration > 0):
            raise ValueError(f"expected velocity and acceleration above 0, not {velocity:g} and {acceleration:g}")
        self.name = name
        self.lower = lower
        self.upper = upper
        self.velocity = velocity  # of motions that do not bring their own
        self._acceleration = acceleration
        self._motion = rest(HOME)
        self._enabled = self._homed = self._homing = False
        self._faults = Fault(0)

    def position(self, now: float) -> float:
        """Return where the axis is."""
        return self._motion.at(now)[0]

    def actual_velocity(self, now: float) -> float:
        """Return how fast the axis moves, negative if backwards."""
        return self._motion.at(now)[1]

    def status(self, now: float) -> Status:
        """Return what is true of the axis."""
        self._catch_up(now)
        position = self.position(now)
        bits = {
            Status.ENABLED: self._enabled,
            Status.HOMED: self._homed,
            Status.MOVING: self._moving(now),
            Status.HOMING: self._homing,
            Status.LOWER_LIMIT: position <= self.lower,
            Status.UPPER_LIMIT: position >= self.upper,
            Status.FAULT: bool(self._faults),
        }
        return Status(sum(bit for bit, is_set in bits.items() if is_set))

    def faults(self, now: float) -> Fault:
        """Return the faults that were not acknowledged."""
        self._catch_up(now)
        return self._faults

    def enable(self, now: float) -> None:
        """Switch the drive on."""
        self._check_faults(now)
        self._enabled = True

    def disable(self, now: float) -> None:
        """Switch the drive off; an axis in motion stops at once."""
        self._catch_up(now)
        self._motion = rest(self.position(now))
        self._enabled = self._homing = False

    def move(self, now: float, target: float, velocity: float | None = None) -> None:
        """Begin a motion to *target*."""
        self._check_ready(now)
        if velocity is not None:
            _check_velocity(velocity)
        here = self.position(now)
        reachable = min(max(target, self.lower), self.upper)
        if reachable == here and here in (self.lower, self.upper):
            raise RefusedError(f"{self.name} stands at its limit {here:g}, {target:g} is out of its travel")
        self._motion = trapezoid(now, here, reachable, velocity or self.velocity, self._acceleration)

    def move_by(self, now: float, delta: float, velocity: float | None = None) -> None:
        """Begin a motion by *delta*."""
        self.move(now, self.position(now) + delta, velocity)

    def set_velocity(self, now: float, velocity: float) -> None:
        """Set the velocity of the motions to come."""
        _check_velocity(velocity)
        self.velocity = velocity

    def run(self, now: float, velocity: float) -> None:
        """Begin to move at *velocity*, up to the end of the travel; 0 stops as :meth:`abort` does."""
        if velocity:
            self.move(now, copysign(inf, velocity), abs(velocity))
        else:
            self.abort(now)

    def home(self, now: float) -> None:
        """Begin to look for the reference, which is found at :data:`HOME`."""
        self.move(now, HOME)
        self._homing, self._homed = True, False

    def abort(self, now: float) -> None:
        """Begin to stop; do nothing if the axis does not move."""
        self._catch_up(now)
        self._motion = braking(now, self._motion, self._acceleration)
        self._homing = False

    def fail(self, now: float) -> None:
        """Lose the axis: the drive switches itself off."""
        self.disable(now)
        self._faults |= Fault.POSITION_ERROR

    def acknowledge(self, now: float) -> None:
        """Forget the faults."""
        self._catch_up(now)
        self._faults = Fault(0)

    def _moving(self, now: float) -> bool:
        return now < self._motion.end

    def _catch_up(self, now: float) -> None:
        """Let a motion that is over have its consequences."""
        if self._moving(now):
            return
        if self._homing:
            self._homing, self._homed = False, True
        if self._motion.phases:
            self._motion = rest(self._motion.target)
            if self._motion.target >= self.upper:
                self._faults |= Fault.UPPER_LIMIT
            elif self._motion.target <= self.lower:
                self._faults |= Fault.LOWER_LIMIT

    def _check_faults(self, now: float) -> None:
        self._catch_up(now)
        if self._faults:
            names = ", ".join(str(fault.name).lower().replace("_", " ") for fault in self._faults)
            raise FaultError(f"{self.name} has a fault: {names}")

    def _check_ready(self, now: float) -> None:
        self._check_faults(now)
        if not self._enabled:
            raise RefusedError(f"{self.name} is not enabled")
        if self._moving(now):
            raise RefusedError(f"{self.name} is in motion")


def _check_velocity(velocity: float) -> None:
    if velocity <= 0:
        raise RefusedError(f"expected a velocity above 0, not {velocity:g}")
