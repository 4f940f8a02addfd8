"""What is said of a scan that has ended: how, how long it took, what it found, and where that is."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from concert.processes._amounts import shown_time

if TYPE_CHECKING:
    from concert.processes._run import Run

_unsaid: deque[Run | str] = deque(maxlen=20)


def closing(run: Run, problems: bool = False) -> str:
    """Return how *run* has ended as a line of text: results, and what was kept where.

    With *problems* lines follow about what went wrong with its cleanup; after an abort in any case.
    """
    parts = [_outcome(run)]
    if run.points and run.scan.points.parameters:  # what moves nothing has no peak anywhere
        try:
            parts.append(run.data.summary())
        except ValueError:  # what was read has no peak: text, for example
            pass
    line = " · ".join([*parts, *_kept(run)])
    told = run.problems if problems or run.status == "aborted" else []  # else whatever it raises has them
    return "\n".join([line, *(f"  {problem}" for problem in told)])


def say_closing_later(run: Run) -> None:
    """Have the closing line of *run*, which nobody watches, among the :func:`unsaid` ones when it has ended."""
    run.add_done_callback(lambda _run: _unsaid.append(run))


def say_later(text: str) -> None:
    """Have *text* among the :func:`unsaid` lines: something that has happened in the background."""
    _unsaid.append(text)


def unsaid() -> list[str]:
    """Return the closing lines of scans that have ended in the background since the last call, and what else there is.

    The prompt shows them before it appears.
    """
    waiting = [_unsaid.popleft() for _ in range(len(_unsaid))]
    lines = []
    for each in waiting:
        if isinstance(each, str):
            lines.append(each)
        elif each.over:
            lines.append(closing(each))
        elif each.began is not None:  # in a thread, which still cleans up
            _unsaid.append(each)
    return lines


def _outcome(run: Run) -> str:
    points, expected, elapsed = run.points, run.expected, run.elapsed
    name = "Scan" if run.number is None else f"Scan {run.number}"
    took = shown_time(elapsed)
    if run.status == "done":
        return f"{name} done in {took}"
    of = f" of {expected}" if expected is not None else ""
    return f"{name} {run.status} after {points}{of} point{'s' if (expected or points) != 1 else ''} and {took}"


def _kept(run: Run) -> list[str]:
    if run.path is not None:
        pictures = [run.picture.name] if run.picture is not None else []
        return [", ".join([_short(run.path), *pictures])]
    return [] if run.status == "done" or not run.points else ["measured() has what there is"]


def _short(path: Path) -> str:
    """Return *path* as it would be typed here."""
    if path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
