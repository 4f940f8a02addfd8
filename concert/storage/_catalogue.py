"""The catalogue: all scans of a directory, each with a number of its own."""

from __future__ import annotations

import sqlite3
import sys
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import concert
from concert.async_._native import allocate_lock
from concert.storage import _reading
from concert.storage._database import next_number
from concert.storage._header import Column, Header
from concert.storage._journal import Journal
from concert.storage._record import Begun, Record
from concert.storage._stored import FIELDS, StoredScan
from concert.storage._values import from_json, to_json
from concert.storage._writer import lives, this_process

NAME = "scans.sqlite"

_lock = allocate_lock()
_catalogues: weakref.WeakValueDictionary[Path, Catalogue] = weakref.WeakValueDictionary()


class Catalogue:
    """All scans in *directory*; there is one object for a directory in a process, whoever asks for it.

    The directory, and the file ``scans.sqlite`` in it, are made when they are first needed. ``catalogue[42]`` is scan
    42, ``catalogue[-1]`` the latest one; iterating goes from the oldest to the latest.
    """

    directory: Path
    path: Path
    _journal: Journal

    def __new__(cls, directory: str | Path) -> Catalogue:
        resolved = Path(directory).expanduser().resolve()
        with _lock:
            known = _catalogues.get(resolved)
            if known is None:
                known = super().__new__(cls)
                known.directory, known.path = resolved, resolved / NAME
                known._journal = Journal(known.path, lambda numbers: None)
                weakref.finalize(known, known._journal.close)
                _catalogues[resolved] = known
        return known

    def __repr__(self) -> str:
        return f"<Catalogue of {self.directory}>"

    # -- writing ------------------------------------------------------------------------------------------------

    def begin(self, header: Header) -> Record:
        """Give a scan its number, for ever, and return the record of it.

        Raise :exc:`.StorageError` if nothing can be stored.
        """
        began = datetime.now().astimezone()
        values = {
            "title": header.title,
            "command": header.command,
            "kind": header.kind,
            "session": header.session,
            "expected": header.expected,
            "status": "running",
            "began": began.isoformat(),
            "began_at": began.timestamp(),
            "columns": to_json([asdict(column) for column in header.columns]),
            "signature": _signature(header.columns),
            "plan": to_json(header.plan),
            "metadata": to_json(header.metadata),
            "snapshot_before": to_json(header.snapshot),
            "versions": to_json(_versions()),
            "writer": to_json(this_process()),
            "full_sync": header.full_sync,
        }

        def insert(connection: sqlite3.Connection) -> Record:
            number = next_number(connection, self.directory)
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO scans (number, {names}) VALUES (?, {marks})", (number, *values.values()))
            return self._enter(Begun(number, header.title, header.columns, began), header.full_sync)

        return self._journal.call(insert)

    def reopen(self, number: int) -> Record:
        """Return a record that goes on behind the last durable point of a scan that has ended before its time.

        Raise :exc:`LookupError` if there is none, and :exc:`ValueError` if it is running or was done.
        """

        def take_over(connection: sqlite3.Connection) -> Record:
            row = connection.execute(
                "SELECT title, columns, began, began_at, status, writer, full_sync FROM scans WHERE number = ?",
                (number,),
            ).fetchone()
            if row is None:
                raise self._unknown(number)
            title, columns, began, began_at, status, writer, full_sync = row
            _refuse_to_reopen(number, status, from_json(writer))
            connection.execute(
                "UPDATE scans SET status = 'running', reason = '', elapsed = NULL, snapshot_after = NULL, "
                "has_file = 0, writer = ? WHERE number = ?",
                (to_json(this_process()), number),
            )
            points = _reading.count(connection, number)
            last = connection.execute("SELECT max(elapsed) FROM points WHERE scan = ?", (number,)).fetchone()[0]
            known = _reading.layouts(connection, number)
            begun = Begun(
                number,
                title,
                tuple(Column(**each) for each in from_json(columns)),
                datetime.fromisoformat(began),
                points,
                # Time goes on in between, but never back: the clock may have been set.
                max(last or 0.0, time.time() - began_at),
                known[-1][1] if known else None,
            )
            return self._enter(begun, bool(full_sync))

        return self._journal.call(take_over)

    def _enter(self, begun: Begun, full_sync: bool) -> Record:
        record = Record(self, self._journal, begun)
        self._journal.enter(begun.number, record, full_sync)
        return record

    def finish(self, number: int, status: str, reason: str, elapsed: float, snapshot: str | None) -> None:
        """Note that a scan has ended; for :meth:`.Record.finish`."""

        def update(connection: sqlite3.Connection) -> None:
            times = connection.execute(
                "SELECT elapsed FROM points WHERE scan = ? ORDER BY point DESC LIMIT 1000", (number,)
            ).fetchall()
            connection.execute(
                "UPDATE scans SET status = ?, reason = ?, elapsed = ?, snapshot_after = ?, pace = ? WHERE number = ?",
                (status, reason, elapsed, snapshot, _reading.pace([t for (t,) in reversed(times)]), number),
            )
            self._journal.leave(number)

        self._journal.call(update)

    # -- reading ------------------------------------------------------------------------------------------------

    def read(self, function: Callable[..., Any], *args: Any) -> Any:
        """Return what *function* returns when it is called with a connection to the database and *args*."""
        return _reading.reading(self.path, function, *args).result()

    def _select(self, condition: str, *values: Any) -> list[StoredScan]:
        def select(connection: sqlite3.Connection) -> list[StoredScan]:
            found = connection.execute(f"SELECT {FIELDS} FROM scans {condition}", values).fetchall()
            return [StoredScan(self.path, connection, row) for row in found]

        try:
            return self.read(select)
        except FileNotFoundError:  # no scan was ever begun here
            return []

    def __getitem__(self, number: int) -> StoredScan:
        if number < 0:
            found = self._select("ORDER BY number DESC LIMIT 1 OFFSET ?", -number - 1)
        else:
            found = self._select("WHERE number = ?", number)
        if not found:
            raise self._unknown(number)
        return found[0]

    def __len__(self) -> int:
        try:
            return self.read(lambda connection: connection.execute("SELECT count(*) FROM scans").fetchone()[0])
        except FileNotFoundError:
            return 0

    def __iter__(self) -> Iterator[StoredScan]:
        after = 0
        while block := self._select("WHERE number > ? ORDER BY number LIMIT 100", after):
            yield from block
            after = block[-1].number

    @property
    def last(self) -> StoredScan:
        """The latest scan; raises :exc:`LookupError` if there is none."""
        return self[-1]

    def _unknown(self, number: int) -> LookupError:
        return _NoScan(f"there is no scan {number} in {self.directory}")


class _NoScan(IndexError):
    """A LookupError whose message is shown as it is."""


def _signature(columns: Iterable[Column]) -> str:
    """Return what scans that take as long a point have in common."""
    return to_json(sorted([column.role, column.device or column.name, column.parameter] for column in columns))


def _versions() -> dict[str, str]:
    return {"concert": concert.__version__, "python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version}


def _refuse_to_reopen(number: int, status: str, writer: dict[str, Any]) -> None:
    if status == "done":
        raise ValueError(f"scan {number} is done and cannot go on")
    if status == "running" and lives(writer):
        raise ValueError(f"scan {number} is running, in process {writer['pid']} on {writer['host']}")
