"""A picture of a scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from concert.async_ import async_
from concert.storage._data import ScanData
from concert.storage._painting import ROWS, PaintingError, next_picture, painter


@async_
def plot_scan(path: Path, title: str, data: ScanData) -> Path:
    """Draw what was read against what was varied, with units on the axes, into the PNG file *path*: a future of it.

    Over one parameter, or over several that moved together, signals are curves, over an area of two they are images.
    What is not one number at each point is left out. Raise :exc:`.PaintingError` if it cannot be done.
    """
    picture = Picture(title, data.columns, data.positioners)
    try:
        picture.add(data.columns)
        picture.save(path)
    finally:
        picture.forget()
    return path


class Picture:
    """A picture of a scan that another process draws, so that nothing is kept waiting.

    *sample* has a value or all values of each column, which tell their units; *positioners* are those that were varied.
    *grid* are the positions of two that go through a grid, where that is known. With *window* it is shown
    in one, which is not a picture to be saved. Raise :exc:`.PaintingError` if there is nothing to draw.
    """

    def __init__(
        self,
        title: str,
        sample: Mapping[str, Any],
        positioners: Sequence[str],
        grid: Any = None,
        window: bool = False,
    ) -> None:
        moved = [name for name in positioners if is_drawable(sample[name])]
        signals = [name for name in sample if name not in positioners and is_drawable(sample[name])]
        if not signals:
            raise PaintingError(f"there is nothing in {title} that could be drawn")
        self.names = [*moved, *signals]
        self.units = [getattr(sample[name], "units", None) for name in self.names]
        self.process = painter(window)
        self._number = next_picture()
        labels = [
            [name, "" if unit is None else f"{unit:~P}"] for name, unit in zip(self.names, self.units, strict=True)
        ]
        self._order("begin", title=title, columns=labels, moved=len(moved), grid=grid, window=window)

    def add(self, columns: Mapping[str, Any]) -> None:
        """Add points, by column as array quantities, and wait until they are sent."""
        numbers = [_numbers(columns[name], unit) for name, unit in zip(self.names, self.units, strict=True)]
        rows = np.column_stack(numbers)
        for start in range(0, len(rows), ROWS):
            self.process.wait_until_sent()
            self.add_rows(rows[start : start + ROWS])

    def add_rows(self, rows: Any) -> None:
        """Add points, an array with a row for each and the numbers of the columns in :attr:`units`; do not wait."""
        self._order("rows", rows, rows=len(rows))

    def save(self, path: Path) -> None:
        """Save what there is in a PNG file, and wait for that."""
        self._order("save", path=str(path))
        self.process.wait_until_sent()
        self.process.saved(str(path))

    def show(self) -> None:
        """Wait until the window shows what there is."""
        name = f"window {self._number}"
        self._order("show", name=name)
        self.process.wait_until_sent()
        self.process.saved(name)

    def forget(self) -> None:
        """Let it be forgotten; a window keeps showing it."""
        self._order("forget")

    def _order(self, do: str, numbers: Any = None, **order: Any) -> None:
        self.process.order(do, self._number, numbers, **order)


def is_drawable(values: Any) -> bool:
    """Tell whether a column, or a value of it, is one real number for each point."""
    numbers = np.asarray(getattr(values, "magnitude", values))
    return numbers.dtype.kind in "biuf" and numbers.ndim <= 1


def _numbers(column: Any, unit: Any) -> Any:
    return np.asarray(column.m_as(unit) if unit is not None else column, dtype=float)
