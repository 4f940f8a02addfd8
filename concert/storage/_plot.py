"""A picture of a scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from concert.async_ import async_, threaded


@async_
def plot_scan(path: Path, title: str, columns: Mapping[str, Any], axis: str) -> Path:
    """Draw every column against *axis*, with units on the axes, into the PNG file *path*: a future of the path."""
    # Heavy, so loaded by who draws something; not in the native thread, see write_scan.
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401

    return _draw(path, title, columns, axis).result()


@threaded
def _draw(path: Path, title: str, columns: Mapping[str, Any], axis: str) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # which opens no window
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    signals = [name for name in columns if name != axis]
    panels = figure.subplots(len(signals), sharex=True, squeeze=False)[:, 0]
    for panel, name in zip(panels, signals, strict=True):
        panel.plot(columns[axis].magnitude, columns[name].magnitude, ".-")
        panel.set_ylabel(_label(name, columns[name]))
        panel.grid(alpha=0.3)
    panels[0].set_title(title)
    panels[-1].set_xlabel(_label(axis, columns[axis]))
    figure.savefig(path, dpi=120)
    return path


def _label(name: str, column: Any) -> str:
    unit = f"{column.units:~P}"
    return f"{name} / {unit}" if unit else name
