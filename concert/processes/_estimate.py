"""How long a scan will take, and how many bytes it will store."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from concert.base import ParameterValue, QuantityValue
from concert.processes._points import Points
from concert.processes._region import Region
from concert.processes._station import station
from concert.quantities import q
from concert.storage import StorageError

if TYPE_CHECKING:
    from concert.processes._scan import Scan

LOG = logging.getLogger("concert.scans")

MOST = 1_000_000  # so many steps are reckoned; of more, the time is that of so many, in proportion
TRUSTED = 3  # what took that many times longer than reckoned was not the same scan, unless
OVERHEAD = 0.05  # seconds a point explain it: of devices and functions that nothing is known of

FILE_BYTES = 40_000  # of a file without points, and a scan's row in the catalogue
POINT_BYTES = 40  # of a point in journal and file, besides its values
VALUE_BYTES = 18  # of a number there, in both

Here = Mapping[ParameterValue, Any]


def duration(scan: Scan, points: Points, here: Here) -> float | None:
    """Return how many seconds *scan* will take, None if nobody can tell.

    *here* is where the parameters are now. What drivers tell of their speeds and the integration time make a sum; what
    earlier scans with the same devices took includes what is in no sum, and is taken if it is not too different.
    """
    count = points.expected
    if count is None:
        return None
    exposure = 0.0 if scan.time is None else scan.time.m_as(q.s)
    if scan.period is not None:  # it is over with its last point
        return (count - 1) * max(scan.period, exposure) + exposure
    typical = _typical(scan)
    measuring = exposure * count
    moving = _motion(points, here)
    if moving is None:
        return None if typical is None else max(typical * count, measuring)
    reckoned = moving + measuring
    earlier = 0.0 if typical is None else typical * count
    measured = earlier if reckoned < earlier < TRUSTED * reckoned + OVERHEAD * count or not reckoned else reckoned
    return measured + _way_back(scan.points.relative, points, here)


def _typical(scan: Scan) -> float | None:
    """Return how many seconds a point of earlier scans with the same devices took, None if there were none."""
    catalogue = station.catalogue
    try:
        return None if catalogue is None else catalogue.typical(scan.kind, scan.columns)
    except (StorageError, OSError):  # what is wrong with the directory is found otherwise
        return None


def _motion(points: Points, here: Here) -> float | None:
    """Return the seconds that all motion takes, None if some parameter cannot tell."""
    if not points.regions:
        return None if points.parameters else 0.0
    count = min(points.expected or 0, MOST)
    longest = np.zeros(count)
    for at, region in enumerate(points.regions):
        steps = _steps(points, at, region, here.get(region.parameter), count)
        if steps is None:
            return None
        np.maximum(longest, steps, out=longest)
    return float(longest.sum()) * (points.expected or 0) / max(count, 1)


def _way_back(relative: Sequence[ParameterValue], points: Points, here: Here) -> float:
    """Return the seconds in which the *relative* parameters go back to where they are, as far as that can be told."""
    count = min(points.expected or 0, MOST)
    longest = 0.0
    for at, region in enumerate(points.regions):
        if region.parameter in relative and region.parameter in here and count:
            last = region.values[int(points.indices(at, count)[-1])]
            longest = max(longest, _time(region.parameter, last, here[region.parameter]) or 0.0)
    return longest


def _steps(points: Points, at: int, region: Region, here: Any, count: int) -> Any:
    """Return how many seconds a region's parameter needs to come to each of the first *count* points."""
    parameter, values = region.parameter, region.values
    if values.numbers is None or values.numbers.ndim != 1 or not isinstance(parameter, QuantityValue):
        return None
    if np.ndim(getattr(here, "magnitude", 0)) or not values.unit.is_compatible_with(parameter.unit):
        return None
    numbers = values.quantity.m_as(parameter.unit)[points.indices(at, count)]
    first = numbers[:1] if here is None else [here.m_as(parameter.unit)]
    way = np.concatenate([first, numbers])
    steps = np.zeros(count)
    if not np.isfinite(way).all():
        return None
    moves = np.flatnonzero(np.diff(way))
    time = _time(parameter, q.Quantity(way[moves], parameter.unit), q.Quantity(way[moves + 1], parameter.unit))
    if time is None:
        return None
    steps[moves] = time
    return steps


def _time(parameter: ParameterValue, begin: Any, end: Any) -> Any:
    """Return the seconds from *begin* to *end*, a value or an array of them each; None if nobody can tell."""
    try:
        time = parameter.estimate(begin, end)
        return None if time is None else time.m_as(q.s)
    except Exception:  # of a driver's: that nobody can tell how long it takes keeps no scan from running
        LOG.exception("how long %s takes to move could not be told", parameter.full_name)
        return None


def size(scan: Scan, readings: Mapping[ParameterValue, Any]) -> int | None:
    """Return how many bytes *scan* will store, None if it stores nothing or for as long as nobody stops it.

    *readings* are what detectors answered, which tells how large their values are.
    """
    count = scan.points.expected
    if count is None or station.data_directory is None:
        return None
    read = [readings.get(parameter) for parameter in scan.counting.parameters if parameter is not None]
    values = len(scan.names) + sum(max(np.size(getattr(each, "magnitude", 0)) - 1, 0) for each in read)
    return FILE_BYTES + count * (POINT_BYTES + VALUE_BYTES * values)


def disk() -> tuple[Path, int, bool] | None:
    """Return where scans are stored, how many bytes are free there, and whether it can be written; None for nowhere."""
    directory = station.data_directory
    if directory is None:
        return None
    there = directory
    while not there.exists() and there != there.parent:
        there = there.parent
    return directory, shutil.disk_usage(there).free, there.is_dir() and os.access(there, os.W_OK | os.X_OK)
