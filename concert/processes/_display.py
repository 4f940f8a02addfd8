"""What a scan shows while it runs: its points in a table, and a progress bar below."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from typing import Any, Self

from concert.quantities import q

WIDTH = 14  # characters of a column; wide enough for numbers of six digits


class Display:
    """Shows a scan called *title* with columns *names*, over the values *axis* of the first one: a context manager.

    The table goes to standard output. The bar, which is for people only, goes to standard error if that is a terminal.
    """

    def __init__(self, title: str, names: Sequence[str], axis: Any) -> None:
        self._title = title
        self._names = names
        self._points = len(axis)
        self._decimals = _decimals(axis)
        self._count = 0
        self._bar: Any = None

    def __enter__(self) -> Self:
        from tqdm import tqdm  # loaded with the first scan, not with every program

        class Bar(tqdm):
            monitor_interval = 0  # no thread that watches it: points come in their own time

        print(self._title, flush=True)
        self._bar = Bar(
            total=self._points, unit=" points", leave=True, disable=not sys.stderr.isatty(), dynamic_ncols=True
        )
        return self

    def __exit__(self, *_exception: Any) -> None:
        self._bar.close()

    def point(self, row: Sequence[Any]) -> None:
        """Show a point that was measured."""
        if not self._count:
            labels = [
                f"{name} / {unit}" if unit else name for name, unit in zip(self._names, map(_unit, row), strict=True)
            ]
            self._widths = [max(WIDTH, len(label) + 2) for label in labels]
            self._print(
                "   #" + "".join(f"{label:>{width}}" for label, width in zip(labels, self._widths, strict=True))
            )
        numbers = [f"{_magnitude(row[0]):.{self._decimals}f}", *map(_number, row[1:])]
        self._print(
            f"{self._count:4}" + "".join(f"{n:>{width}}" for n, width in zip(numbers, self._widths, strict=True))
        )
        self._count += 1
        parts = zip(self._names, numbers, map(_unit, row), strict=True)
        self._bar.set_postfix_str(
            "  ".join(f"{name} {number} {unit}".strip() for name, number, unit in parts), refresh=False
        )
        self._bar.update()

    def _print(self, line: str) -> None:
        with self._bar.external_write_mode(file=sys.stdout):
            print(line, flush=True)


def _decimals(axis: Any) -> int:
    """Return how many decimals show the steps between the values with three digits."""
    numbers = [float(_magnitude(value)) for value in axis]
    steps = [abs(after - before) for before, after in itertools.pairwise(numbers) if after != before]
    return max(0, 2 - math.floor(math.log10(min(steps)))) if steps else 3


def _magnitude(value: Any) -> Any:
    return value.magnitude if isinstance(value, q.Quantity) else value


def _unit(value: Any) -> str:
    return f"{value.units:~P}" if isinstance(value, q.Quantity) else ""


def _number(value: Any) -> str:
    magnitude = _magnitude(value)
    return f"{magnitude:.4g}" if isinstance(magnitude, float) else str(magnitude)
