"""Snapshots: what all devices are set to, and how two of them differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from concert.async_ import Future
from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._answers import NoAnswer, deadline, failure_of
from concert.processes._station import station
from concert.quantities import shown
from concert.tables import get_default_table


class Snapshot(dict[str, dict[str, Any]]):
    """What devices told, by device and parameter; printing it gives a table."""

    def __str__(self) -> str:
        table = get_default_table(("device", "parameter", "value"))
        for device, parameters in self.items():
            for number, (name, value) in enumerate(parameters.items()):
                table.add_row([device if not number else "", name, said(value)])
        return "\n".join(line.rstrip() for line in table.get_string().splitlines())

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # what the prompt shows
        printer.text(str(self))


class Unavailable(str):
    """Why a parameter could not be read."""

    __slots__ = ()


def snapshot(devices: Mapping[str, Device] | None = None) -> Snapshot:
    """Read every readable parameter of the *devices*, of the session's by default, at the same time.

    Return the values by device and parameter. A parameter that cannot be read in time has a text that says why instead,
    so nothing is missing silently. What a detector measures is left out, however: that takes its integration time, and
    it is in the points of a scan.
    """
    chosen = station.devices() if devices is None else devices
    reads = {name: {each.name: each.get() for each in _settings(device)} for name, device in chosen.items()}
    until = deadline()
    return Snapshot(
        (device, {name: _outcome(read, until) for name, read in parameters.items()})
        for device, parameters in reads.items()
    )


def said(value: Any) -> str:
    """Return a value as tables show it."""
    return str(value) if isinstance(value, str) else shown(value)


def _settings(device: Device) -> list[ParameterValue]:
    measures = device.detects or "integration_time" in device
    return [each for each in device if each.readable and not (measures and each.name == device.main_parameter)]


def _outcome(read: Future, until: float) -> Any:
    failure = failure_of(read, until)  # whatever is wrong with one, the others are read
    if failure is None:
        return read.result()
    return Unavailable(failure if isinstance(failure, NoAnswer) else f"unavailable: {failure}")
