"""Showing where things are while they move."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from concert.async_ import Future, shielded, wait
from concert.async_._future import give_up
from concert.async_._interrupts import shielded_cleanup
from concert.async_._jobs import remaining_time
from concert.base import ParameterValue, QuantityValue, note_refusal, refusing
from concert.processes import one_step, short_name
from concert.session.rounding import clock, rounded

REFRESH = 0.2  # seconds between two looks
WIDTH = 24  # characters of a bar
BLANK_TO_FULL = "─╸━"
CLEAR = "\x1b[K"  # the rest of the line, where the terminal shows ^C


def go(moves: Sequence[tuple[ParameterValue, Any]], announcement: str = "", label: str = "move") -> None:
    """Set the parameters to the values, all at the same time, and wait; refuse at once what somebody else holds.

    All of them are checked before the first one moves, and before the *announcement* is printed. *label* is what
    undoing it is called.
    """
    for parameter, value in moves:
        try:
            parameter.check_value(value)
        except Exception as error:
            note_refusal(parameter, value, error)
            raise
    if announcement:
        print(announcement, flush=True)
    with refusing(), one_step(label):
        move(moves, leave=not announcement)


def move(moves: Sequence[tuple[ParameterValue, Any]], leave: bool = True) -> None:
    """Set the parameters to the values, all at the same time, wait, and raise as :func:`.wait` does.

    In a terminal a line for each shows how far it is; it appears only for what takes longer than a moment, and goes
    again at the end without *leave*.
    """
    if not sys.stderr.isatty():
        wait([parameter.set(value) for parameter, value in moves])
        return
    lines = [_Line(parameter, value, row, leave) for row, (parameter, value) in enumerate(moves)]
    futures: list[Future] = []
    shield = shielded
    try:
        for parameter, value in moves:
            futures.append(parameter.set(value))
        while not _done(futures):
            for line in lines:
                line.update()
    except BaseException as interruption:  # also while it is only looked where things are, and shown
        shield = shielded_cleanup
        give_up(futures, interruption)
        raise
    finally:
        with shield(), ExitStack() as stack:  # no line stays, whatever becomes of the others
            for line, future in reversed(list(zip(lines, futures, strict=False))):
                stack.callback(line.close, future)


def _done(futures: list[Future]) -> bool:
    """Wait a moment; return whether that was enough, and raise what went wrong."""
    try:
        wait(futures, timeout=REFRESH)
    except TimeoutError:
        if all(future.done() for future in futures):  # one of them has failed with this
            raise
        return False
    return True


def distance(parameter: ParameterValue, begin: Any, end: Any) -> float | None:
    """Return how far it is between two values, as a number of the parameter's unit; None for what has no distances."""
    if not isinstance(parameter, QuantityValue):
        return None
    # As numbers: the difference of two temperatures has another unit than they have.
    way = parameter._magnitude(end, "values") - parameter._magnitude(begin, "values")
    return abs(float(way)) if np.ndim(way) == 0 else None


class _Line:
    """The progress of one move."""

    def __init__(self, parameter: ParameterValue, target: Any, row: int, leave: bool) -> None:
        self._parameter = parameter
        self._row = row
        self._leave = leave
        self._start = self._read()
        self._target = target
        self._way = self._distance(target)
        self._began = time.monotonic()
        self._bar: Any = None

    def update(self) -> None:
        """Show where it is, and how long it will take if it goes on like that."""
        if self._bar is None:
            title = self._title()
            with shielded():  # half a bar could not be taken away again
                self._bar = _make_bar(title, self._way, self._row, self._leave)
        here = self._read()
        if here is None:
            return
        gone = min(self._way, self._distance(here))
        left = remaining_time(time.monotonic() - self._began, gone / self._way if self._way else None)
        said = "  ".join([rounded(self._parameter, here), *([] if left is None else [f"{clock(left)} left"])])
        with shielded():
            self._bar.n = gone
            self._bar.say(said)

    def close(self, future: Future) -> None:
        """Show where it has ended."""
        if self._bar is None:
            return
        said = ""
        try:
            said = self._end(future)
        finally:
            self._bar.end(said)

    def _end(self, future: Future) -> str:
        if future.done() and not future.cancelled() and future.exception() is None:
            return f"arrived{self._within()}"
        here = self._read()
        return f"at {rounded(self._parameter, here)}" if here is not None else ""

    def _title(self) -> str:
        start = "" if self._start is None else rounded(self._parameter, self._start, with_unit=False)
        return f"{short_name(self._parameter)} {start} → {rounded(self._parameter, self._target)}"

    def _within(self) -> str:
        tolerance = getattr(self._parameter, "tolerance", None)
        return "" if tolerance is None else f" (±{tolerance:.4g~P})"

    def _distance(self, value: Any) -> float:
        """Return how far *value* is from the start, as a number; 0 for what knows no distances."""
        return 0.0 if self._start is None else distance(self._parameter, self._start, value) or 0.0

    def _read(self) -> Any:
        try:
            return self._parameter.get().result(timeout=1)
        except Exception:  # the move itself will say what is wrong
            return None


def _make_bar(title: str, way: float, row: int, leave: bool) -> Any:
    from tqdm import tqdm  # loaded with the first move that takes time

    class Bar(tqdm):
        monitor_interval = 0  # no thread that watches it
        said = ""

        @property
        def format_dict(self) -> dict[str, Any]:
            return {**super().format_dict, "said": self.said}

        def say(self, said: str) -> None:
            self.said = said
            self.refresh()

        def end(self, said: str) -> None:
            self.bar_format = "{desc}  {said}"
            self.said = f"{said}{CLEAR}"
            self.close()
            if not self.leave:  # in another row than the first it lets the cursor stand where the line ended
                self.fp.write("\r")
                self.fp.flush()

    return Bar(
        total=way or None,
        position=row,
        leave=leave,
        desc=title,
        ascii=BLANK_TO_FULL,
        bar_format=f"{{desc}}  {{bar:{WIDTH}}}  {{said}}" if way else "{desc}  {said}",
    )
