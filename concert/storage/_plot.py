"""A picture of a scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from concert.async_ import async_, threaded
from concert.quantities import q
from concert.storage._data import ScanData

PANELS = 8  # curves in one picture


@async_
def plot_scan(path: Path, title: str, data: ScanData) -> Path:
    """Draw what was read against what was varied, with units on the axes, into the PNG file *path*: a future of it.

    What is not one number at each point is left out.
    """
    # Heavy, so loaded by who draws something; and not in a native thread: importing it starts a child process, which
    # gevent cannot watch from there.
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401

    return _draw(path, title, data).result()


@threaded
def _draw(path: Path, title: str, data: ScanData) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # which opens no window
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axis = data[data.axis]
    curves = [name for name in data.columns if name != data.axis and _is_drawable(data[name])][:PANELS]
    panels = figure.subplots(max(1, len(curves)), sharex=True, squeeze=False)[:, 0]
    for panel, name in zip(panels, curves, strict=False):
        panel.plot(_numbers(axis), data[name].magnitude, ".-")
        panel.set_ylabel(_label(name, data[name]))
        panel.grid(alpha=0.3)
    panels[0].set_title(title)
    panels[-1].set_xlabel(_label(data.axis, axis))
    unfinished = path.with_name(f".{path.name}")
    try:
        figure.savefig(unfinished, dpi=120, format="png")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def _is_drawable(column: Any) -> bool:
    return isinstance(column, q.Quantity) and column.ndim == 1 and column.magnitude.dtype.kind in "biuf"


def _numbers(column: Any) -> Any:
    return column.magnitude if _is_drawable(column) else range(len(column))


def _label(name: str, column: Any) -> str:
    unit = f"{column.units:~P}" if isinstance(column, q.Quantity) else ""
    return f"{name} / {unit}" if unit else name
