"""Scans: something is varied, and at every point something is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from concert.async_ import Future, async_, wait
from concert.processes._points import Grid, Step
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

    Raise :exc:`ValueError` without regions, for relative ones, since futures that nobody takes could not go back, and
    if a parameter is in two of them; :exc:`TypeError` for what is no region.
    """
    if not regions:
        raise ValueError("expected at least one region to scan")
    for region in regions:
        if not isinstance(region, Region):
            raise TypeError(f"expected a Region, not {region!r}")
        if region.relative:
            raise ValueError(
                f"scan() does not go back, so the region of {region.parameter.full_name} must not be relative: "
                "give the values to go to, or use dscan or dmesh"
            )
    return _points(feedback, Grid(regions), callbacks or {})


def _points(feedback: Callable[[], Any], grid: Grid, callbacks: Mapping[Region, Callable[[], Any]]) -> Iterator[Future]:
    previous: Future | None = None
    for step in grid.steps():
        previous = _point(feedback, grid, step, callbacks, previous)
        yield previous


@async_
def _point(
    feedback: Callable[[], Any],
    grid: Grid,
    step: Step,
    callbacks: Mapping[Region, Callable[[], Any]],
    previous: Future | None,
) -> tuple[Any, ...]:
    if previous is not None:
        previous.join()
    else:
        grid.check()
    wait([grid.parameters[at].set(step.values[at]) for at in step.changed])
    for at in step.changed:
        if grid.regions[at] in callbacks:
            callbacks[grid.regions[at]]()
    reading = feedback()
    return (*step.values, reading.result() if isinstance(reading, Future) else reading)
