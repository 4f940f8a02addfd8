"""The record of a running scan: its points become durable one after the other."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concert.async_._native import allocate_lock
from concert.async_._parking import call_in_hub, hub
from concert.storage import _reading
from concert.storage._connection import Statement
from concert.storage._data import ScanData
from concert.storage._database import path_of
from concert.storage._errors import explaining
from concert.storage._fields import TooNarrow
from concert.storage._header import Column
from concert.storage._journal import POINT, Journal, size_of
from concert.storage._layout import Layout
from concert.storage._stored import stored_data
from concert.storage._values import encodable, to_json

if TYPE_CHECKING:
    from concert.storage._catalogue import Catalogue
    from concert.storage._frames import FrameWriter
    from concert.storage._scans import Begun

LOG = logging.getLogger("concert.storage")

ENDS = ("done", "stopped", "aborted", "failed")
FRAMES = "INSERT OR REPLACE INTO frames VALUES (?, ?, ?)"
LAYOUT = "INSERT OR REPLACE INTO layouts VALUES (?, ?, ?)"


class Record:
    """The record of a scan that is running; comes from :meth:`.Catalogue.begin` and :meth:`.Catalogue.reopen`.

    It may be used from greenlets, native threads and plain code, from several of them at once too.
    """

    def __init__(self, catalogue: Catalogue, journal: Journal, begun: Begun) -> None:
        self._catalogue = catalogue
        self._journal = journal
        self._lock = allocate_lock()  # guards the order of the points
        self._layout = begun.layout
        self._appended = begun.points
        self._began = time.monotonic() - begun.elapsed
        self._held: deque[tuple[int, list[Statement]]] = deque()  # up to which point, and what
        self._frames: list[FrameWriter] = []
        self._telling = False
        self._ending = False  # somebody is at it
        self._finished = False
        self._error: Exception | None = None  # why no more points can ever be stored
        #: The number of the scan, for ever.
        self.number = begun.number
        #: Where its HDF5 file is.
        self.path: Path = path_of(catalogue.directory, begun.number)
        #: So many points are durable: the death of this process cannot lose them.
        self.durable = begun.points
        #: Called with :attr:`durable` when it has grown, at most once a commit, and in the hub where there is one: it
        #: must not wait for anything. Elsewhere it is called in a native thread.
        self.on_durable: Callable[[int], Any] | None = None
        self.title = begun.title
        self.columns: tuple[Column, ...] = begun.columns
        self.began: datetime = begun.began

    def __repr__(self) -> str:
        return f"<Record of scan {self.number}, {self.durable} points>"

    @property
    def points(self) -> int:
        """The same as :attr:`durable`: what can be read."""
        return self.durable

    def append(self, values: Sequence[Any], wait: bool = True) -> None:
        """Add the next point: a value for each column, quantities or plain values.

        The first point fixes the units and types, later values are converted, and :exc:`ValueError` is raised for those
        that cannot be; then there is no point. Return when the point is durable, or without *wait* at once, unless very
        many are under way already.

        Raise :exc:`.StorageError` if the point could not be stored now: it is kept, and :meth:`flush` tries again; and
        :exc:`RuntimeError` if it, or one before, can never be stored, whatever people do: the scan ends there.
        """
        self._check()
        with self._lock:  # nothing in here lets others run
            if self._finished:
                raise RuntimeError(f"scan {self.number} has ended and takes no more points")
            layout, row, statements = self._pack(values)
            statements.append((POINT, (self.number, self._appended, self.elapsed(), row)))
            self._layout = layout
            self._appended += 1
            number = self._appended
            if self._frames:
                self._held.append((number, statements))
            else:
                ticket, too_many = self._journal.put(statements, len(row))
        if self._frames:
            self._release(number)
            self._wait_for(number if wait or self._journal.in_trouble else 0)
        elif wait or too_many or self._journal.in_trouble:
            ticket.result()
            self._check()

    def flush(self) -> None:
        """Return when everything that was appended is durable.

        Raise :exc:`.StorageError` if it could not be stored now: it is kept, and can be tried again.
        """
        appended = self._appended
        self._release(appended)
        self._wait_for(appended)

    def _release(self, points: int) -> None:
        """Queue what is held back of so many points: their frames have to be in the file before."""
        if not self._held:
            return
        for writer in self._frames:
            writer.flush()
        with self._lock:
            statements: list[Statement] = []
            while self._held and self._held[0][0] <= points:
                statements += self._held.popleft()[1]
            self._journal.put(statements, sum(map(size_of, statements)))

    def _wait_for(self, points: int) -> None:
        """Wait until so many points are durable; none of them is held back."""
        while self.durable < points:
            self._check()
            with self._lock:  # whoever has taken what was held back has queued it
                ticket = self._journal.retry()
            if ticket is not None:
                ticket.result()
            elif self.durable < points:
                self._check()
                raise RuntimeError(
                    f"points of scan {self.number} are lost: nobody is told any more what becomes of them"
                )

    def _check(self) -> None:
        if self._error is not None:
            raise RuntimeError(
                f"point {self.durable} of scan {self.number} can never be stored, and nothing after it: {self._error}"
            ) from self._error

    def rows(self, start: int = 0, stop: int | None = None) -> list[tuple[Any, ...]]:
        """Return the durable points from *start* on, before *stop*, as tuples of values.

        Quantities are in the unit of the column, which the first point has fixed. Raise :exc:`.StorageError` if they
        cannot be read now.
        """
        stop = self.durable if stop is None else min(stop, self.durable)
        path = self._catalogue.path
        with explaining(path):
            return _reading.reading(path, _reading.rows, self.number, start, stop).result()

    @property
    def data(self) -> ScanData:
        """The durable points, by column; they are read from the disk when the first column is asked for."""
        return stored_data(self._catalogue.path, self)

    def finish(self, status: str, reason: str = "", snapshot: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """End the record: flush it, note how and why the scan has ended, and complete its HDF5 file.

        *status* is ``done``, ``stopped``, ``aborted`` or ``failed``, *snapshot* what devices tell after the scan. Raise
        :exc:`.StorageError` if it cannot be stored now; then it can be tried again. A scan ends once: raise
        :exc:`RuntimeError` if it has ended already, or goes on with another record.
        """
        if status not in ENDS:
            raise ValueError(f"a scan ends {', '.join(ENDS)}, not {status!r}")
        with self._lock:
            if self._ending or not self._journal.is_writer(self.number, self):
                raise RuntimeError(
                    f"scan {self.number} has ended already for this record and cannot end again as {status!r}"
                )
            self._ending = True
        try:
            self._end(status, reason, snapshot)
        finally:
            self._ending = False

    def _end(self, status: str, reason: str, snapshot: Mapping[str, Mapping[str, Any]] | None) -> None:
        try:
            self.flush()
        except RuntimeError:
            if self._error is None or status == "done":  # what can never be stored is no reason not to end otherwise
                raise
        for writer in self._frames:
            writer.close()
        with self._lock:
            self._finished = True
        after = None if snapshot is None else to_json(snapshot)
        self._catalogue.finish(self.number, status, reason, self.elapsed(), after)

    def elapsed(self) -> float:
        """Return the seconds since the scan began, whatever has happened to the clock."""
        return time.monotonic() - self._began

    def add_frames(self, writer: FrameWriter) -> None:
        """Let points wait for the frames that were given to *writer* before.

        Raise :exc:`ValueError` if another one writes the same file, or wrote it for another camera.
        """
        with self._lock:
            if self._finished:
                raise RuntimeError(f"scan {self.number} has ended and takes no more frames")
            for other in self._frames:
                if other.path == writer.path and not other.closed:
                    raise _taken(writer, other.camera)
            self._frames.append(writer)
        try:
            self._journal.call(lambda connection: self._insert_frames(connection, writer))
        except BaseException:
            self.remove_frames(writer)
            raise

    def remove_frames(self, writer: FrameWriter) -> None:
        """Undo :meth:`add_frames` for a *writer* that was given no frames."""
        self._frames.remove(writer)

    def _insert_frames(self, connection: sqlite3.Connection, writer: FrameWriter) -> None:
        camera, file = encodable(writer.camera), writer.path.name
        query = "SELECT name FROM frames WHERE scan = ? AND file = ? AND name != ?"
        other = connection.execute(query, (self.number, file, camera)).fetchone()
        if other is not None:
            raise _taken(writer, other[0])
        connection.execute(FRAMES, (self.number, camera, file))

    def committed(self, points: int) -> None:
        """Take note that so many points are durable; the journal calls it."""
        self.durable = points
        if self.on_durable is None:
            return
        if hub is None:
            self._tell()
        elif not self._telling:
            self._telling = True
            call_in_hub(self._tell)

    def failed(self, error: Exception) -> None:
        """Take note that the point after the durable ones can never be stored; the journal calls it."""
        self._error = error

    def _tell(self) -> None:
        self._telling = False
        try:
            if self.on_durable is not None:
                self.on_durable(self.durable)
        except Exception:
            LOG.exception("what follows the points of scan %d failed", self.number)

    def _pack(self, values: Sequence[Any]) -> tuple[Layout, bytes, list[Statement]]:
        """Return the row of a point, its layout, and what has to be written before it."""
        if len(values) != len(self.columns):
            raise ValueError(f"a point has {len(self.columns)} values, one for each column, not {len(values)}")
        layout = self._layout or Layout.of([column.name for column in self.columns], values)
        try:
            row = layout.pack(values)
        except TooNarrow:
            layout = layout.widen(values)
            row = layout.pack(values)
        if layout is self._layout:
            return layout, row, []
        return layout, row, [(LAYOUT, (self.number, self._appended, to_json(layout.describe())))]


def _taken(writer: FrameWriter, camera: str) -> ValueError:
    return ValueError(
        f"{writer.path.name} is for the frames of {camera!r} already; "
        f"close their writer to go on, or give the camera {writer.camera!r} a name whose file is another one"
    )
