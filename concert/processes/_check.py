"""What is known about a scan before it goes: how long, how much, and everything that is in its way."""

from __future__ import annotations

from typing import Any, NamedTuple

from concert.processes._amounts import shown_size, shown_time
from concert.processes._errors import ScanError
from concert.quantities import q


class Finding(NamedTuple):
    """One thing that was found about a scan.

    *subject* is what it is about, a device or points, and *text* says what is the matter. *points* are the numbers of
    the points it concerns, from 0 on, an array; None if it is not about points. What does not *prevent* the scan is
    only to be known.
    """

    subject: str
    text: str
    points: Any = None
    prevents: bool = True


class Check:
    """What was found out about a scan; true if nothing is in its way.

    *title* says what the scan does. *points* is the number of points, *duration* a time, *size* and *free* are bytes,
    of the data and on the disk; each is None where it cannot be told. *findings* is everything that was found.
    """

    def __init__(
        self,
        title: str,
        points: int | None,
        duration: float | None,
        size: int | None,
        free: int | None,
        findings: tuple[Finding, ...],
    ) -> None:
        self.title = title
        self.points = points
        self.duration = None if duration is None else duration * q.s
        self.size = size
        self.free = free
        self.findings = findings

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The findings that prevent the scan."""
        return tuple(each for each in self.findings if each.prevents)

    def __bool__(self) -> bool:
        return not self.problems

    def amounts(self, free: bool = True) -> str:
        """Return how long it takes and how much it stores, as text, as far as it can be told; with what is *free*."""
        parts = []
        if self.duration is not None:
            parts.append(f"about {shown_time(self.duration.m_as(q.s))}")
        if self.size is not None:
            of = f" of {shown_size(self.free)}" if free and self.free is not None else ""
            parts.append(shown_size(self.size) + of)
        return ", ".join(parts)

    @property
    def brief(self) -> str:
        """What is worth knowing of a scan that nothing is in the way of, as one line."""
        looked_at = "limits, locks" if self.size is None else "limits, locks, disk"
        return " · ".join(filter(None, (self.amounts(free=False), f"{looked_at}: fine")))

    @property
    def table(self) -> str:
        """The findings, a line for each."""
        width = max((len(each.subject) for each in self.findings), default=0)
        return "\n".join(f"  {each.subject:{width}}   {each.text}" for each in self.findings)

    def __str__(self) -> str:
        lines = [", ".join(filter(None, (self.title, self.amounts()))), self.table, f"{self._count}; nothing was moved"]
        return "\n".join(filter(None, lines))

    def __repr__(self) -> str:
        return str(self)  # at the prompt it is asked for to be read

    @property
    def _count(self) -> str:
        count = len(self.problems)
        return "no problems" if not count else "1 problem" if count == 1 else f"{count} problems"


class ScanRefused(ScanError):
    """Raised by a scan that fails its check; nothing has moved. :attr:`check` is what was found."""

    def __init__(self, check: Check) -> None:
        problems = check.problems
        if len(problems) == 1:
            message = f"{problems[0].subject}: {problems[0].text}; nothing was moved"
        else:
            message = f"{len(problems)} problems, nothing was moved\n{check.table}"
        super().__init__(message)
        self.check = check
