"""The devices of a session in one table: what they are, how they are and where, and what is wrong with them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from concert._cooperative import in_notebook
from concert.async_ import Future
from concert.base import ParameterValue
from concert.devices.base import Device
from concert.session.offline import Offline, reason_of
from concert.session.rounding import limits, rounded
from concert.tables import get_default_table, print_table

ANSWER_TIME = 2.0  # seconds that all devices together have to answer
OFFLINE = "offline"


class Row(NamedTuple):
    """What the table says about a device; all of it is text."""

    name: str
    kind: str
    state: str
    value: str
    limits: str
    problem: str  # why it is offline

    def cells(self) -> list[str]:
        """Return what goes into the table's columns."""
        if not self.problem:
            return [self.name, self.kind, self.state, self.value, self.limits]
        return [self.name, self.kind, self.state, "", ""]


class _Reading:
    """What is being read from one device."""

    def __init__(self, name: str, device: Device) -> None:
        self._name = name
        self._device = device
        self._main: ParameterValue | None = None
        self._state = self._value = None
        if isinstance(device, Offline):
            return
        if "state" in device:
            self._state = device["state"].get()
        if device.main_parameter is not None:
            self._main = device[device.main_parameter]
            self._value = self._main.get()

    def row(self, deadline: float) -> Row:
        state, state_problem = _read(self._state, deadline)
        value, value_problem = _read(self._value, deadline)
        problem = self._device._reason if isinstance(self._device, Offline) else state_problem or value_problem
        if problem:
            state = OFFLINE
        shown = "" if self._main is None or problem else f"{self._main.name} {rounded(self._main, value)}"
        bounds = "" if self._main is None else limits(self._main)
        return Row(self._name, type(self._device).__name__, state or "", shown, bounds, problem)


def rows(devices: Mapping[str, Device]) -> list[Row]:
    """Ask all *devices* at the same time, and return what they answer within :data:`ANSWER_TIME`."""
    deadline = time.monotonic() + ANSWER_TIME
    readings = [_Reading(name, device) for name, device in devices.items()]
    return [reading.row(deadline) for reading in readings]


def overview(devices: Mapping[str, Device]) -> list[str]:
    """Return the lines of the table of *devices*; a device that is offline has its reason instead of a value."""
    found = rows(devices)
    if not found:
        return []
    table = get_default_table(("device", "class", "state", "value", "limits"))
    table.header = False
    table.max_table_width = 10_000  # a line for each device, in a narrow terminal as well
    for row in found:
        table.add_row(row.cells())
    lines = [f"  {line.rstrip()}" for line in table.get_string().splitlines()]
    where = max(len(row.name) for row in found), max(len(row.kind) for row in found)
    indent = 2 + sum(where) + 4 + max(len(row.state) for row in found) + 2
    return [
        f"{line:<{indent}}{row.problem}; reconnect({row.name})" if row.problem else line
        for line, row in zip(lines, found, strict=True)
    ]


def show(devices: Mapping[str, Device]) -> None:
    """Show the table of *devices*; in a notebook it is one of HTML."""
    if in_notebook():
        cells = [(*row.cells()[:3], row.problem or row.value, row.limits) for row in rows(devices)]
        print_table(("device", "class", "state", "value", "limits"), cells)
    else:
        print("\n".join(overview(devices)) or "no devices")


def _read(reading: Future | None, deadline: float) -> tuple[Any, str]:
    """Return what was read, and why nothing was."""
    if reading is None:
        return None, ""
    try:
        return reading.result(timeout=max(0.0, deadline - time.monotonic())), ""
    except TimeoutError as error:
        if not reading.done():
            reading.cancel(block=False)
            return None, f"no answer within {ANSWER_TIME:g} s"
        return None, reason_of(error)
    except Exception as error:  # whatever is wrong with one device, the others are shown
        return None, reason_of(error)
