"""The HDF5 file of a scan that is running: it grows, and others may read it meanwhile (``swmr=True``)."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from concert.storage import _reading
from concert.storage._file import unfinished_path
from concert.storage._layout import Layout
from concert.storage._nexus import Layer
from concert.storage._stored import find

LOG = logging.getLogger("concert.storage")


class LiveFile:
    """The growing file of scan *number*. All methods are to be run by the worker of HDF5.

    It is for those who watch: what cannot be written is left out and tried again, because the journal has it.
    """

    def __init__(self, database: Path, number: int) -> None:
        self._database = database
        self._number = number
        self._file: Any = None
        self._layer: Layer | None = None
        self._layouts = 0
        self._points = 0
        self._in_trouble = False

    def grow(self) -> None:
        """Append the points that have become durable since the last time."""
        try:
            _reading.read_now(self._database, self._grow)
            self._in_trouble = False
        except Exception as error:
            # After a failure in the middle the file is not to be trusted: it is made anew.
            self.close()
            if not self._in_trouble:
                LOG.warning("the file of scan %d does not grow: %s", self._number, error)
            self._in_trouble = True

    def close(self) -> None:
        """Close the file."""
        file, self._file, self._layer = self._file, None, None
        if file is not None:
            try:
                file.close()
            except Exception as error:
                LOG.debug("the growing file of scan %d was not closed: %s", self._number, error)

    def _grow(self, connection: Any) -> None:
        known = _reading.layouts(connection, self._number)
        if not known:
            return
        if self._file is None or len(known) != self._layouts:  # a column has another type now
            self.close()
            self._layouts, self._points = len(known), 0
            self._make(connection, known[-1][1])
        assert self._layer is not None
        stop = _reading.count(connection, self._number)
        for block in _reading.blocks(connection, self._number, self._points, stop):
            self._layer.write(block)
            self._points = block.first + len(block.elapsed)
        self._file.flush()

    def _make(self, connection: Any, layout: Layout) -> None:
        import h5py  # loaded by the worker

        scan = find(self._database, connection, self._number)
        unfinished = unfinished_path(scan.path)
        self._file = h5py.File(unfinished, "w", libver="latest")
        try:
            self._layer = Layer(self._file, scan, layout, None)
            self._file.swmr_mode = True
            os.replace(unfinished, scan.path)
        finally:
            unfinished.unlink(missing_ok=True)
