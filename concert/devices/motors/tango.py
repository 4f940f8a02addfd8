"""Motors that are Tango devices; see :mod:`concert.devices.tango`."""

from concert.devices.tango import (
    ContinuousLinearMotor,
    ContinuousRotationMotor,
    LinearMotor,
    RotationMotor,
    TangoMotor,
)

__all__ = ["ContinuousLinearMotor", "ContinuousRotationMotor", "LinearMotor", "RotationMotor", "TangoMotor"]
