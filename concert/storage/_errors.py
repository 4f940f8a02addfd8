"""What can go wrong with storing, and can be mended by people."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StorageError(RuntimeError):
    """Raised when something cannot be stored now, but could be after somebody has done what the message says."""


_SPACE = "there is no room left on the disk of {path}; make room and it goes on"
_RIGHTS = "{path} cannot be written ({error}); give the right to write to {directory}"
_GONE = "the directory {directory} is gone, and with it {path}; put it back, or make it again, and it goes on"
_BUSY = "{path} is held by another program ({error}); end that, and it goes on"
_FAULT = "{path} cannot be written ({error}); look after the disk"
_DAMAGE = "{path} is damaged ({error}); move it away, with its -wal and -shm, or put a copy of it back"

_SQLITE = {
    sqlite3.SQLITE_FULL: _SPACE,
    sqlite3.SQLITE_READONLY: _RIGHTS,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_IOERR: _FAULT,
    sqlite3.SQLITE_CORRUPT: _DAMAGE,
    sqlite3.SQLITE_NOTADB: _DAMAGE,
}
_SYSTEM = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.ENOENT: _GONE,
    errno.ENOTDIR: _GONE,
}


def explained(error: Exception, path: Path) -> Exception:
    """Return *error*, which came up in writing *path*, as a :class:`StorageError` if people can mend it."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        sentence = None if code is None else _SQLITE.get(code & 0xFF)
    elif isinstance(error, OSError):
        sentence = _SYSTEM.get(error.errno or 0, _FAULT)
    else:
        sentence = None
    if sentence is None:
        return error
    if sentence is not _SPACE and not path.parent.is_dir():
        sentence = _GONE
    explanation = StorageError(sentence.format(path=path, directory=path.parent, error=error))
    explanation.__cause__ = error
    return explanation


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """Raise what comes up in the block, which writes *path*, as :func:`explained`."""
    try:
        yield
    except Exception as error:
        explanation = explained(error, path)
        if explanation is error:
            raise
        raise explanation from error


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether *error* says that a database is damaged, or none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def explaining_damage(path: Path) -> Iterator[None]:
    """Raise that *path*, which the block reads, is damaged as a :class:`StorageError`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise explained(error, path) from error
        raise
