"""What a Tango device has, as attributes of Python objects."""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from concert.networking._tango_errors import TangoRequestError


class Member(NamedTuple):
    """An attribute or a command of a device; *labels* are those of an enumeration."""

    name: str
    is_command: bool
    labels: tuple[str, ...] = ()

    def from_wire(self, value: Any) -> Any:
        """Return *value* as ``DeviceProxy`` does: enumerations with their labels."""
        if not self.labels or not isinstance(value, int):
            return value
        make: Any = enum.IntEnum  # whose name is not known before
        return make(self.name, {label: number for number, label in enumerate(self.labels)})(value)

    def to_wire(self, value: Any) -> Any:
        """Return *value* for Tango: the number of a label."""
        if not self.labels or not isinstance(value, str):
            return value
        if value not in self.labels:
            raise TangoRequestError(f"{self.name} must be one of {', '.join(self.labels)}, not {value!r}")
        return self.labels.index(value)


def members_of(proxy: Any) -> dict[str, Member]:
    """Return the attributes and commands of the device of a ``DeviceProxy``, by their names in lower case."""
    attributes = [
        Member(each.name, False, tuple(getattr(each, "enum_labels", ()))) for each in proxy.attribute_list_query_ex()
    ]
    commands = [Member(each.cmd_name, True) for each in proxy.command_list_query()]
    return {member.name.lower(): member for member in attributes + commands}
