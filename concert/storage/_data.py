"""What a scan has measured."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np


class ScanData:
    """The columns of a scan, by name, each an array quantity with as many values as there are points.

    (Those of texts are plain arrays.) *title* says what was done; *axis* is the column that was varied and *signal* the
    first one that was read; *began* is when the scan began, with its time zone.
    """

    def __init__(self, title: str, columns: Mapping[str, Any], axis: str, signal: str, began: datetime) -> None:
        self.began = began
        self.title = title
        self.columns = columns
        self.axis = axis
        self.signal = signal

    def __len__(self) -> int:
        return len(self.columns[self.axis])

    def __getitem__(self, name: str) -> Any:
        try:
            return self.columns[name]
        except KeyError:
            raise KeyError(f"the scan has no column {name!r}; it has {', '.join(self.columns)}") from None

    def __repr__(self) -> str:
        return f"<ScanData {self.title}, {len(self)} points of {', '.join(self.columns)}>"

    @property
    def peak(self) -> tuple[Any, Any]:
        """Where the signal is greatest, and its value there."""
        index = int(np.argmax(self[self.signal].magnitude))
        return self[self.axis][index], self[self.signal][index]

    @property
    def com(self) -> Any:
        """The centre of mass of the signal above its smallest value."""
        weights = self._above_background()
        if not weights.sum():
            raise ValueError(f"{self.signal} is the same everywhere and has no centre of mass")
        return np.average(self[self.axis].magnitude, weights=weights) * self[self.axis].units

    @property
    def cen(self) -> Any:
        """The middle between the two places where the signal crosses half of its height above the background."""
        left, right = self._half_maxima()
        return (left + right) / 2

    @property
    def fwhm(self) -> Any:
        """The full width at half maximum above the background."""
        left, right = self._half_maxima()
        return right - left

    def summary(self) -> str:
        """Return the peak, the centre and the width as a line of text."""
        where, height = self.peak
        parts = [f"peak {height:.4g~P} at {where:.6g~P}"]
        try:
            parts += [f"cen {self.cen:.6g~P}", f"fwhm {self.fwhm:.4g~P}"]
        except ValueError:  # no peak with two flanks
            pass
        return " · ".join(parts)

    def _above_background(self) -> Any:
        signal = self[self.signal].magnitude
        return signal - signal.min()

    def _half_maxima(self) -> tuple[Any, Any]:
        axis = self[self.axis]
        height = self._above_background()
        order = np.argsort(axis.magnitude)
        x, y = axis.magnitude[order], height[order]
        top = int(np.argmax(y))
        half = y[top] / 2
        left = _crossing(x[top::-1], y[top::-1], half)
        right = _crossing(x[top:], y[top:], half)
        if left is None or right is None:
            raise ValueError(f"{self.signal} has no peak with two flanks in this scan, so it has no centre or width")
        return left * axis.units, right * axis.units


def _crossing(x: Any, y: Any, level: float) -> float | None:
    """Return where y, from its first value on, first falls to *level*, interpolated between two points."""
    below = np.flatnonzero(y <= level)
    if not len(below):
        return None
    after = int(below[0])
    if after == 0:
        return None
    before = after - 1
    part = (y[before] - level) / (y[before] - y[after])
    return float(x[before] + part * (x[after] - x[before]))
