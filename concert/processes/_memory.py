"""The record of a scan that is not stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from concert.quantities import q
from concert.storage import ScanData


class MemoryRecord:
    """Keeps the points of a scan in memory: what a :class:`concert.storage.Record` is for scans that are not stored.

    *make_data* makes the data from the rows.
    """

    number = None
    path = None

    def __init__(self, make_data: Callable[[Sequence[tuple[Any, ...]]], ScanData]) -> None:
        self._make_data = make_data
        self._rows: list[tuple[Any, ...]] = []

    def append(self, values: tuple[Any, ...], wait: bool = True) -> None:
        """Add a point."""
        self._rows.append(values)

    def flush(self) -> None:
        """Do nothing: there is nothing to wait for."""

    @property
    def durable(self) -> int:
        """How many points there are."""
        return len(self._rows)

    def rows(self, start: int, stop: int) -> list[tuple[Any, ...]]:
        """Return points as they were added."""
        return self._rows[start:stop]

    @property
    def data(self) -> ScanData:
        """The points so far."""
        return self._make_data(self._rows)

    def finish(self, status: str, reason: str = "", snapshot: Any = None) -> None:
        """Do nothing: there is nothing to close."""


def columns_of(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Return the rows as columns by name, array quantities."""
    if not rows:
        return {name: as_column([]) for name in names}
    return {name: as_column(list(column)) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def as_column(values: list[Any]) -> Any:
    """Return the values of one column as an array quantity, in the unit of the first one; text as a plain array."""
    first = values[0] if values else None
    if not isinstance(first, q.Quantity):
        array = np.asarray(values)
        return array * q.dimensionless if array.dtype.kind in "biufc" else array
    unit, container = first.units, first._units
    numbers = []
    for value in values:
        # Converting takes twenty times as long as looking, and most values come in the same unit.
        if value._units is not container and value._units == container:
            container = value._units
        numbers.append(value._magnitude if value._units is container else value.m_as(unit))
    return np.asarray(numbers) * unit
