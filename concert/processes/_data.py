"""What a scan has measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from concert.quantities import q
from concert.storage import ScanData

__all__ = ["ScanData", "as_column"]


def as_column(values: list[Any]) -> Any:
    """Return the values of one column as an array quantity, in the unit of the first one; text as a plain array."""
    first = values[0] if values else None
    if not isinstance(first, q.Quantity):
        array = np.asarray(values)
        return array * q.dimensionless if array.dtype.kind in "biufc" else array
    unit, container = first.units, first._units
    # Converting takes twenty times as long as looking, and most values come in the same unit.
    numbers = [value._magnitude if value._units is container else value.m_as(unit) for value in values]
    return np.asarray(numbers) * unit
