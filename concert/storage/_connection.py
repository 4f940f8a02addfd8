"""The connection that writes: to the file that is really there, whatever others have done to it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic  # bound here: what happens to files happens in real time
from typing import Any

from concert.storage._beside import beside
from concert.storage._database import LOOK, identity, open_for_writing
from concert.storage._errors import StorageError, is_damage

Statement = tuple[str, tuple[Any, ...]]


class WritingConnection:
    """A connection to the database at *path*, opened when it is needed; for one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._log_identity: tuple[int, int] | None = None
        self._size = 0  # of the file, which never shrinks
        self._looked = 0.0
        self._full = False
        #: Whether commits shall wait for the disk.
        self.full = False
        #: Whether something is in there that must not be lost if somebody removes the file.
        self.precious = False

    def execute(self, statements: list[Statement]) -> None:
        """Execute *statements* in one transaction."""
        if len(statements) == 1:
            self._current().execute(*statements[0])  # is a transaction of its own
        else:
            self.together(lambda connection: _execute(connection, statements))

    def together(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """Return the result of *function*, which is called with the connection, in one transaction."""
        connection = self._current()
        connection.execute("BEGIN IMMEDIATE")
        try:
            value = function(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return value

    def close(self) -> None:
        """Close the connection; it is opened again when it is needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _current(self) -> sqlite3.Connection:
        now = monotonic()
        if self._connection is None or now - self._looked > LOOK:
            self._look()
            self._looked = now
        assert self._connection is not None
        if self._full is not self.full:
            self._connection.execute(f"PRAGMA synchronous={'FULL' if self.full else 'NORMAL'}")
            self._full = self.full
        return self._connection

    def _look(self) -> None:
        """Open the file, if it is not open, or not in its place any more."""
        if self._connection is not None:
            self._looked = 0.0  # in case there is something wrong with it
            if self._is_in_place():
                return
            if self.precious:
                self._rescue(self._connection)
            self.close()
        self._connection = open_for_writing(self._path)
        self._identity, self._log_identity = identity(self._path), identity(self._log)
        self._size = os.stat(self._path).st_size
        self._full = False

    @property
    def _log(self) -> Path:
        return self._path.with_name(f"{self._path.name}-wal")

    def _is_in_place(self) -> bool:
        if identity(self._path) != self._identity or identity(self._log) != self._log_identity:
            return False
        size, before = os.stat(self._path).st_size, self._size
        self._size = max(size, before)
        return size >= before

    def _rescue(self, connection: sqlite3.Connection) -> None:
        """Write what only this connection still has of a removed or cut file, or of its log, into one in its place."""
        if identity(self._path) not in (None, self._identity):
            raise StorageError(
                f"{self._path} is not the file any more that the running scan is in; move it away, and it goes on"
            )
        if not self._path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._path))
        with beside(self._path) as unfinished:
            rescued = sqlite3.connect(unfinished, isolation_level=None)
            try:
                connection.backup(rescued)
                sound = rescued.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            except sqlite3.DatabaseError as error:
                if not is_damage(error):
                    raise
                sound = False
            finally:
                rescued.close()
            if not sound:  # nothing that anybody does mends it
                raise RuntimeError(
                    f"{self._path} was cut or damaged, and what it had cannot be put back; end this program, move the "
                    "file away with its -wal and -shm, and scans begin anew"
                )
            for left in ("-wal", "-shm"):  # these are of the old file
                self._path.with_name(self._path.name + left).unlink(missing_ok=True)


def _execute(connection: sqlite3.Connection, statements: Iterable[Statement]) -> None:
    for statement in statements:
        connection.execute(*statement)
