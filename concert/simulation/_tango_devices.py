"""The simulated beamline as Tango devices: motors, and a detector that sees a crystal's reflection."""

from __future__ import annotations

import random
from enum import IntEnum
from time import monotonic
from typing import Any

import numpy as np
from tango import AttrWriteType, DevState, Util
from tango.server import Device, attribute, command

from concert.simulation._axis import Axis, RefusedError, Status
from concert.simulation._rocking_curve import RockingCurve

POLLING = 50  # ms between two looks for changes, of which clients are told
HEIGHT, WIDTH = 48, 64  # of images, in pixels
NOISE = 0.002  # of the intensity, in V


def _position(**properties: Any) -> Any:
    accessors = {"fget": "read_position", "fset": "write_position"}
    return attribute(dtype=float, access=AttrWriteType.READ_WRITE, abs_change="0.001", **accessors, **properties)


def _speed(**properties: Any) -> Any:
    accessors = {"fget": "read_speed", "fset": "write_speed"}
    return attribute(dtype=float, access=AttrWriteType.READ_WRITE, min_value=0.001, **accessors, **properties)


class Motor(Device):
    """An axis between two limit switches; a motion that runs into one ends there, in ALARM."""

    lower, upper, velocity, acceleration = -50.0, 50.0, 20.0, 200.0

    def init_device(self) -> None:
        """Stand at 0, with the drive on."""
        super().init_device()
        self._axis = Axis(self.get_name().rpartition("/")[2], self.lower, self.upper, self.velocity, self.acceleration)
        self._axis.enable(monotonic())
        self.poll_attribute("State", POLLING)
        self.poll_attribute("Position", POLLING)

    def dev_state(self) -> DevState:
        """Tell MOVING, ALARM (in a limit switch) or ON."""
        status = self._axis.status(monotonic())
        if status & Status.MOVING:
            return DevState.MOVING
        return DevState.ALARM if status & Status.FAULT else DevState.ON

    def always_executed_hook(self) -> None:
        """Let the state be right before anything else is asked."""
        self.set_state(self.dev_state())

    def read_position(self) -> float:
        """Return where the axis is."""
        return self._axis.position(monotonic())

    def write_position(self, position: float) -> None:
        """Begin to move; the state is MOVING meanwhile."""
        now = monotonic()
        self._axis.acknowledge(now)
        self._refusing(self._axis.move, now, position)

    def read_speed(self) -> float:
        """Return the velocity of the motions to come."""
        return self._axis.velocity

    def write_speed(self, speed: float) -> None:
        """Set the velocity of the motions to come."""
        self._axis.set_velocity(monotonic(), speed)

    @command
    def Stop(self) -> None:
        """Slow down and stop."""
        self._axis.abort(monotonic())

    @command
    def Home(self) -> None:
        """Begin to look for the reference, at 0."""
        now = monotonic()
        self._axis.acknowledge(now)
        self._refusing(self._axis.home, now)

    def _refusing(self, action: Any, *arguments: Any) -> None:
        try:
            action(*arguments)
        except RefusedError as error:
            raise ValueError(str(error)) from error


class LinearMotor(Motor):
    """A stage, in mm."""

    Position = _position(unit="mm", format="%8.3f", min_value=-60, max_value=60, doc="Where the stage is")
    Speed = _speed(unit="mm/s", doc="Velocity of the motions to come")


class RotationMotor(Motor):
    """A rotation axis, in deg, which can also keep turning."""

    lower, upper, velocity, acceleration = -180.0, 180.0, 60.0, 600.0

    Position = _position(unit="degree", format="%9.4f", min_value=-200, max_value=200, doc="Angle about the axis")
    Speed = _speed(unit="deg/sec", doc="Velocity of the motions to come")

    @attribute(unit="deg/sec", doc="Velocity at this moment; writing it starts to turn")
    def Velocity(self) -> float:
        return self._axis.actual_velocity(monotonic())

    @Velocity.write
    def run(self, velocity: float) -> None:
        now = monotonic()
        self._axis.acknowledge(now)
        self._axis.disable(now)  # which stops at once: an axis in motion takes no other one
        self._axis.enable(now)
        self._refusing(self._axis.run, now, velocity)


class Amplification(IntEnum):
    """How much the detector's signal is amplified."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


class Detector(Device):
    """A detector behind the crystal that the rotation axis of the same server turns."""

    curve = RockingCurve()

    def init_device(self) -> None:
        """Be ready, at low gain, with an integration time of 10 ms."""
        super().init_device()
        self._random = random.Random(0)
        self._time = 0.01
        self._gain = Amplification.LOW
        self._busy_until = 0.0

    def dev_state(self) -> DevState:
        """Tell RUNNING during an exposure, else ON."""
        return DevState.RUNNING if monotonic() < self._busy_until else DevState.ON

    def always_executed_hook(self) -> None:
        """Let the state be right before anything else is asked."""
        self.set_state(self.dev_state())

    @attribute(unit="V", doc="Intensity of the reflection")
    def Intensity(self) -> float:
        return self._signal() * 10**self._gain + self._random.gauss(0, NOISE)

    @attribute(unit="sec", min_value=0.001, max_value=60, doc="Time of an exposure")
    def IntegrationTime(self) -> float:
        return self._time

    @IntegrationTime.write
    def set_integration_time(self, time: float) -> None:
        self._time = time

    @attribute(dtype=Amplification, doc="Amplification of the signal")
    def Gain(self) -> Amplification:
        return self._gain

    @Gain.write
    def set_gain(self, gain: int) -> None:
        self._gain = Amplification(gain)

    @attribute(dtype=((np.uint16,),), max_dim_x=WIDTH, max_dim_y=HEIGHT, unit="counts", doc="The last image")
    def Image(self) -> Any:
        rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
        spot = np.exp(-((rows - HEIGHT / 2) ** 2 + (columns - WIDTH / 2) ** 2) / 50)
        return (1000 * self._signal() * spot).astype(np.uint16)

    @attribute(dtype=(float,), max_dim_x=WIDTH, unit="V", doc="The signal along the middle of the image")
    def Profile(self) -> Any:
        return self._signal() * np.exp(-((np.arange(WIDTH) - WIDTH / 2) ** 2) / 50)

    @command
    def Expose(self) -> None:
        """Begin an exposure; the state is RUNNING meanwhile."""
        self._busy_until = monotonic() + self._time

    @command
    def Abort(self) -> None:
        """End the exposure."""
        self._busy_until = 0.0

    def _signal(self) -> float:
        crystal = next(each for each in Util.instance().get_device_list("*") if isinstance(each, RotationMotor))
        return self.curve.at(crystal.read_position())
