"""Scans: something is varied, and at every point something is read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from concert.async_ import Future, async_, wait
from concert.processes._region import Region


def scan(
    feedback: Callable[[], Any], *regions: Region, callbacks: Mapping[Region, Callable[[], Any]] | None = None
) -> Iterator[Future]:
    """Vary the parameters of the *regions* and call *feedback* at every point.

    Generate a future for every point whose result is the tuple (x_0, ..., x_n, y): a value of each region, and what
    *feedback* returned. The last region varies fastest. The points are visited one after the other::

        resolve(scan(lambda: diode.intensity, Region(motor['position'], np.linspace(0, 1, 11) * q.mm)))

    *callbacks* are functions by region, called whenever the region's parameter has been set. A value that is refused
    fails the first point, before anything has moved; after a point that failed no other is begun.
    """
    if not regions:
        raise ValueError("expected at least one region to scan")
    for region in regions:
        if not isinstance(region, Region):
            raise TypeError(f"expected a Region, not {region!r}")
    return _points(feedback, regions, callbacks or {})


def _points(
    feedback: Callable[[], Any], regions: tuple[Region, ...], callbacks: Mapping[Region, Callable[[], Any]]
) -> Iterator[Future]:
    previous: Future | None = None
    before: tuple[int, ...] = (-1,) * len(regions)
    for indices in itertools.product(*(range(len(region.values)) for region in regions)):
        changed = [region for region, old, new in zip(regions, before, indices, strict=True) if old != new]
        values = tuple(region.values[index] for region, index in zip(regions, indices, strict=True))
        targets = {region: value for region, value in zip(regions, values, strict=True) if region in changed}
        checked = regions if previous is None else ()
        previous = _point(feedback, checked, targets, callbacks, values, previous)
        before = indices
        yield previous


@async_
def _point(
    feedback: Callable[[], Any],
    checked: tuple[Region, ...],
    targets: Mapping[Region, Any],
    callbacks: Mapping[Region, Callable[[], Any]],
    values: tuple[Any, ...],
    previous: Future | None,
) -> tuple[Any, ...]:
    if previous is not None:
        previous.join()
    for region in checked:
        region.check()
    wait([region.parameter.set(value) for region, value in targets.items()])
    for region in targets:
        if region in callbacks:
            callbacks[region]()
    reading = feedback()
    return (*values, reading.result() if isinstance(reading, Future) else reading)
