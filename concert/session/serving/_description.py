"""What a served device tells about itself, so that a device elsewhere can be like it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from concert.async_ import Future, async_
from concert.base import ParameterValue, QuantityValue, SelectionValue, StateValue
from concert.devices.base import STOPS, Device, acts
from concert.networking._wire import dumps

_FAMILY = re.compile(r"concert\.devices\.(\w+\.)?base")


def methods(device: Device) -> Iterator[str]:
    """Yield the names of what stops the device or acts on it, without what every device has."""
    for name in dir(type(device)):
        if not (name.startswith("_") or hasattr(Device, name)) and is_served(device, name):
            yield name


def is_served(device: Device, name: str) -> bool:
    """Tell whether clients may call the method: one that stops, or that is declared as one that acts."""
    method = inspect.getattr_static(type(device), name, None)
    return callable(method) and (name in STOPS or acts(method))


def begin(device: Device, name: str, *arguments: Any, **keywords: Any) -> Future:
    """Call the method and return the future of it, also if it is a plain one."""
    method = getattr(device, name)
    return (method if hasattr(method, "asynchronous") else async_(method))(*arguments, **keywords)


def describe(device: Device) -> dict[str, Any]:
    """Return the device's class, what it stands for, its parameters and methods, as plain values and quantities."""
    return {
        "name": device.name,
        "class": type(device).__name__,
        "doc": inspect.getdoc(type(device)) or "",
        "families": [[each.__module__, each.__name__] for each in type(device).__mro__ if _is_family(each)],
        "main_parameter": device.main_parameter,
        "parameters": [_parameter(value) for value in device],
        "methods": [_method(device, name) for name in methods(device)],
    }


def limits(device: Device) -> dict[str, Any]:
    """Return the soft limits that the device has now, by the names of its quantities."""
    return {value.name: [value.lower, value.upper] for value in device if isinstance(value, QuantityValue)}


def _is_family(cls: type) -> bool:
    return _FAMILY.fullmatch(cls.__module__) is not None


def _parameter(value: ParameterValue) -> dict[str, Any]:
    told = {"name": value.name, "help": value.help, "readable": value.readable, "writable": value.writable}
    if isinstance(value, QuantityValue):
        shape = value._parameter.shape  # type: ignore[attr-defined]
        own = {"unit": f"{value.unit:D}", "limits": [value.lower, value.upper], "tolerance": value.tolerance}
        return {**told, **own, "kind": "quantity", "shape": shape}
    if isinstance(value, SelectionValue):
        return {**told, "kind": "selection", "values": list(value.values)}
    return {**told, "kind": "state" if isinstance(value, StateValue) else "parameter"}


def _method(device: Device, name: str) -> dict[str, Any]:
    method = getattr(device, name)
    parameters = [
        {"name": each.name, "kind": each.kind.name, **_default(each.default)}
        for each in inspect.signature(method).parameters.values()
    ]
    return {"name": name, "doc": inspect.getdoc(method) or "", "parameters": parameters}


def _default(default: Any) -> dict[str, Any]:
    if default is inspect.Parameter.empty:
        return {}
    try:
        dumps(default)
    except TypeError:  # what cannot be sent is not asked for either: the method has it where it is
        return {"default": None}
    return {"default": default}
