"""Every device of what is running: for stopping all of them, none may be forgotten, wherever it is kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from concert.async_._native import members
from concert.devices.base import Device, every_device_made
from concert.helpers import Bunch
from concert.session.loader import SessionLoader
from concert.session.offline import Offline

_namespaces: list[MutableMapping[str, Any]] = []

SEQUENCES = (list, tuple, set, frozenset)
LARGE = 1000  # what has more entries is data: nobody should wait for a search of it


def include(namespace: MutableMapping[str, Any]) -> None:
    """Let the devices in *namespace*, for example of a prompt, be among :func:`every_device`."""
    if not any(each is namespace for each in _namespaces):
        _namespaces.append(namespace)


def every_device(*more: Mapping[str, Any]) -> dict[str, Device]:
    """Return each device of this process once; what the loaded sessions and *more* have, by the name it has there.

    Unlike for tables of devices, private names count, and so do devices in lists, dictionaries and bunches, and in
    those in them. A device that is kept elsewhere, in an object or a function, has its own name.
    """
    modules = {name: vars(module) for name, module in list(sys.modules.items()) if _is_session(module)}
    found: dict[str, Device] = {}
    seen: set[int] = set()
    for prefix, namespace in [*(("", each) for each in (*more, *_namespaces)), *modules.items()]:
        for name, device in _devices(namespace):
            if id(device) not in seen:
                seen.add(id(device))
                found[f"{prefix}.{name}" if name in found and prefix else _unused(name, found)] = device
    for device in every_device_made():
        if id(device) not in seen and not isinstance(device, Offline):  # one that nothing stands for any more
            found[_unused(_name_of(device), found)] = device
    return found


def replace(old: Device, new: Device) -> None:
    """Let *new* have every name that *old* has, in the loaded sessions and at the prompt, also in their containers."""
    entered: set[int] = set()
    for namespace in [*_namespaces, *map(vars, filter(_is_session, list(sys.modules.values())))]:
        _renewed(namespace, old, new, entered)


def _renewed(value: Any, old: Device, new: Device, entered: set[int]) -> Any:
    """Return what is to be in the place of *value*: itself, with *new* where *old* was in it, if it can be changed."""
    if value is old:
        return new
    entries: Any = vars(value) if isinstance(value, Bunch) else value
    is_mapping = isinstance(entries, dict)
    if id(value) in entered or not (is_mapping or (isinstance(entries, SEQUENCES) and len(entries) <= LARGE)):
        return value
    entered.add(id(value))
    before = members(entries.items()) if is_mapping else list(enumerate(members(entries)))
    after = {key: _renewed(entry, old, new, entered) for key, entry in before}
    changed = {key: after[key] for key, entry in before if after[key] is not entry}
    if not changed:
        return value
    if isinstance(entries, (tuple, frozenset)):
        return getattr(type(entries), "_make", type(entries))(after.values())
    if isinstance(entries, set):
        entries.clear()
        entries.update(after.values())
    else:
        for key, entry in changed.items():
            entries[key] = entry
    return value


def publish(names: Mapping[str, Any]) -> None:
    """Let the prompt have *names* as well, except those that it has already."""
    for namespace in _namespaces:
        for name, value in names.items():
            namespace.setdefault(name, value)


def _is_session(module: Any) -> bool:
    return isinstance(getattr(module, "__loader__", None), SessionLoader)


def _devices(namespace: Mapping[str, Any]) -> Iterator[tuple[str, Device]]:
    public_first = sorted(members(namespace.items()), key=lambda item: str(item[0]).startswith("_"))
    entered = {id(namespace)}
    for name, value in public_first:
        yield from _devices_in(name, value, entered)


def _devices_in(name: str, value: Any, entered: set[int]) -> Iterator[tuple[str, Device]]:
    """Yield *value*, called *name*, if it is a device, else the devices in it; nothing is *entered* twice."""
    if isinstance(value, Device):
        yield name, value
    elif id(value) not in entered:
        entries = list(_entries(name, value))
        if entries:
            entered.add(id(value))
        for entry_name, entry in entries:
            yield from _devices_in(entry_name, entry, entered)


def _entries(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the container *value* has in it, each with how it is written; nothing for what is none, or large."""
    if isinstance(value, Bunch):
        yield from ((f"{name}.{key}", each) for key, each in members(vars(value).items()))
    elif isinstance(value, (dict, *SEQUENCES)) and len(value) <= LARGE:
        entries = value.items() if isinstance(value, dict) else enumerate(members(value))
        yield from ((f"{name}[{key!r}]", each) for key, each in members(entries))


def _name_of(device: Device) -> str:
    try:
        return str(device.name)
    except Exception:  # whatever is wrong with it, it must be told to stop
        return type(device).__name__


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    unused = name
    while unused in taken:
        unused, number = f"{name} ({number})", number + 1
    return unused
