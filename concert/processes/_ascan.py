"""Step scans of one motor, as they are typed: absolute and relative."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np

from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._counting import Counting, Readable
from concert.processes._data import ScanData, as_column
from concert.processes._display import Display
from concert.processes._region import Region, parameter_of, short_name
from concert.processes._scan import scan
from concert.quantities import q, shown


def ascan(
    motor: Device | ParameterValue,
    start: Any,
    stop: Any,
    intervals: int,
    time: Any = None,
    read: Readable | Iterable[Readable] | None = None,
) -> ScanData:
    """Move *motor* from *start* to *stop* in *intervals* steps, and read something at each of the intervals + 1 points.

    *motor* is a device, which stands for its main parameter, or a parameter. *time* is the integration time of what has
    one, else how long to wait before reading. *read* is what to read, one thing or several: devices, parameters or
    functions; without it, what was declared with :func:`counters`. A progress bar and the points are shown meanwhile.

    Nothing moves if any of the points is refused.
    """
    parameter = parameter_of(motor)
    _check_numbers(parameter, start, stop, intervals)
    unit = start.units
    # Both ends are taken as they are given: a computed end might be outside a limit by the last digit.
    steps = np.linspace(start.magnitude, stop.m_as(unit), intervals + 1)
    title = f"ascan {short_name(parameter)} {start.magnitude:g}–{stop.m_as(unit):g} {unit:~P}, {intervals + 1} points"
    return _run(title, Region(parameter, steps * unit), time, read)


def dscan(
    motor: Device | ParameterValue,
    start: Any,
    stop: Any,
    intervals: int,
    time: Any = None,
    read: Readable | Iterable[Readable] | None = None,
) -> ScanData:
    """Scan as :func:`ascan`, relative to where *motor* is, and move it back there afterwards, on failure too."""
    parameter = parameter_of(motor)
    _check_numbers(parameter, start, stop, intervals)
    here = parameter._read()
    try:
        return ascan(motor, here + start, here + stop, intervals, time, read)
    finally:
        parameter.set(here).join()


def _check_numbers(parameter: ParameterValue, start: Any, stop: Any, intervals: Any) -> None:
    for value, what in ((start, "start"), (stop, "stop")):
        if not isinstance(value, q.Quantity):
            raise ValueError(f"the {what} of a scan of {parameter.full_name} needs a unit: {shown(value)} has none")
    if not start.is_compatible_with(stop):
        raise ValueError(f"a scan of {parameter.full_name} cannot go from {shown(start)} to {shown(stop)}")
    if isinstance(intervals, bool) or not isinstance(intervals, (int, np.integer)) or intervals < 1:
        raise ValueError(f"expected the number of intervals, 1 or more, not {intervals!r}")


def _run(title: str, region: Region, time: Any, read: Readable | Iterable[Readable] | None) -> ScanData:
    counting = Counting(read)
    region.check()
    counting.prepare(time)
    names = [short_name(region.parameter), *counting.names]
    rows = []
    began = datetime.now().astimezone()
    with Display(title, names, region.values) as display:
        for future in scan(counting.read, region):
            value, readings = future.result()
            rows.append((value, *readings))
            display.point(rows[-1])
    columns = {name: as_column(list(column)) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return ScanData(title, columns, names[0], names[1], began)
