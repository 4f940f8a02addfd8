"""The HDF5 file of a scan that has ended: written anew from the journal, under another name, and then put in place."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any

from concert.storage import _reading
from concert.storage._beside import beside, clear_away
from concert.storage._errors import explaining
from concert.storage._nexus import Layer, link_frames
from concert.storage._sink import Sink
from concert.storage._steps import recover
from concert.storage._stored import StoredScan, find

# The beginning of an HDF5 file in the earliest format: what it is, the version 0, and after other things where it ends.
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_EARLIEST = struct.Struct("<8sB31xQ")


def write_file(database: Path, number: int) -> None:
    """Write the file of scan *number* from the journal, in place of what is there.

    To be run by the worker of HDF5. Raise :exc:`.StorageError` if it cannot be written now; then nothing has changed.
    """
    with explaining(database):
        _reading.read_now(database, _write, database, number)


def is_whole(path: Path) -> bool:
    """Tell whether the file of a scan is there as it was written: as long as it says, without looking at all of it."""
    try:
        with path.open("rb") as file:
            head = file.read(_EARLIEST.size)
            size = file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        return False
    except OSError:  # that it may not be read, say, is no reason to make another one
        return True
    if len(head) < _EARLIEST.size or not head.startswith(_SIGNATURE):
        return False
    version, end = _EARLIEST.unpack(head)[1:]
    return bool(version or end <= size)  # others may have brought it to another format


def _write(connection: Any, database: Path, number: int) -> None:
    scan = find(database, connection, number)
    with explaining(scan.path):
        with beside(scan.path) as unfinished, Sink(unfinished) as sink:
            _fill(sink, connection, scan)
            sink.check()
            sink.synchronise()
        _synchronise(scan.path.parent)
    clear_away(scan.path)


def _fill(sink: Sink, connection: Any, scan: StoredScan) -> None:
    import h5py  # loaded by the worker

    known = _reading.layouts(connection, scan.number)
    layout = known[-1][1] if known and scan.points else None
    # The earliest format is the one that every tool reads.
    with h5py.File(sink, "w", libver="earliest") as file:
        layer = Layer(file, scan, layout, scan.points)
        for block in _reading.blocks(connection, scan.number, 0, scan.points):
            sink.check()
            layer.write(block)
        frames = {}
        for camera, name in _reading.frames(connection, scan.number).items():
            place = scan.path.with_name(name)
            if place.exists():  # not every camera was given frames
                recover(place)
                frames[camera] = name
        link_frames(layer.instrument, frames)


def _synchronise(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
