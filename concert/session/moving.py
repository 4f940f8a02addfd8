"""Showing where things are while they move."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from concert.async_ import Future, wait
from concert.base import ParameterValue, QuantityValue
from concert.processes import short_name
from concert.quantities import shown

REFRESH = 0.2  # seconds between two looks


def move(moves: Sequence[tuple[ParameterValue, Any]]) -> None:
    """Set the parameters to the values, all at the same time, wait, and raise as :func:`.wait` does.

    In a terminal a line for each shows how far it is; it appears only for what takes longer than a moment.
    """
    if not sys.stderr.isatty():
        wait([parameter.set(value) for parameter, value in moves])
        return
    lines = [_Line(parameter, value, row) for row, (parameter, value) in enumerate(moves)]
    futures = [parameter.set(value) for parameter, value in moves]
    try:
        while not _done(futures):
            for line in lines:
                line.update()
    finally:
        for line in lines:
            line.close()


def _done(futures: list[Future]) -> bool:
    """Wait a moment; return whether that was enough, and raise what went wrong."""
    try:
        wait(futures, timeout=REFRESH)
    except TimeoutError:
        if all(future.done() for future in futures):  # one of them has failed with this
            raise
        return False
    return True


class _Line:
    """The progress of one move."""

    def __init__(self, parameter: ParameterValue, target: Any, row: int) -> None:
        self._parameter = parameter
        self._target = target
        self._row = row
        self._start = self._read()
        self._way = self._distance(target)
        self._bar: Any = None

    def update(self) -> None:
        """Show where it is."""
        if self._bar is None:
            self._bar = self._make_bar()
        here = self._read()
        if here is not None:
            self._bar.n = min(self._way, self._distance(here))
            self._bar.set_postfix_str(shown(here), refresh=False)
            self._bar.refresh()

    def close(self) -> None:
        """Show where it has ended."""
        if self._bar is not None:
            self.update()
            self._bar.close()

    def _make_bar(self) -> Any:
        from tqdm import tqdm  # loaded with the first move that takes time

        class Bar(tqdm):
            monitor_interval = 0  # no thread that watches it

        return Bar(
            total=self._way or None,
            position=self._row,
            desc=f"{short_name(self._parameter)} {shown(self._start)} → {shown(self._target)}",
            bar_format="{desc}  {bar:30}{postfix}  {remaining} left" if self._way else "{desc}  {elapsed}",
        )

    def _distance(self, value: Any) -> float:
        """Return how far *value* is from the start, as a number; 0 for what knows no distances."""
        if not isinstance(self._parameter, QuantityValue) or self._start is None:
            return 0.0
        return abs(float((value - self._start).m_as(self._parameter.unit)))

    def _read(self) -> Any:
        try:
            return self._parameter.get().result(timeout=1)
        except Exception:  # the move itself will say what is wrong
            return None
