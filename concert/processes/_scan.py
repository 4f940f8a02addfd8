"""The description of a scan: everything that is known before it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from concert.async_._runtimes import start_as
from concert.base import Condition, ParameterValue
from concert.processes._check import Check
from concert.processes._counting import Counting, Readable
from concert.processes._examine import examine
from concert.processes._hooks import Hooks, name_of
from concert.processes._interlock import Interlock, interlock_of
from concert.processes._memory import columns_of
from concert.processes._points import Points
from concert.processes._region import TIME, short_name
from concert.processes._run import Run
from concert.quantities import q, seconds, shown
from concert.storage import Column, ScanData

READBACK = "_readback"  # behind the name of a column of what is varied and also read


class Scan:
    """A scan, described: what is moved where, what is read, what is called, and what is to be known about it.

    *points* is what it goes through. *read* is what to read at each of them, a device, a parameter, a function or
    several; without it, what :func:`.counters` declared, else every detector that is online. *time* is the integration
    time of what has one, else how long to wait before reading. *kind* is the verb, *title* what people call it. *hooks*
    are called at certain moments, *metadata* (user, sample, comment, ...) goes to the file. *period* is the time from
    the beginning of a point to that of the next. With *gather*, points may become durable together instead of one by
    one, which is faster; they are reported only when they are. *interlocks* are conditions, functions or
    :class:`.Interlock` that hold up this scan, besides those of the session.

    Iterating gives the values of the parameters at each point, ``len`` their number. Nothing happens before
    :meth:`start`.
    """

    def __init__(
        self,
        points: Points,
        read: Readable | Iterable[Readable] | None = None,
        time: Any = None,
        *,
        kind: str = "scan",
        title: str | None = None,
        hooks: Hooks | None = None,
        metadata: Mapping[str, Any] | None = None,
        period: Any = None,
        gather: bool = False,
        interlocks: Iterable[Interlock | Condition | Callable[[], Any]] = (),
    ) -> None:
        self.points = points
        self.counting = Counting(read)
        self.time = None if time is None else _finite(time, "integration time") * q.s
        self.kind = kind
        self.title = title if title is not None else self._describe()
        self.hooks = _checked(hooks)
        self.metadata = dict(metadata or {})
        self.period = None if period is None else _finite(period, "period")
        self.gather = gather
        self.interlocks = tuple(map(interlock_of, interlocks))
        self.window = False  # whether it is seen in a window while it runs
        self.origins: dict[ParameterValue, Any] = {}  # where to go back to; empty for where it is when it begins
        names = self.names
        if len(set(names)) != len(names):
            raise ValueError(f"two of {', '.join(names)} have the same name")

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def positioners(self) -> list[str]:
        """The names of the columns that are varied; the time if nothing is."""
        return [short_name(parameter) for parameter in self.points.parameters] or [TIME]

    @property
    def names(self) -> list[str]:
        """The names of all columns, in their order."""
        return [*self.positioners, *self.readings]

    @property
    def readings(self) -> list[str]:
        """The names of the columns that are read. What is also varied is told from where it was sent."""
        varied = self.positioners
        return [f"{name}{READBACK}" if name in varied else name for name in self.counting.names]

    @property
    def axis(self) -> str:
        """The column to plot the others against: the first one that is varied."""
        return self.positioners[0]

    @property
    def signal(self) -> str:
        """The column that peaks are looked for in: the first one that is read."""
        return self.readings[0]

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.points)

    def __repr__(self) -> str:
        return f"<Scan {self.title}>"

    def __str__(self) -> str:
        moved = ", ".join(self.positioners) if self.points.parameters else "nothing"
        rows = [("moves", moved), ("reads", ", ".join(self.readings))]
        rows += [(moment, ", ".join(map(name_of, functions))) for moment, functions in self.hooks if functions]
        rows += [(key, shown(value)) for key, value in self.metadata.items()]
        return "\n".join([self.title, *(f"  {label:12}  {text}" for label, text in rows)])

    def _describe(self) -> str:
        parts = [f"{self.kind} {', '.join(map(_extent, self.points.regions))}".rstrip()]
        if self.points.expected is not None:
            parts.append(f"{self.points.expected} point{'s' if self.points.expected != 1 else ''}")
        if self.time is not None:
            parts.append(shown(self.time))
        return ", ".join(parts)

    # -- knowing before going -----------------------------------------------------------------------------------

    def check(self) -> Check:
        """Find out, without moving anything, whether the scan could be done now, and return all that was found.

        Looked at are all points, against limits, units, shapes, selections and locks, also where a relative scan would
        go; whether devices answer, and are in a state in which they can be moved; who holds them; interlocks; and the
        time and the room on the disk that it takes. :meth:`start` does the same, and raises :exc:`.ScanRefused` before
        anything moves.
        """
        return examine(self).check

    # -- doing it -----------------------------------------------------------------------------------------------

    def start(self, refuse: bool = False, number: int | None = None) -> Run:
        """Begin the scan and return it as a future, a :class:`.Run`.

        What it uses it holds, so it waits for who holds it now; with *refuse* it fails instead. With *number* it goes
        on with the stored scan of that number, behind its last point.
        """
        return start_as(Run, self, refuse, number)

    @property
    def columns(self) -> tuple[Column, ...]:
        """What there is a value of at every point."""
        sources = [*(self.points.parameters or [None]), *self.counting.parameters]
        roles = ["positioner"] * len(self.positioners) + ["detector"] * len(self.readings)
        return tuple(
            Column(name, role)
            if source is None
            else Column(name, role, source.device.name, source.name, source.help or "")
            for name, role, source in zip(self.names, roles, sources, strict=True)
        )

    def data(self, rows: Sequence[tuple[Any, ...]], began: datetime) -> ScanData:
        """Return what was measured as columns with units."""
        return ScanData(self.title, columns_of(self.names, rows), self.axis, self.signal, began, self.positioners)


def _finite(time: Any, what: str) -> float:
    """Return *time* in seconds; raise :exc:`ValueError` if it has no end."""
    number = seconds(time)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite {what} for a scan, not {shown(time)}")
    return number


def _checked(hooks: Any) -> Hooks:
    if hooks is None:
        return Hooks()
    if not isinstance(hooks, Hooks):
        raise TypeError(f"expected Hooks(cleanup=[shutter.close], …) as the hooks of a scan, not {hooks!r}")
    return hooks


def _extent(region: Any) -> str:
    """Return from where to where a parameter goes, as titles say it."""
    values, name = region.values, short_name(region.parameter)
    if values.numbers is None or values.numbers.ndim != 1 or not len(values):
        return f"{name} {len(values)} values"
    first, last = values.numbers[0], values.numbers[-1]
    sign = "+" if region.relative and first > 0 else ""
    return f"{name} {sign}{first:g}–{last:g} {values.unit:~P}".rstrip()
