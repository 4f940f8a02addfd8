"""The station: what scans want to know of the session they run in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from concert.devices.base import Device
from concert.processes._hooks import Hooks


def _no_devices() -> Mapping[str, Device]:
    return {}


class Station:
    """Where scans run: a session fills this in; in a plain script everything is empty, and scans stay in memory."""

    def __init__(self) -> None:
        self.session = ""  # its name
        self.path = ""  # its file, with which a scan can go on in a new process
        self.devices: Callable[[], Mapping[str, Device]] = _no_devices  # all devices, by name
        self.names: Mapping[str, Any] = {}  # what the session has given names to
        self.hooks = Hooks()  # for every scan
        self.metadata: dict[str, Any] = {}  # for every scan: user, sample, comment
        self.typed = ""  # the command that is being executed, as it was typed


station = Station()
