"""Going on with a scan that has ended before its time, in a new process too."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np

from concert.processes import describe
from concert.processes._errors import ScanError
from concert.processes._hooks import Hooks
from concert.processes._names import found, found_parameter
from concert.processes._plan import NUMBERS, Plan
from concert.processes._points import Grid, Points, Repeated, Together
from concert.processes._region import Region
from concert.processes._scan import Scan
from concert.processes._station import station
from concert.quantities import q
from concert.storage import StoredScan


def unfinished(number: int | None = None) -> StoredScan:
    """Return the stored scan *number*, or the latest one, which must have ended before its time.

    Raise :exc:`.ScanError` if it has not, or there is none.
    """
    catalogue = station.catalogue
    if catalogue is None or not len(catalogue):
        where = "" if catalogue is None else f" in {catalogue.directory}"
        raise ScanError(f"there is no stored scan{where} to go on with")
    try:
        stored = catalogue.last if number is None else catalogue[number]
    except LookupError as error:
        raise ScanError(str(error)) from error
    if stored.status in ("done", "running"):
        raise ScanError(f"scan {stored.number} is {stored.status}, there is nothing to go on with")
    return stored


def resumed(stored: StoredScan) -> Scan:
    """Return the description of the stored scan, whose first point is that behind the last one which is stored.

    Raise :exc:`.ScanError` if it cannot go on here.
    """
    scan = scan_of(stored.plan)
    names = [column.name for column in stored.columns]
    if scan.names != names:
        raise ScanError(
            f"scan {stored.number} has the columns {', '.join(names)}, but would get {', '.join(scan.names)}"
        )
    scan.metadata = stored.metadata
    return scan


def scan_of(plan: Plan) -> Scan:
    """Return the scan that *plan* describes, with what the session has under the names in it.

    Raise :exc:`.ScanError` if it cannot go on in a new process, or something has no such name any more.
    """
    if "impossible" in plan:
        raise ScanError(plan["impossible"])
    hooks = Hooks(**{moment: [found(each) for each in references] for moment, references in plan["hooks"].items()})
    options = {
        "read": [found(each) for each in plan["read"]],
        "time": None if plan["time"] is None else plan["time"] * q.s,
        "hooks": hooks,
        "gather": plan["gather"],
        "kind": plan["kind"],
    }
    points = plan["points"]
    if points["form"] == "generated":
        motors = [found_parameter(each) for each in points["parameters"]]
        again: Callable[..., Scan] = getattr(describe, points["by"])
        return again(motors, found(points["decides"]), **options)
    scan = Scan(_found_points(points), title=plan["title"], period=plan["period"], **options)
    scan.origins = {found_parameter(each): _found_values(where)[0] for each, where in plan["origins"]}
    return scan


def _found_points(stored: Plan) -> Points:
    if stored["form"] == "repeated":
        return Repeated(stored["count"])
    regions = [Region(found_parameter(each), _found_values(values)) for each, values in stored["regions"]]
    return Grid(regions, stored["snake"]) if stored["form"] == "grid" else Together(regions)


def _found_values(stored: Plan) -> Any:
    if "values" in stored:
        return stored["values"]
    numbers = np.frombuffer(base64.b64decode(stored["numbers"]), NUMBERS).reshape(stored["shape"])
    return q.Quantity(numbers, stored["unit"])
