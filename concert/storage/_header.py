"""What is known about a scan before its first point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROLES = ("positioner", "detector")


@dataclass(frozen=True)
class Column:
    """One of the values of every point: of a *positioner*, which is varied, or a *detector*, which is read.

    *name* heads it in tables; *device* and *parameter* say where the values come from, and *help* what they mean.
    """

    name: str
    role: str
    device: str = ""
    parameter: str = ""
    help: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"column {self.name!r} is a positioner or a detector, not {self.role!r}")


@dataclass(frozen=True)
class Header:
    """What is known about a scan before its first point.

    *title* describes it for people, *command* is what was typed, *kind* names it (``ascan``), *expected* is the number
    of points or None. *plan* is whatever is needed to go on in a new process, as JSON takes it. *metadata* may hold
    quantities (user, sample, comment ...), and *snapshot* is ``{device: {parameter: value}}`` from before the scan.
    With *full_sync* a point is only durable when a power failure cannot lose it any more; without, it may lose the last
    second, while the death of the process loses nothing.
    """

    title: str
    command: str = ""
    kind: str = ""
    expected: int | None = None
    columns: tuple[Column, ...] = ()
    session: str = ""
    plan: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    snapshot: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    full_sync: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        names = [column.name for column in self.columns]
        if not names:
            raise ValueError("a scan has at least one column")
        if len(set(names)) != len(names):
            raise ValueError(f"the columns of a scan need names of their own, not {', '.join(names)}")
