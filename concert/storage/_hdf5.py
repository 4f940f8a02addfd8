"""Scans in HDF5 files, laid out as NeXus wants it: every column carries its unit, and viewers find the plot."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import concert
from concert.async_ import async_, threaded
from concert.storage._values import unit_text


@async_
def write_scan(
    directory: Path, title: str, columns: Mapping[str, Any], axis: str, signal: str, began: datetime
) -> tuple[int, Path]:
    """Write the array quantities *columns* into a new file of *directory*: a future of the scan's number and the path.

    The number is one more than the greatest there; a file that exists is never overwritten, and none is left half
    written. *axis* and *signal* name the columns to plot, *began* is when the scan began, with a time zone.
    """
    # Heavy, so loaded by who stores something; and not in a native thread: importing h5py starts a child process, which
    # gevent cannot watch from there.
    import h5py  # noqa: F401

    return _write(directory, title, columns, axis, signal, began).result()


@threaded
def _write(
    directory: Path, title: str, columns: Mapping[str, Any], axis: str, signal: str, began: datetime
) -> tuple[int, Path]:
    import h5py

    directory.mkdir(parents=True, exist_ok=True)
    unfinished = directory / f".scan-{uuid.uuid4()}.h5"
    try:
        with h5py.File(unfinished, "w", libver="earliest") as file:
            _fill(file, title, columns, axis, signal, began)
            file.flush()
        return _publish(unfinished, directory)
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(file: Any, title: str, columns: Mapping[str, Any], axis: str, signal: str, began: datetime) -> None:
    file.attrs["default"] = "entry"
    entry = _group(file, "entry", "NXentry")
    entry.attrs["default"] = "data"
    entry["title"] = title
    entry["start_time"] = began.isoformat()
    entry["end_time"] = datetime.now().astimezone().isoformat()
    program = entry.create_dataset("program_name", data="concert")
    program.attrs["version"] = concert.__version__
    data = _group(entry, "data", "NXdata")
    for name, column in columns.items():
        dataset = data.create_dataset(_field(name), data=column.magnitude)
        dataset.attrs["units"] = unit_text(column.units)
        dataset.attrs["long_name"] = f"{name} / {column.units:~P}" if f"{column.units:~P}" else name
    data.attrs["signal"] = _field(signal)
    data.attrs["axes"] = [_field(axis)]
    data.attrs[f"{_field(axis)}_indices"] = 0
    data.attrs["auxiliary_signals"] = [_field(name) for name in columns if name not in (axis, signal)]


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def _field(name: str) -> str:
    """Return *name* as NeXus allows names."""
    text = re.sub(r"\W", "_", name, flags=re.ASCII)
    return text if re.match(r"[A-Za-z_]", text) else f"_{text}"


def _publish(unfinished: Path, directory: Path) -> tuple[int, Path]:
    """Give the finished file the next free number, whoever else is doing the same."""
    taken = [int(match[1]) for path in directory.iterdir() if (match := re.fullmatch(r"scan_(\d+)\.h5", path.name))]
    number = max(taken, default=0) + 1
    while True:
        path = directory / f"scan_{number:04}.h5"
        try:
            os.link(unfinished, path)  # unlike a rename it fails if the name is taken
            return number, path
        except FileExistsError:
            number += 1
