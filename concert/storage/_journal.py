"""The one who writes: a native thread that commits whatever has gathered, and wakes those who wait for it."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic  # bound here: files grow by real time
from typing import Any, Protocol

from concert.async_._native import allocate_lock, thread_ident
from concert.async_._parking import ThreadWaiter
from concert.async_._pool import pool
from concert.storage._database import identity, open_for_writing
from concert.storage._errors import StorageError, explained
from concert.storage._ticket import Ticket

PERIOD = 1.0  # seconds after which what was committed is passed on

ENTRIES = 4096  # that may be queued before those who do not wait for each of them have to
BYTES = 64 * 2**20

Statement = tuple[str, tuple[Any, ...]]
POINT = "INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?)"  # again after a commit that had only seemed to fail


class Writer(Protocol):
    """What the journal tells of its progress."""

    def committed(self, points: int) -> None:
        """So many points are durable now."""


class Journal:
    """Writes to the database at *path*; *pass_on* is called, in a native thread, with numbers of scans that have grown.

    What cannot be written stays queued and is tried again with whatever is put next, or on :meth:`retry`.
    """

    def __init__(self, path: Path, pass_on: Callable[[set[int]], None]) -> None:
        self._path = path
        self._pass_on = pass_on
        self._lock = allocate_lock()  # guards what follows
        self._queue: list[Statement] = []
        self._bytes = 0
        self._ticket = Ticket()  # of those in the queue
        self._committing: Ticket | None = None
        #: Whether the last commit failed, and what it wrote is queued again.
        self.in_trouble = False
        self._calls: deque[tuple[Callable[[sqlite3.Connection], Any], Ticket]] = deque()
        self._wanted = False  # somebody waits for a look at the queue
        self._at_work = False
        self._resting: ThreadWaiter | None = None
        # From here on the writing thread's own.
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._grown: set[int] = set()
        self._passed_on = monotonic()
        self._full = False  # commits shall wait for the disk
        self._applied = False
        self._writers: dict[int, Writer] = {}

    # -- for everybody ------------------------------------------------------------------------------------------

    def put(self, statements: Sequence[Statement], size: int) -> tuple[Ticket, bool]:
        """Queue *statements* of *size* bytes; return what to wait with, and whether there is too much in the queue."""
        with self._lock:
            self._queue += statements
            self._bytes += size
            self._employ()
            return self._ticket, len(self._queue) > ENTRIES or self._bytes > BYTES

    def retry(self) -> Ticket | None:
        """Try to write what is queued; return what to wait with, or None if everything has been written."""
        with self._lock:
            if self._queue:
                self._employ()
                return self._ticket
            return self._committing

    def call(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """Run *function* with the connection, in one transaction after what is queued, and return its result."""
        ticket = Ticket()
        with self._lock:
            self._calls.append((function, ticket))
            self._employ()
        return ticket.result()

    def enter(self, number: int, writer: Writer, full: bool) -> None:
        """Let *writer* hear of the commits of scan *number*, which are for the disk before they count if *full*."""
        self._writers[number] = writer
        self._full = self._full or full

    def leave(self, number: int) -> None:
        """Undo :meth:`enter`."""
        self._writers.pop(number, None)
        self._grown.discard(number)
        if not self._writers:
            self._full = False

    def close(self) -> None:
        """Close the connection, when nothing is written any more; it is opened again when needed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # -- the writing thread -------------------------------------------------------------------------------------

    def _employ(self) -> None:
        self._wanted = True
        if not self._at_work:
            self._at_work = True
            pool.submit(self._work)
        elif self._resting is not None:
            waiter, self._resting = self._resting, None
            pool.unblock()
            waiter.wake()

    def _work(self) -> None:
        waiter = ThreadWaiter()
        while self._take():
            rest = PERIOD - (monotonic() - self._passed_on)
            if self._grown and rest > 0:
                self._rest(waiter, rest)
            elif self._grown:
                grown, self._grown, self._passed_on = self._grown, set(), monotonic()
                self._pass_on(grown)

    def _take(self) -> bool:
        """Do what is wanted; return False if there is nothing to do now or later."""
        with self._lock:
            if not self._wanted and not self._grown:
                self._at_work = False
                return False
            wanted, self._wanted = self._wanted, False
            batch, ticket = self._queue, self._ticket
            calls, self._calls = self._calls, deque()
            if wanted and batch:
                self._queue, self._bytes = [], 0
                self._ticket, self._committing = Ticket(), ticket
        if wanted and batch:
            self._write(batch, ticket)
        for function, outcome in calls:
            self._call(function, outcome)
        return True

    def _rest(self, waiter: ThreadWaiter, seconds: float) -> None:
        """Wait for more to do, or until something is due."""
        with self._lock:
            if self._wanted:
                return
            self._resting = waiter
            pool.block()
        pool.resting.add(thread_ident())
        waiter.sleep(seconds)
        pool.resting.discard(thread_ident())
        with self._lock:
            if self._resting is waiter:
                self._resting = None
                pool.unblock()
                return
        waiter.sleep(0)  # takes back a call to wake up that came too late

    def _write(self, batch: list[Statement], ticket: Ticket) -> None:
        try:
            if len(batch) == 1:
                self._connected().execute(*batch[0])  # a transaction of its own
            else:
                self._together(lambda connection: _execute(connection, batch))
            self._tell(batch)
        except Exception as error:
            with self._lock:
                self._queue[:0] = batch
                self._bytes += sum(map(size_of, batch))
                self._committing = None
                self.in_trouble = True
            ticket.settle(error=explained(error, self._path))
        else:
            with self._lock:
                self._committing = None
                self.in_trouble = False
            ticket.settle()

    def _call(self, function: Callable[[sqlite3.Connection], Any], outcome: Ticket) -> None:
        try:
            value = self._together(function)
        except Exception as error:
            outcome.settle(error=explained(error, self._path))
        else:
            outcome.settle(value)

    def _together(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """Return the result of *function* in one transaction."""
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        try:
            value = function(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return value

    def _tell(self, batch: Iterable[Statement]) -> None:
        points = {values[0]: values[1] + 1 for sql, values in batch if sql is POINT}
        self._grown.update(points)
        for number, count in points.items():
            writer = self._writers.get(number)
            if writer is not None:
                writer.committed(count)

    # -- the connection -----------------------------------------------------------------------------------------

    def _connected(self) -> sqlite3.Connection:
        """Return the connection, to the file that is really there."""
        if self._connection is not None:
            there = identity(self._path)
            if there == self._identity:
                if self._full is not self._applied:
                    self._synchronise()
                return self._connection
            if self._writers:
                self._rescue(there)
            self.close()
        self._connection = open_for_writing(self._path)
        self._identity = identity(self._path)
        self._synchronise()
        return self._connection

    def _rescue(self, there: tuple[int, int] | None) -> None:
        """Write what the removed file had, and only this connection still has, into a new one in its place."""
        assert self._connection is not None
        if there is not None:
            raise StorageError(
                f"{self._path} is not the file any more that the running scan is in; move it away, and it goes on"
            )
        if not self._path.parent.is_dir():
            raise FileNotFoundError(2, "no such directory", str(self._path))
        unfinished = self._path.with_name(f".{self._path.name}.rescued")
        unfinished.unlink(missing_ok=True)
        with sqlite3.connect(unfinished, isolation_level=None) as rescued:
            self._connection.backup(rescued)
        rescued.close()
        unfinished.replace(self._path)

    def _synchronise(self) -> None:
        assert self._connection is not None
        self._connection.execute(f"PRAGMA synchronous={'FULL' if self._full else 'NORMAL'}")
        self._applied = self._full


def _execute(connection: sqlite3.Connection, batch: Iterable[Statement]) -> None:
    for statement in batch:
        connection.execute(*statement)


def size_of(statement: Statement) -> int:
    """Return the bytes that a statement brings."""
    sql, values = statement
    return len(values[3]) if sql is POINT else 0
