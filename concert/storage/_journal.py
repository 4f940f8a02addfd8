"""The one who writes: a native thread that commits whatever has gathered, and wakes those who wait for it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic  # bound here: files grow by real time
from typing import Any, Protocol

from concert.async_._native import allocate_lock, thread_ident
from concert.async_._parking import ThreadWaiter
from concert.async_._pool import pool
from concert.storage._connection import Statement, WritingConnection
from concert.storage._errors import explained
from concert.storage._ticket import Ticket
from concert.storage._worker import wait_natively

LOG = logging.getLogger("concert.storage")

PERIOD = 1.0  # seconds after which what was committed is passed on

ENTRIES = 4096  # that may be queued before those who do not wait for each of them have to
BYTES = 64 * 2**20

POINT = "INSERT INTO points VALUES (?, ?, ?, ?)"
POINT_AGAIN = "INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?)"  # after a commit that may only have seemed to fail

# What a statement raises that can never be executed, whatever people do: its point is there, or its values are too big.
HOPELESS = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError)

Call = Callable[[sqlite3.Connection], Any]


class Writer(Protocol):
    """What the journal tells of its progress."""

    def committed(self, points: int) -> None:
        """So many points are durable now."""

    def failed(self, error: Exception) -> None:
        """Something of the scan can never be written because of *error*, and nothing that came after it is."""


class Journal:
    """Writes to the database at *path*; *pass_on* is called, in a native thread, with numbers of scans that have grown.

    What cannot be written stays queued and is tried again with whatever is put next, or on :meth:`retry`. What can
    never be written ends its scan, and no other one.
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
        self._calls: list[tuple[Call, Ticket]] = []
        self._wanted = False  # somebody waits for a look at the queue
        self._at_work = False
        self._resting: ThreadWaiter | None = None
        self._writers: dict[int, Writer] = {}
        self._failed: set[int] = set()  # scans of which nothing is written any more
        # From here on the writing thread's own.
        self._connection = WritingConnection(path)
        self._grown: set[int] = set()
        self._passed_on = monotonic()

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

    def call(self, function: Call) -> Any:
        """Run *function* with the connection, in one transaction after what is queued, and return its result."""
        ticket = Ticket()
        with self._lock:
            self._calls.append((function, ticket))
            self._employ()
        return ticket.result()

    def enter(self, number: int, writer: Writer, full: bool) -> None:
        """Let *writer* hear of the commits of scan *number*, which are for the disk before they count if *full*."""
        with self._lock:
            self._writers[number] = writer
            self._failed.discard(number)
            self._connection.precious = True
            self._connection.full = self._connection.full or full

    def leave(self, number: int) -> None:
        """Undo :meth:`enter`."""
        with self._lock:
            self._writers.pop(number, None)
            self._grown.discard(number)
            if not self._writers:
                self._connection.precious = self._connection.full = False

    def writes(self, number: int) -> bool:
        """Tell whether somebody writes scan *number* through this journal."""
        return number in self._writers

    def is_writer(self, number: int, writer: Writer) -> bool:
        """Tell whether it is *writer* who writes scan *number* through this journal."""
        return self._writers.get(number) is writer

    def hold_back(self) -> None:
        """Do not pass on what has grown so far."""
        with self._lock:
            self._grown.clear()
            if self._resting is not None:
                self._employ()  # only to find that there is nothing to wait for any more

    def close(self) -> None:
        """Close the connection, as soon as nothing is being written; it is opened again when needed."""
        wait_natively(self._try_to_close)

    def _try_to_close(self) -> bool:
        with self._lock:  # without which nobody begins to write
            if self._at_work and self._resting is None:
                return False
            self._connection.close()
            return True

    def _employ(self) -> None:
        self._wanted = True
        if not self._at_work:
            self._at_work = True
            pool.submit(self._work)
        elif self._resting is not None:
            waiter, self._resting = self._resting, None
            waiter.wake()
            pool.unblock()

    # -- the writing thread -------------------------------------------------------------------------------------

    def _work(self) -> None:
        waiter = ThreadWaiter()
        written: Ticket | None = None
        error: Exception | None = None
        while True:
            with self._lock:
                self._committing = None
                wanted, self._wanted = self._wanted, False
                if wanted:
                    statements, ticket, calls = self._take()
                else:
                    rest = self._begin_rest(waiter)
            # Only now, just before this thread does something else than run Python code: who goes on needs that too.
            if written is not None:
                written.settle(error=error)
                written = error = None
            if wanted:
                if statements:
                    written, error = ticket, self._write(statements)
                for function, outcome in calls:
                    self._call(function, outcome)
            elif rest is None:
                return
            elif rest > 0:
                self._rest(waiter, rest)
            else:
                self._pass_on_what_has_grown()

    def _take(self) -> tuple[list[Statement], Ticket, Sequence[tuple[Call, Ticket]]]:
        """Return what is queued: statements for one transaction, what waits for them, and functions."""
        statements, ticket, calls = self._queue, self._ticket, self._calls
        if statements:
            self._queue, self._bytes = [], 0
            self._committing, self._ticket = ticket, Ticket()
        if calls:
            self._calls = []
        return statements, ticket, calls

    def _begin_rest(self, waiter: ThreadWaiter) -> float | None:
        """Return how many seconds to wait for more to do, none if something is due; None is the end of the thread."""
        if not self._grown:
            self._at_work = False
            return None
        rest = PERIOD - (monotonic() - self._passed_on)
        if rest > 0:
            self._resting = waiter
            pool.block()
        return rest

    def _rest(self, waiter: ThreadWaiter, seconds: float) -> None:
        ident = thread_ident()
        pool.resting.add(ident)
        waiter.sleep(seconds)  # or less, if an earlier call to wake up came too late
        pool.resting.discard(ident)
        if self._resting is waiter:
            with self._lock:
                if self._resting is waiter:
                    self._resting = None
                    pool.unblock()

    def _write(self, statements: list[Statement]) -> Exception | None:
        """Write; return what has gone wrong."""
        if self._failed:
            statements = self._without_failed(statements)
        try:
            if statements:
                self._connection.execute(statements)
        except HOPELESS:
            return self._write_one_by_one(statements)
        except Exception as error:
            return self._keep(statements, error)
        self.in_trouble = False
        self._tell(statements)
        return None

    def _write_one_by_one(self, statements: list[Statement]) -> Exception | None:
        """Write all but what can never be written, and what comes after that in the same scan."""
        for index, statement in enumerate(statements):
            number = statement[1][0]
            if number in self._failed:
                continue
            try:
                self._connection.execute([statement])
                self._tell([statement])
            except HOPELESS as error:
                self._failed.add(number)
                if number in self._writers:
                    self._writers[number].failed(error)
            except Exception as error:
                return self._keep(self._without_failed(statements[index:]), error)
        self.in_trouble = False
        return None

    def _without_failed(self, statements: list[Statement]) -> list[Statement]:
        return [statement for statement in statements if statement[1][0] not in self._failed]

    def _keep(self, statements: list[Statement], error: Exception) -> Exception:
        """Queue *statements* again; return *error* as people are told of it."""
        with self._lock:
            self._queue[:0] = [(POINT_AGAIN, values) if sql is POINT else (sql, values) for sql, values in statements]
            self._bytes += sum(map(size_of, statements))
            self.in_trouble = True
        return explained(error, self._path)

    def _call(self, function: Call, outcome: Ticket) -> None:
        try:
            value = self._connection.together(function)
        except Exception as error:
            outcome.settle(error=explained(error, self._path))
        else:
            outcome.settle(value)

    def _tell(self, statements: Iterable[Statement]) -> None:
        points = {}
        for sql, values in statements:
            if sql is POINT or sql is POINT_AGAIN:
                points[values[0]] = values[1] + 1
        for number, count in points.items():
            self._grown.add(number)
            writer = self._writers.get(number)
            if writer is not None:
                writer.committed(count)

    def _pass_on_what_has_grown(self) -> None:
        grown, self._grown, self._passed_on = self._grown, set(), monotonic()
        try:
            self._pass_on(grown)
        except Exception:  # the journal itself is not to suffer from it
            LOG.exception("the files of scans %s do not grow", grown)


def size_of(statement: Statement) -> int:
    """Return the bytes that a statement brings."""
    sql, values = statement
    return len(values[3]) if sql is POINT or sql is POINT_AGAIN else 0
