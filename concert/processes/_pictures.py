"""Pictures of scans: in a window while they run, and in a PNG file when they have ended.

Another process draws them. Whatever goes wrong there is said and logged, and harms nothing else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from concert.async_ import Future, async_, runtime, wait
from concert.processes._closing import say_later
from concert.processes._errors import ScanError
from concert.processes._points import Grid
from concert.processes._station import station
from concert.quantities import q
from concert.storage import PaintingError, Picture, StorageError, close_painters, is_drawable

if TYPE_CHECKING:
    from concert.processes._run import Run

LOG = logging.getLogger("concert.scans")

REFRESH = 0.25  # seconds between two looks
ROWS = 500  # so many points of a look are drawn while the scan runs; the picture at its end has all of them
BAD_ENDS = ("stopped", "aborted", "failed")  # that a title tells
PATIENCE = 20  # seconds for the pictures that are still to be drawn when a session ends

_drawing: set[Future] = set()


def has_display() -> bool:
    """Tell whether a window can be opened."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def wants_window(plot: bool | None) -> bool:
    """Tell whether a scan is shown in a window: as *plot* says, by default where people sit in front of a screen.

    Raise :exc:`.ScanError` if there is none to show it on.
    """
    if plot and not has_display():
        raise ScanError("there is no display to plot on: neither DISPLAY nor WAYLAND_DISPLAY is set")
    return station.windows and has_display() if plot is None else plot


def picture_begins(run: Run) -> None:
    """Show *run*, which has just begun, in a window, if it is to be."""
    if run.scan.window and runtime() != "sync":  # without concurrency nothing would be seen before the end
        _start(_show, run)


def picture_ends(run: Run) -> None:
    """Draw *run*, which has just ended, into a file beside its own, if it is to be."""
    if station.pictures and run.path is not None and run.points and _is_drawable(run):
        run.picture = run.path.with_suffix(".png")
        _start(_save, run, run.picture)


def finish_pictures() -> None:
    """Wait for what is still to be drawn, not for ever, and close the window."""
    try:
        wait(list(_drawing), timeout=PATIENCE)
    except TimeoutError:
        LOG.warning("%d pictures were not drawn within %g s", len(_drawing), PATIENCE)
    close_painters()


def _start(function: Any, run: Run, *arguments: Any) -> None:
    """Call *function* in a future that the scan has started, but which goes on when that ends, however it does."""
    future = async_(_carefully)(function, run, *arguments).detach()
    future.label = f"picture of {run.title}"
    _drawing.add(future)
    future.add_done_callback(_drawing.discard)


def _carefully(function: Any, run: Run, *arguments: Any) -> None:
    try:
        function(run, *arguments)
    except (PaintingError, OSError) as error:
        LOG.warning("%s: %s", run.title, error)
        say_later(f"{run.title}: {error}")


def _is_drawable(run: Run) -> bool:
    """Tell whether something that was read is a number; not if that cannot be looked up."""
    try:
        (row,) = run.execution.record.rows(0, 1)
    except StorageError as error:
        LOG.warning("%s: no picture: %s", run.title, error)
        return False
    return any(is_drawable(value) for value in row[len(run.scan.positioners) :])


def _save(run: Run, path: Path) -> None:
    data = run.data
    picture = Picture(_title(run), data.columns, data.positioners, _grid(run))
    try:
        picture.add(data.columns)
        picture.save(path)
    finally:
        picture.forget()


def _show(run: Run) -> None:
    """Show what there is of *run* in a window, and at the end all of it."""
    try:
        _show_live(run)
        data = run.data
        if len(data):
            whole = Picture(_title(run), data.columns, data.positioners, _grid(run), window=True)
            whole.add(data.columns)
            whole.show()
    except PaintingError as error:
        station.windows = False  # it would not be different the next time
        raise PaintingError(f"there is no live plot: {error}") from error


def _show_live(run: Run) -> None:
    picture: Picture | None = None
    for rows in run.follow(REFRESH):
        if picture is None and rows:
            sample = dict(zip(run.scan.names, rows[0], strict=True))
            picture = Picture(_title(run), sample, run.scan.positioners, _grid(run), window=True)
            places = [run.scan.names.index(name) for name in picture.names]
        if picture is not None:
            picture.process.refuse_if_over()
            if rows and not picture.process.busy:  # points too many are seen at the end
                picture.add_rows(_numbers(rows[:: 1 + len(rows) // ROWS], places, picture.units))


def _numbers(rows: Sequence[Sequence[Any]], places: Sequence[int], units: Sequence[Any]) -> Any:
    return np.array([[_number(row[at], unit) for at, unit in zip(places, units, strict=True)] for row in rows])


def _number(value: Any, unit: Any) -> float:
    return float(value.m_as(unit) if isinstance(value, q.Quantity) else value)


def _grid(run: Run) -> list[list[float]] | None:
    """Return the positions of a scan that goes through a grid of two parameters."""
    points = run.scan.points
    if not isinstance(points, Grid) or len(points.regions) != 2 or any(region.relative for region in points.regions):
        return None
    numbers = [region.values.numbers for region in points.regions]
    if any(each is None or each.ndim != 1 for each in numbers):
        return None
    return [each.tolist() for each in numbers]


def _title(run: Run) -> str:
    name = "" if run.number is None else f"Scan {run.number}  "
    return f"{name}{run.scan.title}" + (f", {run.status}" if run.status in BAD_ENDS else "")
