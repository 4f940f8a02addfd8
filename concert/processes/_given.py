"""What is typed after the name of a scan: motors, ends, numbers of intervals, a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._region import parameter_of
from concert.quantities import q, shown


def groups(kind: str, given: Sequence[Any], size: int, what: str) -> tuple[list[tuple[Any, ...]], list[Any]]:
    """Split what was given into groups that begin with something to move, and the rest."""
    moves: list[tuple[Any, ...]] = []
    rest = list(given)
    while rest and isinstance(rest[0], (Device, ParameterValue)):
        group, rest = tuple(rest[:size]), rest[size:]
        if len(group) < size or any(isinstance(each, (Device, ParameterValue)) for each in group[1:]):
            raise ValueError(f"expected {what} for {parameter_of(group[0]).full_name} in {kind}")
        moves.append(group)
    if not moves:
        first = shown(rest[0]) if rest else "nothing"
        raise TypeError(f"expected a device or a parameter such as motor['position'] for {kind}, not {first}")
    return moves, rest


def only_time(kind: str, rest: Sequence[Any], time: Any) -> Any:
    if len(rest) > 1 or (rest and time is not None):
        raise ValueError(f"expected at most an integration time at the end of {kind}, not {shown(rest[-1])}")
    return rest[0] if rest else time


def steps(motor: Device | ParameterValue, start: Any, stop: Any, intervals: int) -> Any:
    """Return the values from start to stop; both are taken as given: a computed end might be outside a limit."""
    name = parameter_of(motor).full_name
    for value, what in ((start, "start"), (stop, "stop")):
        if not isinstance(value, q.Quantity):
            raise ValueError(f"the {what} of a scan of {name} needs a unit: {shown(value)} has none")
    if not start.is_compatible_with(stop):
        raise ValueError(f"a scan of {name} cannot go from {shown(start)} to {shown(stop)}")
    unit = start.units
    if stop.units != unit:
        unit = getattr(parameter_of(motor), "unit", unit)  # in which limits are compared
    return q.Quantity(np.linspace(start.m_as(unit), stop.m_as(unit), intervals + 1), unit)


def intervals(intervals: Any) -> int:
    if isinstance(intervals, bool) or not isinstance(intervals, (int, np.integer)) or intervals < 1:
        raise ValueError(f"expected the number of intervals, 1 or more, not {shown(intervals)}")
    return int(intervals)


def point_count(points: Any) -> int | None:
    if points is not None and (isinstance(points, bool) or not isinstance(points, (int, np.integer)) or points < 1):
        raise ValueError(f"expected the number of points, 1 or more, not {shown(points)}")
    return None if points is None else int(points)
