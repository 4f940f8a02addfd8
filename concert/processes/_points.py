"""The points of a scan: which values its parameters have, one point after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from concert.async_ import wait
from concert.base import ParameterValue
from concert.processes._region import Region, parameter_of
from concert.quantities import shown

MOST = 1_000_000  # so many points are looked at to say which ones are wrong

Source = Callable[[int, Callable[[], Any]], Iterable[Any]]


class Step(NamedTuple):
    """A point to go to: the *values* of all parameters, and which of them (by position) are to be set for it."""

    values: tuple[Any, ...]
    changed: tuple[int, ...]


class Points:
    """What a scan goes through: *parameters*, and their values at every point.

    ``len`` is the number of points where that is known, iterating gives a tuple of values for each.
    """

    parameters: tuple[ParameterValue, ...] = ()
    regions: tuple[Region, ...] = ()
    expected: int | None = None  # how many points there are, if that is known

    def steps(self, begin: int = 0, measured: Callable[[], Any] | None = None) -> Iterator[Step]:
        """Generate the steps from the point *begin* on; *measured* gives the data so far to who decides by them."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise what is wrong with any of the points, as a set would."""
        for region in self.regions:
            region.check()

    def indices(self, at: int, count: int) -> Any:
        """Return which of its values, by index, the region *at* has at each of the first *count* points."""
        return np.arange(count)

    def where(self, at: int, chosen: Any) -> Any:
        """Return the numbers of the points at which the region *at* has a value that is *chosen*, an array of truths.

        Of very many points only the first million is looked at.
        """
        return np.flatnonzero(chosen[self.indices(at, min(len(self), MOST))])

    @property
    def relative(self) -> list[ParameterValue]:
        """The parameters whose values are differences from where they are when the scan begins."""
        return [region.parameter for region in self.regions if region.relative]

    def placed(self) -> Points:
        """Return the points as they are from here: read where the parameters of relative regions are."""
        reads = {parameter: parameter.get() for parameter in self.relative}
        wait(reads.values())
        return self.placed_at({parameter: read.result() for parameter, read in reads.items()})

    def placed_at(self, here: Mapping[ParameterValue, Any]) -> Points:
        """Return the points as they are when the parameters of relative regions are *here*."""
        if not self.relative:
            return self
        return self._with([each.placed(here[each.parameter]) if each.relative else each for each in self.regions])

    def _with(self, regions: Sequence[Region]) -> Points:
        raise NotImplementedError

    def __len__(self) -> int:
        if self.expected is None:
            raise TypeError("how many points there will be is not known before")
        return self.expected

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return (step.values for step in self.placed().steps())


class Together(Points):
    """Points at which all parameters take their next value, at the same time."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self.regions = tuple(regions)
        self.parameters = _distinct(self.regions)
        counts = {len(region) for region in self.regions}
        if len(counts) != 1:
            listed = ", ".join(f"{each.parameter.full_name} {len(each)}" for each in self.regions)
            raise ValueError(f"parameters that move together need as many values each, not {listed}")
        self.expected = counts.pop()

    def steps(self, begin: int = 0, measured: Callable[[], Any] | None = None) -> Iterator[Step]:
        every = tuple(range(len(self.regions)))
        columns = [itertools.islice(region.values, begin, None) for region in self.regions]
        return (Step(values, every) for values in zip(*columns, strict=True))

    def _with(self, regions: Sequence[Region]) -> Together:
        return Together(regions)


class Grid(Points):
    """Every combination of the regions' values, the last region fastest; with *snake* it goes to and fro."""

    def __init__(self, regions: Sequence[Region], snake: bool = False) -> None:
        self.regions = tuple(regions)
        self.parameters = _distinct(self.regions)
        self.snake = snake
        self.expected = math.prod(len(region) for region in self.regions)

    def steps(self, begin: int = 0, measured: Callable[[], Any] | None = None) -> Iterator[Step]:
        before: tuple[int, ...] = (-1,) * len(self.regions)
        for point in range(begin, len(self)):
            indices = self._indices(point)
            values = tuple(region.values[index] for region, index in zip(self.regions, indices, strict=True))
            yield Step(values, tuple(at for at, index in enumerate(indices) if index != before[at]))
            before = indices

    def indices(self, at: int, count: int) -> Any:
        rounds = np.arange(count) // math.prod(len(region) for region in self.regions[at + 1 :])
        rounds, index = np.divmod(rounds, len(self.regions[at]))
        return np.where(rounds % 2, len(self.regions[at]) - 1 - index, index) if self.snake else index

    def _indices(self, point: int) -> tuple[int, ...]:
        """Return the index of each region's value at *point*."""
        indices = []
        for region in reversed(self.regions):
            point, index = divmod(point, len(region))
            # What is left of *point* counts the times that this region has been gone through.
            indices.append(len(region) - 1 - index if self.snake and point % 2 else index)
        return tuple(reversed(indices))

    def _with(self, regions: Sequence[Region]) -> Grid:
        return Grid(regions, self.snake)


class Generated(Points):
    """Points that are decided on while the scan runs.

    *source* is called with the number of points that there are already and a function that returns the data measured so
    far, and gives the further points: a value for each of the *parameters*, bare if there is but one.

    *by* is the description that made them, and *decides* the function it was given: with these they can be made again.
    """

    def __init__(self, parameters: Iterable[Any], source: Source, by: str = "", decides: Any = None) -> None:
        self.parameters = tuple(parameter_of(each) for each in parameters)
        self.source = source
        self.by = by
        self.decides = decides

    def steps(self, begin: int = 0, measured: Callable[[], Any] | None = None) -> Iterator[Step]:
        every = tuple(range(len(self.parameters)))
        for point in self.source(begin, measured or _nothing_measured):
            values = tuple(point) if isinstance(point, (tuple, list)) else (point,)
            if len(values) != len(every):
                raise ValueError(f"expected a value for each of {self._names()}, not {shown(point)}")
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.check_value(value)  # all of them, before the first one moves
            yield Step(values, every)

    def _names(self) -> str:
        return ", ".join(parameter.full_name for parameter in self.parameters)


class Repeated(Points):
    """Points at which nothing is moved: *count* of them, or None for as long as nobody stops it."""

    def __init__(self, count: int | None) -> None:
        self.expected = count

    def steps(self, begin: int = 0, measured: Callable[[], Any] | None = None) -> Iterator[Step]:
        left = itertools.repeat(None) if self.expected is None else range(begin, self.expected)
        return (Step((), ()) for _ in left)


def _distinct(regions: Sequence[Region]) -> tuple[ParameterValue, ...]:
    parameters = tuple(region.parameter for region in regions)
    twice = [each.full_name for each in parameters if parameters.count(each) > 1]
    if twice:
        raise ValueError(f"{twice[0]} can be moved only once in a scan")
    return parameters


def _nothing_measured() -> Any:
    raise RuntimeError("these points depend on what is measured, and can be told only while the scan runs")
