"""Concert devices from Tango devices: from any of them, and motors.

:class:`TangoDevice` takes what the server has, :class:`TangoMotor` and its kin behave as Concert's motors do.
Drivers for other families derive from :class:`TangoBacked`. :func:`remote` gives what a session of Concert elsewhere
serves, as it is there.
"""

from concert.devices.tango._backed import TangoBacked
from concert.devices.tango._device import TangoDevice
from concert.devices.tango._motors import (
    ContinuousLinearMotor,
    ContinuousRotationMotor,
    LinearMotor,
    RotationMotor,
    TangoMotor,
)
from concert.devices.tango._remote import RemoteDevice, remote
from concert.devices.tango._units import unit_of

__all__ = [
    "ContinuousLinearMotor",
    "ContinuousRotationMotor",
    "LinearMotor",
    "RemoteDevice",
    "RotationMotor",
    "TangoBacked",
    "TangoDevice",
    "TangoMotor",
    "remote",
    "unit_of",
]
