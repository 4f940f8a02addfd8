"""Measuring two things against each other on a noisy machine: in turns, and by medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Comparison(NamedTuple):
    """A *figure* that should be at most *target* times the *limit*; both are functions that return seconds."""

    name: str
    figure: Callable[[], float]
    limit_name: str
    limit: Callable[[], float]
    target: float


class Result(NamedTuple):
    """Medians in *unit*, and the median of the ratios of the turns."""

    comparison: Comparison
    figure: float
    limit: float
    ratio: float

    @property
    def missed(self) -> bool:
        return self.ratio > self.comparison.target


def per_call(function: Callable[[], object], calls: int) -> Callable[[], float]:
    """Return a function that calls *function* so many times and returns the seconds for one."""

    def measure() -> float:
        repeat = range(calls)
        began = time.perf_counter()
        for _ in repeat:
            function()
        return (time.perf_counter() - began) / calls

    return measure


def compare(comparison: Comparison, turns: int = 9) -> Result:
    """Measure figure and limit in turns, after one turn that does not count."""
    comparison.figure(), comparison.limit()
    pairs = [(comparison.figure(), comparison.limit()) for _ in range(turns)]
    figures, limits = zip(*pairs, strict=True)
    ratio = statistics.median(figure / limit for figure, limit in pairs)
    return Result(comparison, statistics.median(figures), statistics.median(limits), ratio)
