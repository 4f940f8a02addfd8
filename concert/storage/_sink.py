"""A file for HDF5 to write to that never fails: the library does not survive it if its own data cannot be written."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Change = tuple[int, bytes]  # where in the file, and what


class Sink:
    """The file at *path*, a new one unless *append*, as an object that h5py takes for a file: a context manager.

    What cannot be written is kept, and everything after it, until :meth:`check` has written it, or raises why not.
    """

    def __init__(self, path: Path, append: bool = False) -> None:
        flags = os.O_RDWR | os.O_CLOEXEC | (0 if append else os.O_CREAT | os.O_TRUNC)
        self._descriptor = os.open(path, flags, 0o666)
        self._position = 0
        self._end = os.fstat(self._descriptor).st_size  # as HDF5 knows it
        self._kept: list[Change] = []
        self._error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Close the file; what is kept is lost. (Not ``close``, which h5py might call.)"""
        os.close(self._descriptor)

    def check(self) -> None:
        """Write what is kept; raise :exc:`OSError` if that is not possible yet."""
        self._error = None
        while self._kept and self._error is None:
            offset, data = self._kept[0]
            if self._try_to_write(offset, memoryview(data)):
                del self._kept[0]
        if self._error is not None:
            raise self._error

    def synchronise(self) -> None:
        """Return when the disk has everything."""
        os.fsync(self._descriptor)

    def _try_to_write(self, offset: int, view: memoryview) -> bool:
        done = 0
        try:
            while done < len(view):
                done += os.pwrite(self._descriptor, view[done:], offset + done)
        except OSError as error:
            self._error = error
        return done == len(view)

    def _put(self, offset: int, view: memoryview) -> None:
        if self._kept or not self._try_to_write(offset, view):
            self._kept.append((offset, bytes(view)))

    def _pending(self) -> Iterator[Change]:
        """Generate what was given to be written and is not in the file, in this order."""
        yield from self._kept

    # -- for h5py -----------------------------------------------------------------------------------------------

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + (0 if whence == io.SEEK_SET else self._end)
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._put(self._position, view)
        self._position += len(view)
        self._end = max(self._end, self._position)
        return len(view)

    def read(self, size: int = -1) -> bytes:
        buffer = bytearray(self._end - self._position if size < 0 else size)
        self.readinto(buffer)
        return bytes(buffer)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        begin, end = self._position, self._position + len(view)
        data = os.pread(self._descriptor, len(view), begin)
        view[: len(data)] = data
        view[len(data) :] = bytes(len(view) - len(data))
        for offset, kept in self._pending():
            first, last = max(begin, offset), min(end, offset + len(kept))
            if first < last:
                view[first - begin : last - begin] = kept[first - offset : last - offset]
        self._position = end
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        there = max([os.fstat(self._descriptor).st_size, *(offset + len(kept) for offset, kept in self._kept)])
        if size < there and not self._kept:
            os.ftruncate(self._descriptor, size)
        elif size > there:
            position, self._position = self._position, size - 1
            self.write(b"\0")
            self._position = position
        self._end = size
        return size

    def flush(self) -> None:
        pass
