"""Every device of what is running: for stopping all of them, none may be forgotten, wherever it is kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from concert.devices.base import Device
from concert.session.loader import SessionLoader

_namespaces: list[MutableMapping[str, Any]] = []

CONTAINERS = (list, tuple, set, frozenset)


def include(namespace: MutableMapping[str, Any]) -> None:
    """Let the devices in *namespace*, for example of a prompt, be among :func:`every_device`."""
    if not any(each is namespace for each in _namespaces):
        _namespaces.append(namespace)


def every_device(*more: Mapping[str, Any]) -> dict[str, Device]:
    """Return each device of the loaded sessions, and of the namespaces *more*, once, by the name it is found under.

    Unlike for tables of devices, private names count, and so do devices in lists and dictionaries.
    """
    modules = {name: vars(module) for name, module in list(sys.modules.items()) if _is_session(module)}
    found: dict[str, Device] = {}
    seen: set[int] = set()
    for prefix, namespace in [*(("", each) for each in (*more, *_namespaces)), *modules.items()]:
        for name, device in _devices(namespace):
            if id(device) not in seen:
                seen.add(id(device))
                found[f"{prefix}.{name}" if name in found and prefix else _unused(name, found)] = device
    return found


def replace(old: Device, new: Device) -> None:
    """Let *new* have every name that *old* has, in the loaded sessions and at the prompt."""
    for namespace in [*_namespaces, *map(vars, filter(_is_session, list(sys.modules.values())))]:
        for name in [name for name, value in namespace.items() if value is old]:
            namespace[name] = new


def publish(names: Mapping[str, Any]) -> None:
    """Let the prompt have *names* as well, except those that it has already."""
    for namespace in _namespaces:
        for name, value in names.items():
            namespace.setdefault(name, value)


def _is_session(module: Any) -> bool:
    return isinstance(getattr(module, "__loader__", None), SessionLoader)


def _devices(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Device]]:
    public_first = sorted(dict(namespace).items(), key=lambda item: str(item[0]).startswith("_"))
    for name, value in public_first:
        if isinstance(value, Device):
            yield name, value
        elif isinstance(value, CONTAINERS):
            yield from ((f"{name}[{index}]", each) for index, each in enumerate(value) if isinstance(each, Device))
        elif isinstance(value, dict) and value is not namespace:
            yield from ((f"{name}[{key!r}]", each) for key, each in list(value.items()) if isinstance(each, Device))


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused
