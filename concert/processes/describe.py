"""Descriptions of the usual scans: what each verb does, as a :class:`.Scan` that has not begun.

::

    scan = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 20, 0.1 * q.s)
    len(scan), scan.check(), scan.start()

*intervals* make one more point, and both ends are taken as they are given. *options* are those of :class:`.Scan`:
*read*, *hooks*, *metadata*, *gather*.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._given import groups, intervals, only_time, point_count, steps
from concert.processes._points import Generated, Grid, Repeated, Together
from concert.processes._region import Region
from concert.processes._scan import Scan
from concert.quantities import q, seconds, shown

Movable = Device | ParameterValue


def ascan(*motors_and_intervals: Any, time: Any = None, kind: str = "ascan", **options: Any) -> Scan:
    """Move from start to stop in steps: ``ascan(stage, 0 * q.mm, 10 * q.mm, 20, 0.1 * q.s)``.

    Give motor, start and stop, then the number of intervals, then the integration time if there is one. Several motors
    move together: ``ascan(x, 0 * q.mm, 1 * q.mm, y, 0 * q.mm, 2 * q.mm, 20)``. A motor is a device, which stands for
    its main parameter, or any parameter that can be set.
    """
    return _together(kind, motors_and_intervals, time, False, options)


def dscan(*motors_and_intervals: Any, time: Any = None, kind: str = "dscan", **options: Any) -> Scan:
    """Scan as :func:`ascan`, relative to where the motors are, and move back there afterwards, on failure too."""
    return _together(kind, motors_and_intervals, time, True, options)


def mesh(*motors_and_intervals: Any, time: Any = None, snake: bool = False, kind: str = "mesh", **options: Any) -> Scan:
    """Scan every combination: ``mesh(y, 0 * q.mm, 1 * q.mm, 10, x, 0 * q.mm, 2 * q.mm, 20, 0.1 * q.s)``.

    Give motor, start, stop and intervals for each, the fastest last, then the time. With *snake* the motors go to and
    fro instead of flying back.
    """
    return _grid(kind, motors_and_intervals, time, False, snake, options)


def dmesh(
    *motors_and_intervals: Any, time: Any = None, snake: bool = False, kind: str = "dmesh", **options: Any
) -> Scan:
    """Scan as :func:`mesh`, relative to where the motors are, and move back there afterwards, on failure too."""
    return _grid(kind, motors_and_intervals, time, True, snake, options)


def listscan(*motors_and_values: Any, time: Any = None, kind: str = "listscan", **options: Any) -> Scan:
    """Go to given values: ``listscan(stage, [1, 2, 5] * q.mm)``, several motors together with as many values each.

    Raise :exc:`TypeError` if what is to move is no device and no parameter, and :exc:`ValueError` if the values are
    missing or not as many for all of them, or something moves twice.
    """
    moves, rest = groups(kind, motors_and_values, 2, "motor and values")
    time = only_time(kind, rest, time)
    return Scan(Together([Region(motor, values) for motor, values in moves]), time=time, kind=kind, **options)


def timescan(period: Any, points: int | None = None, time: Any = None, kind: str = "timescan", **options: Any) -> Scan:
    """Read every *period*, *points* times or until it is stopped.

    Raise :exc:`ValueError` if *points* is no number from 1 on, and what :func:`.seconds` does if *period* is no time.
    """
    every = seconds(period) * q.s
    title = f"{kind} every {shown(every)}" + ("" if points is None else f", {points} points")
    return Scan(Repeated(point_count(points)), time=time, kind=kind, title=title, period=every, **options)


def loopscan(points: int | None = None, time: Any = None, kind: str = "loopscan", **options: Any) -> Scan:
    """Read *points* times, one after the other without moving anything, or until it is stopped."""
    return Scan(Repeated(point_count(points)), time=time, kind=kind, **options)


def adaptive(
    motors: Movable | Sequence[Movable],
    next_point: Callable[[Any], Any],
    time: Any = None,
    kind: str = "adaptive",
    **options: Any,
) -> Scan:
    """Ask *next_point* where to go, with the data measured so far, until it returns None.

    It gets a :class:`.ScanData`, empty at first, and returns a value for the motor, or a tuple of one for each.
    """

    def source(_begin: int, measured: Callable[[], Any]) -> Iterator[Any]:
        while (point := next_point(measured())) is not None:
            yield point

    return _generated("adaptive", kind, motors, source, next_point, time, options)


def fscan(
    motors: Movable | Sequence[Movable],
    points: Callable[[], Iterable[Any]] | Iterable[Any],
    time: Any = None,
    kind: str = "fscan",
    **options: Any,
) -> Scan:
    """Go to the points that a generator function, or another iterable, gives: a value, or a tuple, one for each motor.

    They are taken one by one, so there may be endlessly many; the scan ends with them. Every start, also of a scan that
    goes on, takes them from the beginning, so raise :exc:`TypeError` for an iterator, which gives them only once.
    """
    _refuse_what_ends(kind, points)

    def source(begin: int, _measured: Callable[[], Any]) -> Iterator[Any]:
        return itertools.islice(points() if callable(points) else points, begin, None)

    return _generated("fscan", kind, motors, source, points, time, options)


# -- making points --------------------------------------------------------------------------------------------------


def _together(kind: str, given: Sequence[Any], time: Any, relative: bool, options: dict[str, Any]) -> Scan:
    moves, rest = groups(kind, given, 3, "motor, start and stop")
    if not rest:
        raise ValueError(f"expected the number of intervals at the end of {kind}")
    count = intervals(rest[0])
    regions = [Region(motor, steps(motor, start, stop, count), relative) for motor, start, stop in moves]
    return Scan(Together(regions), time=only_time(kind, rest[1:], time), kind=kind, **options)


def _grid(kind: str, given: Sequence[Any], time: Any, relative: bool, snake: bool, options: dict[str, Any]) -> Scan:
    moves, rest = groups(kind, given, 4, "motor, start, stop and intervals")
    regions = [
        Region(motor, steps(motor, start, stop, intervals(count)), relative) for motor, start, stop, count in moves
    ]
    return Scan(Grid(regions, snake), time=only_time(kind, rest, time), kind=kind, **options)


def _generated(by: str, kind: str, motors: Any, source: Any, decides: Any, time: Any, options: dict[str, Any]) -> Scan:
    every = [motors] if isinstance(motors, (Device, ParameterValue)) else list(motors)
    points = Generated(every, source, by, decides)
    names = ", ".join(parameter.full_name for parameter in points.parameters)
    return Scan(points, time=time, kind=kind, title=f"{kind} {names}", **options)


def _refuse_what_ends(kind: str, points: Any) -> None:
    """Raise :exc:`TypeError` for what cannot be iterated over, or only once."""
    wanted = f"expected a generator function, or a list, for {kind}, not {shown(points)}"
    if not callable(points):
        try:
            ends = iter(points) is points
        except TypeError:
            raise TypeError(wanted) from None
        if ends:
            raise TypeError(f"{wanted}, which gives its points only once: give the function itself, without calling it")


def _exactly(count: int, kind: str, describe: Callable[..., Scan]) -> Callable[..., Scan]:
    """Return *describe* for exactly *count* motors, as in a2scan."""

    @functools.wraps(describe)
    def described(*given: Any, **options: Any) -> Scan:
        motors = sum(isinstance(each, (Device, ParameterValue)) for each in given)
        if motors != count:
            raise ValueError(f"{kind} moves {count} motors, not {motors}")
        return describe(*given, kind=kind, **options)

    described.__name__ = described.__qualname__ = kind
    described.__doc__ = f"Scan as :func:`{describe.__name__}`, {count} motors together."
    return described


amesh = mesh
a2scan, a3scan, a4scan = (_exactly(count, f"a{count}scan", ascan) for count in (2, 3, 4))
d2scan, d3scan, d4scan = (_exactly(count, f"d{count}scan", dscan) for count in (2, 3, 4))
