"""How two snapshots differ: what was set or read otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from concert.base import QuantityValue
from concert.processes._errors import ScanError
from concert.processes._results import Which, stored_scan
from concert.processes._run import Run
from concert.processes._snapshot import said, snapshot
from concert.processes._station import station
from concert.quantities import q, shown
from concert.storage import StoredScan
from concert.tables import get_default_table

MISSING = type("Missing", (), {"__repr__": lambda _: "–", "__slots__": ()})()

SAME = 1e-9  # the relative difference of numbers that are the same, but for their units and their way through a file


class Change(NamedTuple):
    """What a parameter of a device was *before* and is *after*; :data:`MISSING` where there was no such parameter."""

    device: str
    parameter: str
    before: Any
    after: Any

    @property
    def difference(self) -> Any:
        """*after* minus *before*, None for other than single numbers."""
        if not all(isinstance(each, q.Quantity) and np.ndim(each.magnitude) == 0 for each in (self.before, self.after)):
            return None
        try:
            return (self.after - self.before).to((self.before - self.before).units)
        except Exception:  # of different dimensions, for example
            return None


class Difference(list[Change]):
    """What has changed between *first* and *second*, the names of two moments; printing it gives a table."""

    def __init__(self, changes: Iterator[Change], first: str, second: str) -> None:
        super().__init__(changes)
        self.first, self.second = first, second

    def __str__(self) -> str:
        if not self:
            return f"nothing is different between {self.first} and {self.second}"
        table = get_default_table(("device", "parameter", self.first, self.second, "difference"))
        previous = ""
        for change in self:
            difference = "" if change.difference is None else _signed(change.difference)
            device = change.device if change.device != previous else ""
            table.add_row([device, change.parameter, said(change.before), said(change.after), difference])
            previous = change.device
        return "\n".join(line.rstrip() for line in table.get_string().splitlines())

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # what the prompt shows
        printer.text(str(self))


def diff(first: Which | Mapping[str, Any] = None, second: Which | Mapping[str, Any] = None) -> Difference:
    """Return what was set or read otherwise at two moments, as a list that prints as a table.

    Each is a snapshot, or a stored scan or its number, which stands for the moment before it. ``diff(41, 42)`` compares
    what two scans were done with, ``diff(42)`` the moments before and after a scan, ``diff(snap)`` a snapshot with now,
    and ``diff()`` the moments before and after the last stored scan.

    Numbers differ by more than the tolerance of their parameter, if it has one.
    """
    if second is not None:
        return _difference(*_moment(first), *_moment(second))
    if isinstance(first, Mapping):
        return _difference(first, "then", snapshot(), "now")
    stored = _stored(first)
    if stored.snapshot_after is None:
        raise ScanError(f"scan {stored.number} has no snapshot after it: it is {stored.status}")
    return _difference(
        stored.snapshot_before, f"before scan {stored.number}", stored.snapshot_after, f"after scan {stored.number}"
    )


def _moment(what: Any) -> tuple[Mapping[str, Any], str]:
    if isinstance(what, Mapping):
        return what, "snapshot"
    stored = _stored(what)
    return stored.snapshot_before, f"scan {stored.number}"


def _stored(what: Any) -> StoredScan:
    if isinstance(what, StoredScan):
        return what
    if isinstance(what, Run):
        if what.number is None:
            raise ScanError(f"{what.title} is not stored, and only stored scans have snapshots")
        what = what.number
    if what is None:
        if station.catalogue is None or not len(station.catalogue):
            raise ScanError("no scan has been stored yet")
        return station.catalogue.last
    return stored_scan(what)


def _difference(before: Mapping[str, Any], first: str, after: Mapping[str, Any], second: str) -> Difference:
    if first == second:
        first, second = "first", "second"
    return Difference(_changes(before, after), first, second)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    for device in [*before, *(each for each in after if each not in before)]:
        old, new = before.get(device, {}), after.get(device, {})
        for parameter in [*old, *(each for each in new if each not in old)]:
            change = Change(device, parameter, old.get(parameter, MISSING), new.get(parameter, MISSING))
            if not _same(change):
                yield change


def _same(change: Change) -> bool:
    before, after = change.before, change.after
    try:
        if isinstance(before, q.Quantity) and isinstance(after, q.Quantity):
            margin = np.maximum(_tolerance(change, before), SAME * np.abs(before.magnitude))
            old, new = before.magnitude, after.m_as(before.units)
            return bool(np.all((np.abs(new - old) <= margin) | (new == old) | (np.isnan(new) & np.isnan(old))))
        return bool(np.all(before == after)) or (before != before and after != after)  # neither is a number
    except Exception:  # they cannot even be compared
        return False


def _tolerance(change: Change, unit_of: Any) -> float:
    """Return how far values may be apart and still be the same, as a number of that unit."""
    device = station.devices().get(change.device)
    parameter = device[change.parameter] if device is not None and change.parameter in device else None
    tolerance = parameter.tolerance if isinstance(parameter, QuantityValue) else None
    if tolerance is None:
        return 0.0
    return float(np.max((unit_of + tolerance).m_as(unit_of.units) - unit_of.magnitude))


def _signed(difference: Any) -> str:
    text = shown(difference)
    return text if text.startswith("-") else f"+{text}"
