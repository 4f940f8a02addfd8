"""Where a signal has its peak, its centre of mass, its centre and its width, over what was varied."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from concert.quantities import q, shown


class Curve:
    """The column *signal* over *positions*, which are the columns that were varied, by name.

    Positions come as a dictionary with one for each of these. Everything raises :exc:`ValueError` where there is
    nothing to be found, and says why. Points without a number, NaN for example, are passed over.
    """

    def __init__(self, positions: Mapping[str, Any], name: str, signal: Any) -> None:
        self.name = name
        self._signal = signal
        self._y = _numbers(name, signal)
        self._valid = np.flatnonzero(np.isfinite(self._y))
        self._positions = positions
        if not len(self._valid):
            raise ValueError(f"{name} has not been measured at any point of this scan yet")

    def peak(self) -> tuple[dict[str, Any], Any]:
        """Return where the signal is greatest, and its value there."""
        index = int(self._valid[np.argmax(self._y[self._valid])])
        return {name: column[index] for name, column in self._positions.items()}, self._signal[index]

    def com(self) -> dict[str, Any]:
        """Return the centre of mass of the signal above its smallest value."""
        weights = self._height()
        if not weights.sum():
            raise ValueError(f"{self.name} is the same everywhere and has no centre of mass")
        return {
            name: q.Quantity(float(np.average(self._along(name), weights=weights)), column.units)
            for name, column in self._columns()
        }

    def cen(self) -> dict[str, Any]:
        """Return the middle between the two places where the signal crosses half of its height above the background."""
        axis, left, right = self._half_maxima()
        x = self._along(axis)
        order = np.argsort(x)
        middle = (left + right) / 2
        return {
            name: q.Quantity(float(np.interp(middle, x[order], self._along(name)[order])), column.units)
            for name, column in self._columns()
        }

    def fwhm(self) -> Any:
        """Return the full width at half maximum above the background."""
        axis, left, right = self._half_maxima()
        unit = self._positions[axis].units
        return q.Quantity(right, unit) - q.Quantity(left, unit)  # a difference, of temperatures too

    def summary(self) -> str:
        """Return the peak, the centre and the width as a line of text, as far as there are any."""
        where, height = self.peak()
        parts = [f"peak {_rounded(height)}"]
        if where:
            parts[0] += f" at {self._shown(where)}"
            try:
                parts += [f"cen {self._shown(self.cen())}", f"fwhm {_rounded(self.fwhm())}"]
            except ValueError:  # no peak with two flanks
                pass
        return " · ".join(parts)

    def _shown(self, where: Mapping[str, Any]) -> str:
        """Return positions with as many digits as the distances between the points are worth."""
        texts = {name: self._position(name, value) for name, value in where.items()}
        return ", ".join(texts.values() if len(texts) == 1 else (f"{name} {text}" for name, text in texts.items()))

    def _position(self, name: str, value: Any) -> str:
        decimals = decimals_of(self._positions[name])
        if decimals is None or not isinstance(value, q.Quantity):
            return shown(value)
        return f"{value.magnitude:.{decimals}f} {value.units:~P}".rstrip()

    def _columns(self) -> list[tuple[str, Any]]:
        if not self._positions:
            raise ValueError("nothing was moved in this scan, so there is no position to be found")
        return list(self._positions.items())

    def _along(self, name: str) -> Any:
        return _numbers(name, self._positions[name])[self._valid]

    def _height(self) -> Any:
        y = self._y[self._valid]
        return y - y.min()

    def _axis(self) -> str:
        """Return what the signal is a curve over: the first one that goes one way, if several were varied."""
        names = [name for name, _ in self._columns()]
        if len(names) == 1:
            return names[0]
        for name in names:
            steps = np.diff(self._along(name))
            if np.all(steps > 0) or np.all(steps < 0):
                return name
        raise ValueError(
            f"{self.name} was measured over an area of {' and '.join(names)}: it has a peak and a centre of mass, "
            "but no centre or width"
        )

    def _half_maxima(self) -> tuple[str, float, float]:
        axis = self._axis()
        positions, height = self._along(axis), self._height()
        order = np.argsort(positions, kind="stable")
        x, y = positions[order], height[order]
        top = int(np.argmax(y))
        half = y[top] / 2
        left = _crossing(x[top::-1], y[top::-1], half)
        right = _crossing(x[top:], y[top:], half)
        if left is None or right is None:
            raise ValueError(f"{self.name} has no peak with two flanks in this scan, so it has no centre or width")
        return axis, left, right


def decimals_of(column: Any) -> int | None:
    """Return how many decimals show the distances between the values with three digits; None for other than numbers."""
    numbers = np.asarray(getattr(column, "magnitude", column))
    if numbers.dtype.kind not in "iuf" or numbers.ndim != 1 or not len(numbers):
        return None
    values = np.unique(numbers[np.isfinite(numbers)])
    steps = np.diff(values)
    # Values that were computed in two ways differ by a rounding error, which is no step.
    steps = steps[steps > 1e-9 * np.abs(values).max()] if len(steps) else steps
    return max(0, 2 - math.floor(math.log10(steps.min()))) if len(steps) else 3


def _numbers(name: str, column: Any) -> Any:
    """Return a column as numbers."""
    numbers = np.asarray(getattr(column, "magnitude", column))
    if numbers.dtype.kind not in "biuf" or numbers.ndim != 1:
        raise ValueError(f"{name} is not one number at each point, so there is nothing to be found in it")
    return numbers.astype(float)


def _rounded(value: Any) -> str:
    return f"{value:.4g~P}".rstrip() if isinstance(value, q.Quantity) else f"{value:.4g}"


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
