"""What follows the journal: the HDF5 files, and the disk itself."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

from concert.async_._native import allocate_lock
from concert.storage._database import checkpoint
from concert.storage._file import write_file
from concert.storage._live import LiveFile
from concert.storage._worker import Worker, hdf5

LOG = logging.getLogger("concert.storage")

_disk = Worker()  # waits for the disk, which may take long, and so not together with what others wait for


class Projection:
    """Keeps the HDF5 files of running scans beside the journal at *path* growing, and completes them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = allocate_lock()  # guards what follows
        self._open: set[int] = set()  # scans that are running here
        self._grown: set[int] = set()
        self._synchronising = False
        self._live: dict[int, LiveFile] = {}  # the worker's

    def begin(self, number: int) -> None:
        """Let scan *number* have a file that grows, until it is complete."""
        with self._lock:
            self._open.add(number)

    def grow(self, numbers: set[int]) -> None:
        """Let the files of scans follow, and what was committed reach the disk; do not wait for it."""
        with self._lock:
            waiting, synchronising = bool(self._grown), self._synchronising
            # News of the last points may come later than the end of a scan, whose complete file must stay as it is.
            self._grown |= numbers & self._open
            news = bool(self._grown) and not waiting
            self._synchronising = True
        if news:
            hdf5.submit(self._grow)
        if not synchronising:
            _disk.submit(self._synchronise)

    def complete(self, number: int) -> None:
        """Write the final file of scan *number*; raise :exc:`.StorageError` if it cannot be written now."""
        hdf5.run(self._complete, number)

    def close(self) -> None:
        """Close the growing files."""
        if self._open:
            hdf5.run(self._close)

    def _close(self) -> None:
        with self._lock:
            self._grown.clear()
        while self._live:
            self._live.popitem()[1].close()

    def _grow(self) -> None:
        with self._lock:
            numbers, self._grown = self._grown, set()
        for number in numbers:
            self._live.setdefault(number, LiveFile(self._path, number)).grow()

    def _complete(self, number: int) -> None:
        with self._lock:
            self._open.discard(number)
            self._grown.discard(number)
        live = self._live.pop(number, None)
        if live is not None:
            live.close()
        write_file(self._path, number)

    def _synchronise(self) -> None:
        """Let the disk have what was committed, so that a power failure loses no more than the last second."""
        self._synchronising = False
        try:
            checkpoint(self._path)
        except (OSError, sqlite3.Error) as error:  # the journal finds out by itself, and tells
            LOG.debug("%s was not synchronised: %s", self._path, error)
