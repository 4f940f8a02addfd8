"""A sink whose file goes from one state to the next as a whole, whenever the process that writes it may die."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from time import monotonic  # bound here: what happens to files happens in real time

from concert.storage._beside import beside
from concert.storage._database import LOOK, identity
from concert.storage._errors import StorageError
from concert.storage._sink import Change, Sink

_HEAD = struct.Struct("<8sI")  # what it is, and the check sum of all that follows
_CHANGE = struct.Struct("<QQ")  # where it belongs, and its size; the bytes follow
_MAGIC = b"concert1"


class SteppingSink(Sink):
    """A :class:`.Sink` for a library that writes here and there, and whose file is to be whole after each :meth:`step`.

    What is new stands at the end and is written at once. What changes bytes of the step before is kept, and noted in a
    file of its own before it is written: :func:`recover` goes on with that if the process has died meanwhile.
    """

    def __init__(self, path: Path, append: bool = False) -> None:
        super().__init__(path, append)
        if not append:
            _note_of(path).unlink(missing_ok=True)  # is of another file, which was there before
        #: Where the file is, for who moves it.
        self.path = path
        self._looked = monotonic()
        self._settled = self._end  # so many bytes belong to the last step
        self._changes: list[Change] = []

    def step(self) -> None:
        """Let the file be what was written; raise :exc:`OSError` if that is not possible yet.

        From time to time :meth:`look` as well.
        """
        if monotonic() - self._looked >= LOOK:
            self.look()
        self.check()
        if self._changes:
            note = _note_of(self.path)
            note.write_bytes(_packed(self._changes))
            for offset, data in sorted(self._changes, key=_rank):
                super()._put(offset, memoryview(data))
            self.check()
            note.unlink()
            self._changes = []
        if os.fstat(self._descriptor).st_size > self._end:
            os.ftruncate(self._descriptor, self._end)
        self._settled = self._end

    def look(self) -> None:
        """Put the file back if somebody has removed it: it is there for as long as it is open.

        Raise :exc:`.StorageError` if something else is in its place, and :exc:`OSError` if it cannot be put back yet.
        """
        status, there = os.fstat(self._descriptor), identity(self.path)
        if there is None:
            self._put_back(status.st_size)
        elif there != (status.st_dev, status.st_ino):
            raise StorageError(
                f"{self.path} is not the file any more that frames are written to; move it away, and it goes on"
            )
        self._looked = monotonic()

    def _put_back(self, size: int) -> None:
        with beside(self.path) as unfinished:
            copy = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
            try:
                done = 0
                while done < size:
                    done += os.sendfile(copy, self._descriptor, done, size - done)
            except BaseException:
                os.close(copy)
                raise
        os.dup2(copy, self._descriptor, inheritable=False)
        os.close(copy)

    # -- for h5py -----------------------------------------------------------------------------------------------

    def _put(self, offset: int, view: memoryview) -> None:
        settled = max(0, min(len(view), self._settled - offset))
        if settled:
            self._changes.append((offset, bytes(view[:settled])))
        if settled < len(view):
            super()._put(offset + settled, view[settled:])

    def _pending(self) -> Iterator[Change]:
        yield from super()._pending()
        yield from self._changes

    def truncate(self, size: int | None = None) -> int:
        size = self._position if size is None else size
        if size > os.fstat(self._descriptor).st_size:
            return super().truncate(size)
        self._end = size  # of the file at the next step
        return size


def recover(path: Path) -> None:
    """Let the file at *path* end the step in the middle of which its process has died, if it has."""
    note = _note_of(path)
    try:
        changes = _unpacked(note.read_bytes())
    except FileNotFoundError:
        return
    if changes and path.exists():
        with Sink(path, append=True) as sink:
            for offset, data in changes:
                sink.seek(offset)
                sink.write(data)
            sink.check()
            sink.synchronise()
    note.unlink()


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.step")


def _rank(change: Change) -> tuple[int, int]:
    """Return what comes first, so that who reads meanwhile finds at least what was there before.

    First is how long the file is, then nodes of HDF5's trees of chunks, which leave entries to new ones, from the root.
    """
    offset, data = change
    return (0 if not offset else 1 if data.startswith(b"TREE") else 2), -data[5] if len(data) > 5 else 0


def _packed(changes: list[Change]) -> bytes:
    body = b"".join(_CHANGE.pack(offset, len(data)) + data for offset, data in changes)
    return _HEAD.pack(_MAGIC, zlib.crc32(body)) + body


def _unpacked(note: bytes) -> list[Change]:
    """Return the changes that are noted, none if the note was not finished: then none of them was made."""
    if len(note) < _HEAD.size or _HEAD.unpack_from(note) != (_MAGIC, zlib.crc32(note[_HEAD.size :])):
        return []
    changes, position = [], _HEAD.size
    while position < len(note):
        offset, size = _CHANGE.unpack_from(note, position)
        position += _CHANGE.size + size
        changes.append((offset, note[position - size : position]))
    return changes
