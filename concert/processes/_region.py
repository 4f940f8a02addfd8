"""What is varied in a scan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._values import Values

TIME = "time"  # the column of scans that move nothing


class Region:
    """A *parameter* and the *values* it takes one after the other.

    *parameter* is a parameter, such as ``motor['position']``, or a device, which stands for its main parameter.
    *values* are quantities, an array of them for example, or whatever the parameter takes. With *relative* they are
    differences from where the parameter is when the scan begins, and it goes back there afterwards; the function
    :func:`scan` refuses them.
    """

    def __init__(self, parameter: ParameterValue | Device, values: Iterable[Any], relative: bool = False) -> None:
        self.parameter = parameter_of(parameter)
        self.values = Values(values)
        self.relative = relative

    def placed(self, here: Any) -> Region:
        """Return the region of the values that a relative one has when the parameter is *here*."""
        return Region(self.parameter, self.values.shifted(here))

    def check(self) -> None:
        """Raise what is wrong with any of the values, as a set would."""
        try:
            for value in self.values.extremes():
                self.parameter.check_value(value)
        except Exception:
            for value in self.values:  # so that the first one is named
                self.parameter.check_value(value)
            raise

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        return f"<Region {self.parameter.full_name}, {len(self.values)} values>"


def parameter_of(what: Any) -> ParameterValue:
    """Return the parameter, or the main parameter of the device; raise :exc:`TypeError` for anything else."""
    if isinstance(what, ParameterValue):
        return what
    if isinstance(what, Device):
        if what.main_parameter is None:
            names = ", ".join(value.name for value in what)
            raise TypeError(f"{what.name} has no main parameter: say which one is meant, {what.name}[...] of {names}")
        return what[what.main_parameter]
    raise TypeError(f"expected a device or a parameter such as motor['position'], not {what!r}")


def short_name(parameter: ParameterValue) -> str:
    """Return what tables and plots call a parameter: its device's name, if the device stands for it."""
    device = parameter.device
    return device.name if parameter.name == getattr(device, "main_parameter", None) else parameter.full_name
