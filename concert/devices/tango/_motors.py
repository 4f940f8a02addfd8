"""Motors that are Tango devices: they move when their position is written, and their State tells when they stand."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from concert.base import AccessorNotImplementedError, StateError
from concert.devices.motors import base
from concert.devices.tango._backed import TangoBacked
from concert.devices.tango._kinds import Kind
from concert.devices.tango._parameters import TangoPosition
from concert.devices.tango._units import unit_of
from concert.networking.tango import TangoConnectionError, TangoTimeoutError
from concert.quantities import q, shown

LOG = logging.getLogger("concert.devices.tango")

POLL = 0.02  # seconds between two questions whether a motion is over
START_TIME = 0.5  # seconds within which a motion shows that it has begun

STATES = {"on": "standby", "alarm": "hard-limit", "running": "moving"}
STOPS = ("Stop", "StopMove", "StopMotion", "Abort", "AbortMotion", "Halt")
SPEEDS = ("Speed", "Velocity")
HOMES = ("Home", "Homing", "GoHome", "FindHome", "DoHoming", "InitializeReferencePosition")


class TangoMotor(TangoBacked, base.Motor):
    """A motor that is a Tango device.

    Its position has the unit that the attribute's configuration tells, or *unit*, and its minimum and maximum are the
    soft limits of who has not set others. Writing it begins a motion; the set is over when the state is no longer
    MOVING, and fails if the motor then stands farther than *tolerance* from where it was sent. State ALARM means that
    it ran into a limit switch (``hard-limit``), ON and STANDBY that it stands (``standby``).

    *uri*, *peer*, *name* and *timeout* are as for :class:`.TangoDevice`. *position* is the attribute, *stop* and *home*
    are the commands, and *speed* is the attribute that tells how fast motions are, from which the time of scans is
    reckoned; without them the usual names are looked for. Use :class:`LinearMotor` or :class:`RotationMotor`
    where it is known which it is: they can be made while the server does not run.
    """

    state = TangoBacked.state

    def __init__(
        self,
        uri: str,
        peer: str | None = None,
        name: str | None = None,
        timeout: Any = 3 * q.s,
        position: str = "Position",
        unit: Any = None,
        tolerance: Any = None,
        stop: str | None = None,
        home: str | None = None,
        speed: str | None = None,
    ) -> None:
        super().__init__(uri, peer, name, timeout)
        self._speed = speed
        self._attributes["position"] = position
        self._units = {position: unit}  # of attributes, as far as they are known; None is still to be asked for
        self._kinds: dict[str, Kind] = {}
        self._commands: dict[str, str | None] = {"stop": stop, "home": home}
        if "position" not in self:
            self._find_out()
            declared = TangoPosition(self._unit_of(position), help=self._kinds[position].help)
            self.install_parameters({"position": declared})
            self._take_limits()
        else:
            try:
                self._find_out()
            except (TangoConnectionError, TangoTimeoutError) as error:
                LOG.warning("%s", error)
        if tolerance is not None:
            self["position"].tolerance = tolerance

    def _find_out(self) -> None:
        """Ask for what is still unknown: units, limits, and what commands and the speed are called."""
        if self._kinds:
            return
        wanted = list(self._units)
        configs, commands, attributes = self.tango.call(
            lambda proxy: (proxy.get_attribute_config(wanted), proxy.get_command_list(), proxy.get_attribute_list()),
            doing=f"looking for {' and '.join(wanted)}",
        )
        self._choose_commands(commands)
        if self._speed is None:
            # Not what begins a motion when it is written: it is 0 most of the time.
            others = {name.lower() for name in attributes} - {name.lower() for name in wanted}
            self._speed = _first(SPEEDS, others)
        # Their types do not matter: positions are numbers.
        kinds = {
            name: Kind(config, self.tango.device_name, "DevDouble")
            for name, config in zip(wanted, configs, strict=True)
        }
        for name, kind in kinds.items():
            if self._units[name] is None and not kind.has_unit:
                told = f"tells the unit of {name} as {kind.unit_text!r}" if kind.unit_text else f"has no unit of {name}"
                raise ValueError(f"{self.name} {told}: give {self._advice(name)}")
            if self._units[name] is None:
                self._units[name] = kind.unit
        self._kinds = kinds
        if "position" in self:
            self._take_limits()

    def _choose_commands(self, commands: Any) -> None:
        for purpose, usual in (("stop", STOPS), ("home", HOMES)):
            if self._commands[purpose] is None:
                self._commands[purpose] = _first(usual, commands)

    def _advice(self, attribute: str) -> str:
        return "unit=q.mm, or whatever it is" if attribute == self._attributes["position"] else "velocity_unit=..."

    def _unit_of(self, attribute: str) -> Any:
        self._find_out()
        return self._units[attribute]

    def _take_limits(self) -> None:
        value, name = self["position"], self._attributes["position"]
        kind = self._kinds[name]
        if value.lower is None and value.upper is None and not value.limits_locked:
            for which, limit in (("lower", kind.lower), ("upper", kind.upper)):
                if limit is not None:
                    setattr(value, which, q.Quantity(limit.magnitude, self._units[name]))

    # -- what a motor is asked ----------------------------------------------------------------------------------

    def _get_state(self) -> str:
        state = super()._get_state()
        return STATES.get(state, state)

    def _get(self, attribute: str) -> Any:
        unit = self._unit_of(attribute)
        return q.Quantity(self.read_attribute(attribute), unit)

    def _put(self, attribute: str, value: Any) -> float:
        number = float(value.m_as(self._unit_of(attribute)))
        self.write_attribute(attribute, number)
        return number

    def _get_position(self) -> Any:
        return self._get(self._attributes["position"])

    def _set_position(self, position: Any) -> None:
        self._put(self._attributes["position"], position)
        self._finish(position)

    def _estimate_position(self, begin: Any, end: Any) -> Any:
        """Return the time at the speed that the server tells, without what speeding up takes; None without one."""
        self._find_out()
        if self._speed is None:
            return None
        (config,) = self.tango.call("get_attribute_config", [self._speed], doing="reading the unit of its speed")
        unit, default = unit_of(config.unit), self["position"].unit / q.s
        if unit is None or unit == q.dimensionless:
            unit = default
        speed = q.Quantity(self.read_attribute(self._speed), unit)
        return abs(end - begin) / speed if speed.is_compatible_with(default) and speed.magnitude > 0 else None

    def _stop(self) -> None:
        self._command("stop", "stopped", STOPS)
        while self._get_state() == "moving":
            time.sleep(POLL)

    def _home(self) -> None:
        self._command("home", "homed", HOMES)
        self._finish(None)

    def _command(self, purpose: str, done: str, usual: tuple[str, ...]) -> None:
        command = self._commands[purpose]
        if command is None:
            self._find_out()
            command = self._commands[purpose]
        if command is None:
            names = ", ".join(usual)
            raise AccessorNotImplementedError(f"{self.name} cannot be {done}: it has none of the commands {names}")
        self.run_command(command)

    def _finish(self, target: Any) -> None:
        """Wait until the motor stands. Some servers need a moment before they say that it moves."""
        latest = time.monotonic() + START_TIME
        begun = False
        while True:
            state = self._get_state()
            if state == "moving":
                begun = True
            elif state == "fault":
                raise StateError(
                    state, f"{self.name} has a fault and stands at {shown(self.position)}: {self._status()}"
                )
            elif begun or self._is_at(target) or time.monotonic() > latest:
                return
            time.sleep(POLL)

    def _is_at(self, target: Any) -> bool:
        tolerance = self["position"].tolerance
        if target is None or tolerance is None:
            return False
        return bool(abs(self.position - target) <= tolerance)

    def _status(self) -> str:
        return " ".join(str(self.tango.call("status", doing="reading its status")).split())


def _first(usual: Iterable[str], known: Iterable[str]) -> str | None:
    """Return the first of the *usual* names that is known, however it is spelt there; None if none is."""
    lowered = {name.lower() for name in known}
    return next((each for each in usual if each.lower() in lowered), None)


class LinearMotor(TangoMotor, base.LinearMotor):
    """A :class:`TangoMotor` that moves something along a line."""

    position = TangoPosition(q.mm, tolerance=0.01 * q.mm, help="Position along the axis")


class RotationMotor(TangoMotor, base.RotationMotor):
    """A :class:`TangoMotor` that turns something."""

    position = TangoPosition(q.deg, tolerance=0.01 * q.deg, help="Angle about the axis")


class _Continuous(TangoMotor):
    """The common part of motors that can keep moving: *velocity* is the attribute whose writing begins the motion."""

    def __init__(self, *args: Any, velocity: str = "Velocity", velocity_unit: Any = None, **kwargs: Any) -> None:
        self._velocity = velocity
        self._velocity_unit = velocity_unit
        super().__init__(*args, **kwargs)

    def _find_out(self) -> None:
        self._attributes["velocity"] = self._velocity
        self._units.setdefault(self._velocity, self._velocity_unit)
        super()._find_out()

    def _get_velocity(self) -> Any:
        return self._get(self._velocity)

    def _set_velocity(self, velocity: Any) -> None:
        if velocity.magnitude:
            self._put(self._velocity, velocity)
        else:
            self._stop()


class ContinuousLinearMotor(_Continuous, LinearMotor, base.ContinuousLinearMotor):
    """A :class:`LinearMotor` that can keep moving: *velocity* is the attribute whose writing begins the motion.

    *velocity_unit* is its unit where the server does not tell it.
    """


class ContinuousRotationMotor(_Continuous, RotationMotor, base.ContinuousRotationMotor):
    """A :class:`RotationMotor` that can keep turning: *velocity* is the attribute whose writing begins the motion.

    *velocity_unit* is its unit where the server does not tell it.
    """
