"""References: what a scan uses, by the names that the session has given it, so that a new process finds it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from concert.base import ParameterError, ParameterValue
from concert.devices.base import Device
from concert.processes._errors import ScanError
from concert.processes._hooks import name_of
from concert.processes._station import station


class Nameless(Exception):
    """Raised for what could not be found again."""


def stored_parameter(parameter: ParameterValue) -> list[str]:
    return [_name_of_device(parameter.device), parameter.name]


def found_parameter(stored: list[str]) -> ParameterValue:
    device = _found_device(stored[0])
    try:
        return device[stored[1]]
    except ParameterError as error:
        raise ScanError(f"the scan needs {'.'.join(stored)}, but {error}") from error


def _name_of_device(device: Device) -> str:
    for name, each in station.devices().items():
        if each is device:
            return name
    raise Nameless(f"{device.name} has no name in the session")


def _found_device(name: str) -> Device:
    devices = station.devices()
    if name not in devices:
        raise ScanError(f"the scan needs the device {name}, which the session does not have; it has {_listed(devices)}")
    return devices[name]


def reference_to(what: Any) -> list[str]:
    """Return under which name *what*, a device, a parameter, a function or a device's method, can be found again."""
    if isinstance(what, Device):
        return ["device", _name_of_device(what)]
    if isinstance(what, ParameterValue):
        return ["parameter", *stored_parameter(what)]
    owner = getattr(what, "__self__", None)
    if isinstance(owner, Device):
        return ["method", _name_of_device(owner), what.__name__]
    if isinstance(owner, ParameterValue):
        return ["access", *stored_parameter(owner), what.__name__]
    for name, each in station.names().items():
        if each is what:
            return ["function", name]
    raise Nameless(f"{name_of(what)} has no name in the session; give it one there to be able to go on")


def found(reference: list[str]) -> Any:
    kind, name, *rest = reference
    if kind == "device":
        return _found_device(name)
    if kind == "parameter":
        return found_parameter([name, *rest])
    if kind == "method":
        return getattr(_found_device(name), rest[0])
    if kind == "access":
        return getattr(found_parameter([name, rest[0]]), rest[1])
    names = station.names()
    if name not in names:
        raise ScanError(f"the scan needs {name}(), which the session does not have")
    return names[name]


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"
