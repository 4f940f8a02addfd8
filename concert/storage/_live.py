"""The HDF5 file of a scan that is running: it grows, and others may read it meanwhile (``swmr=True``)."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from concert.storage import _reading
from concert.storage._beside import beside
from concert.storage._layout import Layout
from concert.storage._nexus import CHUNK, Layer
from concert.storage._sink import Sink
from concert.storage._stored import StoredScan, find

LOG = logging.getLogger("concert.storage")


class LiveFile:
    """The growing file of scan *number*. All methods are to be run by the worker of HDF5.

    It is for those who watch: what cannot be written is left out and tried again, because the journal has it.
    """

    def __init__(self, database: Path, number: int) -> None:
        self._database = database
        self._number = number
        self._file: Any = None
        self._descriptor: int | None = None  # of the same file
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
            # What else has happened to it, nobody knows: it is made anew. (Not for the lack of room, see _reserve.)
            if not isinstance(error, _NoRoom):
                self.close()
            if not self._in_trouble:
                LOG.warning("the file of scan %d does not grow: %s", self._number, error)
            self._in_trouble = True

    def close(self) -> None:
        """Close the file."""
        file, self._file, self._layer = self._file, None, None
        descriptor, self._descriptor = self._descriptor, None
        try:
            if file is not None:
                file.close()
        except Exception as error:
            LOG.debug("the growing file of scan %d was not closed: %s", self._number, error)
        if descriptor is not None:
            os.close(descriptor)

    def _grow(self, connection: Any) -> None:
        known = _reading.layouts(connection, self._number)
        if not known:
            return
        if self._layer is None or len(known) != self._layouts:  # a column has another type now
            self.close()
            self._layouts, self._points = len(known), 0
            self._layer = self._make(find(self._database, connection, self._number), known[-1][1])
        stop = _reading.count(connection, self._number)
        for block in _reading.blocks(connection, self._number, self._points, stop):
            self._reserve(self._layer.most(len(block.elapsed)))
            self._layer.write(block)
            self._file.flush()
            self._points = block.first + len(block.elapsed)

    def _make(self, scan: StoredScan, layout: Layout) -> Layer:
        import h5py  # loaded by the worker

        with beside(scan.path) as unfinished:
            with Sink(unfinished) as sink:
                with h5py.File(sink, "w", libver="latest") as file:
                    layer = Layer(file, scan, layout, None)
                sink.check()
            self._descriptor = os.open(unfinished, os.O_RDWR | os.O_CLOEXEC)
            self._reserve(layer.most(0))
            # What was written is not looked at again, so nothing of it is kept in memory.
            self._file = h5py.File(unfinished, "r+", libver="latest", rdcc_nbytes=CHUNK)
            self._file.swmr_mode = True
            layer.move_to(self._file)
        return layer

    def _reserve(self, size: int) -> None:
        """See to it that the file can grow by *size* bytes.

        HDF5 does not survive a full disk: at the latest when the process ends it crashes. So it never gets to know.
        """
        assert self._descriptor is not None
        end = os.fstat(self._descriptor).st_size if self._file is None else self._file.id.get_filesize()
        try:
            os.posix_fallocate(self._descriptor, 0, end + size)
        except OSError as error:
            raise _NoRoom(error.errno, os.strerror(error.errno or 0)) from None


class _NoRoom(OSError):
    """Raised when nothing can be written, but nothing has happened to the file either."""
