"""A scan as the catalogue has it, and its data, which are read when they are asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from concert.quantities import q
from concert.storage import _reading
from concert.storage._data import ScanData
from concert.storage._database import path_of
from concert.storage._export import to_pandas, to_xarray
from concert.storage._header import Column
from concert.storage._values import from_json

ELAPSED = "elapsed"  # stands in for the column that was varied where none was

FIELDS = (
    "number, title, command, kind, session, expected, status, reason, began, elapsed, columns, plan, metadata, "
    "snapshot_before, snapshot_after, versions, writer, has_file"
)


class StoredScan:
    """A scan as it was when it was asked for; its points are read when they are.

    ``number title command kind session status reason began ended points expected path columns plan metadata
    snapshot_before snapshot_after versions`` are what :class:`.Header` and :meth:`.Record.finish` were given. *status*
    is ``running``, ``done``, ``stopped``, ``aborted``, ``failed``, or ``interrupted`` if the process that wrote it is
    gone; *ended* is None while it runs, *points* says how many there are, *expected* how many there should be or None.

    Where units are not defined in this process, with ``q.define`` as when the scan was done, metadata and snapshots
    have an :class:`.UnknownQuantity`, and columns are plain numbers.
    """

    def __init__(self, database: Path, connection: sqlite3.Connection, row: tuple[Any, ...]) -> None:
        (
            self.number, self.title, self.command, self.kind, self.session, self.expected, self.status, self.reason,
            began, seconds, columns, plan, metadata, before, after, versions, writer, has_file,
        ) = row  # fmt: skip
        self._database = database
        self.path = path_of(database.parent, self.number)
        self.began = datetime.fromisoformat(began)
        # Not what the clock said then: it may have been set meanwhile.
        self.ended = None if seconds is None else self.began + timedelta(seconds=seconds)
        self.columns = tuple(Column(**each) for each in from_json(columns))
        self._texts = plan, metadata, before, after
        self.versions: dict[str, str] = from_json(versions)
        self.writer: dict[str, Any] = from_json(writer)
        self.has_file = bool(has_file)
        self.points = _reading.count(connection, self.number)

    def __repr__(self) -> str:
        return f"<StoredScan {self.number} {self.title}, {self.status}, {self.points} points>"

    @cached_property
    def plan(self) -> dict[str, Any]:
        return from_json(self._texts[0])

    @cached_property
    def metadata(self) -> dict[str, Any]:
        return from_json(self._texts[1])

    @cached_property
    def snapshot_before(self) -> dict[str, dict[str, Any]]:
        return from_json(self._texts[2])

    @cached_property
    def snapshot_after(self) -> dict[str, dict[str, Any]] | None:
        return None if self._texts[3] is None else from_json(self._texts[3])

    @cached_property
    def data(self) -> ScanData:
        """The columns, which are read from the disk when the first of them is asked for."""
        return stored_data(self._database, self)

    @cached_property
    def elapsed(self) -> Any:
        """When each point was complete: the time since the scan began, whatever the clock has done meanwhile."""
        return _reading.reading(self._database, _reading.elapsed, self.number, self.points).result() * q.s

    def to_pandas(self) -> Any:
        """Return the data as a :class:`pandas.DataFrame`, whose ``attrs["units"]`` has the units of the columns."""
        return to_pandas(self.data)

    def to_xarray(self) -> Any:
        """Return the data as a :class:`xarray.Dataset`, each variable with its ``units``."""
        return to_xarray(self.data)

    def rows(self, start: int = 0, stop: int | None = None) -> list[tuple[Any, ...]]:
        """Return the values of each point from *start* on, before *stop*, as tuples."""
        stop = self.points if stop is None else min(stop, self.points)
        return _reading.reading(self._database, _reading.rows, self.number, start, stop).result()


class _Columns(Mapping[str, Any]):
    """The columns of a stored scan, read all at once when the first is asked for."""

    def __init__(self, database: Path, number: int, names: tuple[str, ...], points: int) -> None:
        self._database = database
        self._number = number
        self._names = names
        self.points = points

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name == ELAPSED and name not in self._loaded:
            return _reading.reading(self._database, _reading.elapsed, self._number, self.points).result() * q.s
        return self._loaded.get(name, np.empty(0) * q.dimensionless)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @cached_property
    def _loaded(self) -> dict[str, Any]:
        return _reading.reading(self._database, _reading.columns, self._number, self.points).result()


def stored_data(database: Path, scan: Any) -> ScanData:
    """Return the data of *scan*: what has a ``number title columns points began``."""
    axis, signal = axis_and_signal(scan.columns)
    names = tuple(column.name for column in scan.columns)
    if axis not in names:
        names = (axis, *names)
    moved = [column.name for column in scan.columns if column.role == "positioner"]
    columns = _Columns(database, scan.number, names, scan.points)
    return ScanData(scan.title, columns, axis, signal, scan.began, moved or [axis])


def axis_and_signal(columns: tuple[Column, ...]) -> tuple[str, str]:
    """Return the names of what is plotted: the first column that was varied, else the time, and the first one read."""
    positioners = [column.name for column in columns if column.role == "positioner"]
    detectors = [column.name for column in columns if column.role == "detector"]
    return (positioners or [ELAPSED])[0], (detectors or positioners)[0]


def find(database: Path, connection: sqlite3.Connection, number: int) -> StoredScan:
    """Return a scan that exists."""
    row = connection.execute(f"SELECT {FIELDS} FROM scans WHERE number = ?", (number,)).fetchone()
    return StoredScan(database, connection, row)
