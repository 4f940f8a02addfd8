"""The frames of a camera, in a file of their own beside that of the scan."""

from __future__ import annotations

import logging
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from concert.async_._native import allocate_lock
from concert.async_._parking import on_hub_thread
from concert.storage._errors import StorageError, explained, explaining
from concert.storage._framefile import FrameFile
from concert.storage._nexus import name_for
from concert.storage._ticket import Ticket
from concert.storage._worker import Worker, hdf5

LOG = logging.getLogger("concert.storage")

BOUND = 16  # frames under way

_copier = Worker()

if TYPE_CHECKING:
    from concert.storage._record import Record


class _Frame(NamedTuple):
    values: Any
    elapsed: float  # seconds since the scan began
    ours: bool  # to be used again


def frame_path(path: Path, camera: str) -> Path:
    """Return where the frames of *camera* are that belong to the scan whose file is at *path*."""
    return path.with_name(f"{path.stem}_{name_for(camera)}.h5")


class FrameWriter:
    """Writes the frames of *camera* that belong to the scan of *record*, into ``scan_0213_<camera>.h5``.

    The file of the scan links to them, in ``/entry/instrument/<camera>_frames/data``. At most *bound* frames are under
    way; whoever is faster than the disk has to wait. A scan that goes on after it was interrupted keeps the first
    *start* frames, all of them by default. Each file has one writer at a time. It may be used from greenlets, native
    threads and plain code, and is a context manager that closes the file, as the ends of the record and the process do.
    """

    def __init__(self, record: Record, camera: str, bound: int = BOUND, start: int | None = None) -> None:
        if bound < 1:
            raise ValueError(f"expected the number of frames under way, 1 or more, not {bound!r}")
        if start is not None and start < 0:
            raise ValueError(f"expected the number of frames to keep, 0 or more, not {start!r}")
        self.camera = camera
        self.path: Path = frame_path(record.path, camera)
        self._bound = bound
        self._record = record
        self._lock = allocate_lock()  # guards what follows
        self._queue: deque[_Frame] = deque()
        self._spare: list[Any] = []  # arrays to copy frames to
        self._at_work = False
        self._ticket = Ticket()  # settled when some more frames were written
        self._error: Exception | None = None
        self._closed = False
        self._file = FrameFile(self.path, camera, record.number)
        self._taken = 0  # frames
        #: So many frames are in the file: the death of this process cannot lose them.
        self.durable: int = 0
        record.add_frames(self)
        try:
            self.durable = self._taken = hdf5.run(self._file.open, start)
        except BaseException:
            record.remove_frames(self)
            raise
        hdf5.at_end.add(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FrameWriter of {self.path.name}, {self.durable} frames>"

    @property
    def closed(self) -> bool:
        """Whether the file is closed and takes no more frames."""
        return self._closed

    def write(self, frame: Any, copy: bool = True) -> int:
        """Write the next *frame*, a 2D array (height, width) of numbers, and return its index, from 0.

        All frames have the shape and type of the first; the order of bytes may differ. Return when it is under way;
        without *copy* the array must not be changed any more. Raise :exc:`.StorageError` if frames cannot be written
        now: they are kept, this one included, and :meth:`flush` tries again.
        """
        frame = np.asarray(frame)
        self._file.check(frame)
        elapsed = self._record.elapsed()
        kept = self._copy(frame) if copy else np.ascontiguousarray(frame, self._file.dtype)
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{self.path.name} is closed and takes no more frames")
            self._queue.append(_Frame(kept, elapsed, copy))
            index = self._taken
            self._taken += 1
            self._employ()
        self._wait(lambda: len(self._queue) < self._bound)
        return index

    def flush(self) -> None:
        """Return when all frames are in the file, or raise :exc:`.StorageError`: it can be tried again."""
        taken = self._taken
        with self._lock:
            if self.durable < taken:
                self._employ()
        self._wait(lambda: self.durable >= taken)

    def close(self) -> None:
        """Flush and close the file; raise :exc:`.StorageError` if that is not possible now, then it stays open."""
        if self._closed:
            return
        self._closed = True  # nothing is to come in between
        try:
            self.flush()
            with explaining(self.path):
                hdf5.run(self._file.close)
        except BaseException:
            self._closed = False
            raise
        hdf5.at_end.discard(self._end)

    def _end(self) -> None:
        """Write what is queued and close the file, because the process ends."""
        try:
            self._write_all()
            self._file.close()
        except Exception as error:
            LOG.error("%s lacks the frames from %d on: %s", self.path, self.durable, error)
            self._file.abandon()

    def _copy(self, frame: Any) -> Any:
        with self._lock:
            spare = self._spare.pop() if self._spare else None
        if on_hub_thread():  # which others wait for: several milliseconds for a large frame
            return _copier.run(_copy, spare, frame, self._file.dtype)
        return _copy(spare, frame, self._file.dtype)

    def _wait(self, enough: Any) -> None:
        while True:
            with self._lock:
                if self._error is not None:
                    error = self._error
                    raise StorageError(*error.args) if isinstance(error, StorageError) else error
                if enough():
                    return
                ticket = self._ticket
            ticket.result()

    # -- the worker ---------------------------------------------------------------------------------------------

    def _employ(self) -> None:
        self._error = None
        if not self._at_work:
            self._at_work = True
            hdf5.submit(self._work)

    def _work(self) -> None:
        """Write what is queued."""
        error: Exception | None = None
        try:
            self._write_all()
        except Exception as exception:
            error = explained(exception, self.path)
        with self._lock:
            self._error = error
            again = bool(self._queue) and error is None
            self._at_work = again
        if again:
            hdf5.submit(self._work)  # behind what others want
        self._tell()

    def _write_all(self) -> None:
        self._file.check_disk()  # has what had failed before, or nothing more is written
        with self._lock:
            batch = list(self._queue)
        for frame in batch:
            self._file.append(frame.values, frame.elapsed)
            with self._lock:
                self._queue.popleft()
                if frame.ours and len(self._spare) < self._bound:
                    self._spare.append(frame.values)
            self._tell()
            self._file.check_disk()
        self._file.flush()
        with self._lock:
            self.durable = self._taken - len(self._queue)

    def _tell(self) -> None:
        """Let those who wait look again."""
        with self._lock:
            ticket, self._ticket = self._ticket, Ticket()
        ticket.settle()


def _copy(spare: Any, frame: Any, dtype: Any) -> Any:
    """Return a copy of *frame*, in *spare* if that is an array."""
    if spare is None:
        spare = np.empty(frame.shape, dtype)
    np.copyto(spare, frame)
    return spare
