"""What a scan shows while it runs: its points in a table, and a progress bar below."""

from __future__ import annotations

import logging
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from concert.processes._closing import closing
from concert.processes._station import station
from concert.processes._values import Values
from concert.quantities import q, shape_and_mean
from concert.storage._analysis import decimals_of

if TYPE_CHECKING:
    from concert.processes._run import Run
    from concert.processes._scan import Scan

LOG = logging.getLogger("concert.scans")

NUMBER = 4  # characters of a point's number
WIDTH = 14  # characters of a column; wide enough for numbers of six digits
REFRESH = 0.1  # seconds between two looks
LINES = 50  # so many points of a look are shown; of more, which nobody could read, only the last ones
FIRST = 1000  # so many values tell how many digits are shown

BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_noinv_fmt}{postfix}]"

_NUMBERS = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")


class Display:
    """Shows *run*: a context manager.

    The table goes to standard output. The bar, which is for people only, goes to standard error if that is a terminal.
    If nothing can be shown any more, because nobody reads the output for example, the scan goes on all the same.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._names = run.scan.names
        self._decimals = _decimals_of(run.scan)
        self._widths: list[int] = []
        self._count = 0
        self._status = "waiting"
        self._reason = ""
        self._doing = ""
        self._interrupted = False  # and then nobody sees what the scan raises
        self._bar: Any = None
        self._output = sys.stdout
        self._broken = False

    def __enter__(self) -> Self:
        from tqdm import tqdm  # loaded with the first scan, not with every program

        run = self._run

        class Bar(tqdm):
            monitor_interval = 0  # no thread that watches it: points come in their own time

            @property
            def format_dict(self) -> dict[str, Any]:
                """What it shows, with the time that the run itself reckons."""
                known = super().format_dict
                if run.remaining and self.total and self.total > self.n:
                    known["rate"] = (self.total - self.n) / run.remaining
                return known

        self._bar = Bar(
            total=run.expected,
            unit=" points",
            bar_format=BAR if run.expected else None,
            leave=False,
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
        )
        if not self._bar.disable and sys.stdout.isatty():
            sys.stdout = _Above(self._bar, sys.stdout)  # for what hooks print
        # Some room at the end of the line, for the ^C of who interrupts it.
        self._bar.dynamic_ncols = lambda _file: (shutil.get_terminal_size().columns - 3, None)
        return self

    def __exit__(self, *_exception: Any) -> None:
        self._safely(self._bar.close)
        if isinstance(sys.stdout, _Above):
            above, sys.stdout = sys.stdout, self._output
            self._safely(above.end)

    def show(self, rows: Sequence[Sequence[Any]]) -> None:
        """Show points that were measured, and why the scan pauses if it does."""
        self._safely(lambda: self._show(rows))

    def interrupted(self) -> None:
        """Show what comes before the scan has ended, now that it was interrupted."""
        scan = self._run.scan
        comes = ["stops", "goes back"] if scan.points.relative else ["stops"]
        if scan.hooks.cleanup or station.hooks.cleanup:
            comes.append("cleans up")
        self._interrupted = True
        self._safely(lambda: self._bar.set_postfix_str(f"{', '.join(comes)} …"))

    def end(self) -> None:
        """Show how the scan has ended."""
        self._safely(self._end)

    def _safely(self, show: Callable[[], None]) -> None:
        """Show something, if anything can be shown."""
        if self._broken:
            return
        try:
            show()
        except (OSError, ValueError) as error:  # ValueError: of a closed file, or of letters that it cannot take
            self._broken = True
            self._bar.disable = True
            LOG.warning("%s goes on, but cannot be shown any more: %s", self._run.title, error)

    def _show(self, rows: Sequence[Sequence[Any]]) -> None:
        if self._run.began is not None and self._status == "waiting":
            self._show_title()
        if rows and not self._widths:
            self._show_header(rows[0])
        hidden = max(0, len(rows) - LINES)
        if hidden:
            self._print("   …")
            self._count += hidden
        for row in rows[hidden:]:
            self._print(self._line(row))
            self._count += 1
        if rows:
            self._update_bar(rows[-1], len(rows))
        else:
            self._bar.refresh()  # time goes on
        self._show_pause()

    def _end(self) -> None:
        run = self._run
        if run.began is None:  # it was refused, and whoever catches the error says why
            return
        if self._status == "waiting":
            self._show_title()
        self._bar.close()
        if run.over:
            self._print(closing(run, self._interrupted))

    def _show_title(self) -> None:
        run = self._run
        self._status = run.status
        self._bar.n = self._bar.initial = run.execution.first
        title = run.scan.title if run.number is None else f"Scan {run.number}  {run.scan.title}"
        check = run.execution.check
        self._print(title if check is None else f"{title} · {check.brief}")

    def _show_header(self, row: Sequence[Any]) -> None:
        units = map(_unit, row)
        labels = [f"{name} / {unit}" if unit else name for name, unit in zip(self._names, units, strict=True)]
        self._widths = [max(WIDTH, len(label) + 2) for label in labels]
        self._print(self._fitting("   #", labels))

    def _line(self, row: Sequence[Any]) -> str:
        return self._fitting(f"{self._count:{NUMBER}}", self._numbers(row))

    def _fitting(self, line: str, cells: Sequence[str]) -> str:
        """Return the cells of a line, in a terminal as many of them as it has room for."""
        room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for cell, width in zip(cells, self._widths, strict=True):
            text = f"{cell:>{width}}"
            if room is not None and len(line) + len(text) > room - 2:
                return f"{line} …"
            line += text
        return line

    def _numbers(self, row: Sequence[Any]) -> list[str]:
        moved = len(self._decimals)
        positions = [_position(value, decimals) for value, decimals in zip(row[:moved], self._decimals, strict=True)]
        return [*positions, *map(_number, row[moved:])]

    def _update_bar(self, row: Sequence[Any], points: int) -> None:
        parts = zip(self._names, self._numbers(row), map(_unit, row), strict=True)
        text = "  ".join(f"{name} {number} {unit}".strip() for name, number, unit in parts)
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(points)

    def _show_pause(self) -> None:
        reason = self._run.reason if self._run.status == "paused" else ""
        if self._run.doing != self._doing:
            self._doing = self._run.doing
            self._bar.set_postfix_str(self._doing)
        # A reading that fluctuates, or a time that passes, is nothing new.
        if _NUMBERS.sub("", reason) != _NUMBERS.sub("", self._reason):
            self._print(f"Paused: {reason}" if reason else "Going on.")
        if reason != self._reason:
            self._bar.set_postfix_str(reason)
        self._reason = reason

    def _print(self, line: str) -> None:
        with self._bar.external_write_mode(file=sys.stdout):
            print(line, file=self._output, flush=True)


class _Above:
    """Standard output while there is a *bar* at the end of it: whole lines appear above."""

    def __init__(self, bar: Any, output: Any) -> None:
        self._bar = bar
        self._output = output
        self._line = ""

    def write(self, text: str) -> int:
        *lines, self._line = (self._line + text).split("\n")
        if lines:
            with self._bar.external_write_mode(file=self):
                self._output.write("".join(f"{line}\n" for line in lines))
                self._output.flush()
        return len(text)

    def end(self) -> None:
        """Write what has come of a last line."""
        self._output.write(self._line)
        self._line = ""

    def flush(self) -> None:
        """Do nothing: lines are written when they are whole."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)


def _decimals_of(scan: Scan) -> list[int | None]:
    """Return how many decimals show the steps of what is moved; None where that is not known."""
    regions = scan.points.regions
    return [_decimals(region.values) for region in regions] if regions else [None] * len(scan.positioners)


def _decimals(values: Values) -> int | None:
    numbers = values.numbers
    return None if numbers is None else decimals_of(numbers[:FIRST])


def _position(value: Any, decimals: int | None) -> str:
    return _number(value) if decimals is None else f"{_magnitude(value):.{decimals}f}"


def _magnitude(value: Any) -> Any:
    return value.magnitude if isinstance(value, q.Quantity) else value


def _unit(value: Any) -> str:
    return f"{value.units:~P}" if isinstance(value, q.Quantity) else ""


def _number(value: Any) -> str:
    magnitude = _magnitude(value)
    many = shape_and_mean(magnitude)
    if many is not None:
        return f"{many[0]}, mean {many[1]}"
    return f"{magnitude:.4g}" if isinstance(magnitude, float) else str(magnitude)
