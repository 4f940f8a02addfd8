"""Keeping what was measured."""

from __future__ import annotations

from pathlib import Path

from concert import config
from concert.storage import Catalogue, ScanData, plot_scan


def save(data: ScanData, directory: str | Path | None = None) -> Path:
    """Write *data* into a new HDF5 file and a plot beside it, say where, and return the path of the file.

    Both go to *directory*, else to where the setting ``DATA`` says, and have the next free number there.
    """
    where = Path(directory if directory is not None else config.DATA or "~/data").expanduser()
    number, path = Catalogue(where).add(data)
    picture = path.with_suffix(".png")
    plot_scan(picture, f"Scan {number}  {data.title}", data).join()
    print(f"{path}   {picture}")
    return path
