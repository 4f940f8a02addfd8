"""Results of scans, in their units, and where their motors have to be for them.

*scan* is the number of a stored scan, or what a scan is or has returned; without it the last scan that has ended is
meant. *signal* is what was read and is looked at, by name or as the device; without it the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._errors import ScanError
from concert.processes._region import TIME, parameter_of, short_name
from concert.processes._run import Run, last_run
from concert.processes._station import station
from concert.quantities import q
from concert.storage import ScanData, StoredScan
from concert.storage._data import single

Which = int | ScanData | StoredScan | Run | None

RESULTS = ("peak", "com", "cen")  # what one can go to by name


class Subject(NamedTuple):
    """A scan that is talked about: its *name* in messages, its *data*, and how to find what it has *moved*."""

    name: str
    data: ScanData
    moved: Callable[[], dict[str, ParameterValue]]


def measured(scan: Which = None) -> ScanData:
    """Return what *scan*, else the last scan, has measured: its columns, as :class:`.ScanData`."""
    return subject(scan).data


def peak(scan: Which = None, signal: Any = None) -> tuple[Any, Any]:
    """Return where the signal is greatest, and its value there.

    A position is a quantity, or where several motors were moved, a dictionary of one for each.
    """
    where, height = _curve(scan, signal).peak()
    return single(where), height


def com(scan: Which = None, signal: Any = None) -> Any:
    """Return the centre of mass of the signal above its smallest value, a position as :func:`peak` gives them."""
    return single(_curve(scan, signal).com())


def cen(scan: Which = None, signal: Any = None) -> Any:
    """Return the middle between the places where the signal crosses half of its height, a position."""
    return single(_curve(scan, signal).cen())


def fwhm(scan: Which = None, signal: Any = None) -> Any:
    """Return the full width at half maximum of the signal."""
    return _curve(scan, signal).fwhm()


def positions(scan: Which, point: Any, signal: Any = None) -> list[tuple[ParameterValue, Any]]:
    """Return where the motors of *scan* were, or have to be: parameters, each with its value.

    *point* is the number of a point, from 0, or from the end if it is negative; or ``"peak"``, ``"com"`` or ``"cen"``.
    Nothing is moved. Raise :exc:`.ScanError` if the session has no such motor any more, or the scan has moved nothing,
    :exc:`IndexError` if it has no such point, and :exc:`ValueError` if it has no such result.
    """
    what = subject(scan)
    parameters = what.moved()
    if not parameters:
        raise ScanError(f"{what.name} has moved nothing, so there is nowhere to go")
    where = _result(what, point, signal) if isinstance(point, str) else _point(what, point, list(parameters))
    return [(parameter, where[name]) for name, parameter in parameters.items()]


def subject(scan: Which) -> Subject:
    """Return what is known about *scan*; raise :exc:`.ScanError` if there is no such scan."""
    if scan is None:
        scan = _last()
    if isinstance(scan, Run):
        run = scan
        names = run.scan.positioners
        return Subject(run.title, run.data, lambda: dict(zip(names, run.scan.points.parameters, strict=False)))
    if isinstance(scan, ScanData):
        data = scan
        return Subject("the scan", data, lambda: _moved_by(data))
    stored = scan if isinstance(scan, StoredScan) else stored_scan(scan)
    return Subject(f"scan {stored.number}", stored.data, lambda: _moved_in(stored))


def stored_scan(number: Any) -> StoredScan:
    """Return the stored scan with that number; raise :exc:`.ScanError` if there is none."""
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)):
        raise TypeError(f"expected the number of a scan, its data or the run, not {number!r}")
    if station.catalogue is None:
        raise ScanError(f"scans are not stored here, so there is no scan {number}; give what the scan has returned")
    try:
        return station.catalogue[int(number)]
    except LookupError as error:
        raise ScanError(str(error)) from error


def _last() -> Run | StoredScan:
    run = last_run()
    if run is not None:
        return run
    if station.catalogue is not None and len(station.catalogue):
        return station.catalogue.last
    raise ScanError("no scan has been done yet")


def _curve(scan: Which, signal: Any) -> Any:
    return _curve_of(subject(scan), signal)


def _curve_of(what: Subject, signal: Any) -> Any:
    name = short_name(parameter_of(signal)) if isinstance(signal, (Device, ParameterValue)) else signal
    if name is not None and name not in what.data.columns:
        raise ScanError(f"{what.name} has not read {name}; it has {', '.join(what.data.columns)}")
    return what.data.curve(name)


def _result(what: Subject, result: str, signal: Any) -> Mapping[str, Any]:
    if result not in RESULTS:
        raise ValueError(f"expected the number of a point or one of {', '.join(RESULTS)}, not {result!r}")
    found = getattr(_curve_of(what, signal), result)()
    return found[0] if result == "peak" else found


def _point(what: Subject, point: Any, names: list[str]) -> Mapping[str, Any]:
    if isinstance(point, bool) or not isinstance(point, (int, np.integer)):
        raise TypeError(f"expected the number of a point or one of {', '.join(RESULTS)}, not {point!r}")
    count = len(what.data)
    if not -count <= point < count:
        has = f"has the points 0 to {count - 1}" if count else "has no points"
        raise IndexError(f"{what.name} {has}, and no point {point}")
    return {name: _plain(what.data[name][int(point)]) for name in names}


def _plain(value: Any) -> Any:
    """Return a value of a column as it was set."""
    if isinstance(value, q.Quantity):
        return value
    return value.item() if isinstance(value, np.generic) else value


def _moved_in(stored: StoredScan) -> dict[str, ParameterValue]:
    moved = [column for column in stored.columns if column.role == "positioner" and column.device]
    name = f"scan {stored.number}"
    return {column.name: _in_session(column.device, column.parameter, name) for column in moved}


def _moved_by(data: ScanData) -> dict[str, ParameterValue]:
    return {name: _found(name, "the scan") for name in data.positioners if name != TIME}


def _found(name: str, scan: str) -> ParameterValue:
    """Return the parameter that a column is called after."""
    if name in station.devices():
        return _in_session(name, "", scan)
    device, _, parameter = name.rpartition(".")
    return _in_session(device or name, parameter if device else "", scan)


def _in_session(name: str, parameter: str, scan: str) -> ParameterValue:
    devices = station.devices()
    device = devices.get(name)
    if device is None:
        has = f"; it has {', '.join(sorted(devices))}" if devices else ""
        raise ScanError(f"{name}, which {scan} has moved, is not in this session{has}")
    if parameter and parameter not in device:
        raise ScanError(f"{name}.{parameter}, which {scan} has moved, is not there any more")
    return device[parameter] if parameter else parameter_of(device)
