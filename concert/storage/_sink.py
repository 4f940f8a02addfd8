"""A file for HDF5 to write to that never fails: the library does not survive it if its own data cannot be written."""

from __future__ import annotations

import io
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Sink:
    """A new file at *path* as an object for h5py's driver ``fileobj``: a context manager that closes it.

    After a write has failed, the following ones are dropped, until :meth:`check` raises what had happened.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        self._position = 0
        self._end = 0  # as HDF5 believes it to be
        self.error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def check(self) -> None:
        """Raise what has gone wrong so far."""
        if self.error is not None:
            raise self.error

    def synchronise(self) -> None:
        """Return when the disk has everything."""
        os.fsync(self._descriptor)

    # -- for h5py -----------------------------------------------------------------------------------------------

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = offset + (0 if whence == io.SEEK_SET else self._end)
        return self._position

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        size, done = len(view), 0
        while self.error is None and done < size:
            try:
                done += os.pwrite(self._descriptor, view[done:], self._position + done)
            except OSError as error:
                self.error = error
        self._position += size
        self._end = max(self._end, self._position)
        return size

    def read(self, size: int = -1) -> bytes:
        buffer = bytearray(self._end - self._position if size < 0 else size)
        self.readinto(buffer)
        return bytes(buffer)

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = os.pread(self._descriptor, len(view), self._position)
        view[: len(data)] = data
        view[len(data) :] = bytes(len(view) - len(data))
        self._position += len(view)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        self._end = size
        if self.error is None:
            try:
                os.ftruncate(self._descriptor, size)
            except OSError as error:
                self.error = error
        return size

    def flush(self) -> None:
        pass
