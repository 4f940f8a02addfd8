"""The catalogue: all scans of a directory, each with a number of its own."""

from __future__ import annotations

import logging
import operator
import sqlite3
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, SupportsIndex

from concert.async_._native import allocate_lock
from concert.storage import _reading, _scans
from concert.storage._beside import put_aside
from concert.storage._errors import StorageError
from concert.storage._file import is_whole
from concert.storage._header import Column, Header
from concert.storage._journal import Journal
from concert.storage._projection import Projection
from concert.storage._record import Record
from concert.storage._scans import Begun, NoScan
from concert.storage._search import condition, matches
from concert.storage._stored import FIELDS, StoredScan
from concert.storage._values import from_json
from concert.storage._worker import hdf5
from concert.storage._writer import lives, this_process

LOG = logging.getLogger("concert.storage")

NAME = "scans.sqlite"
GREATEST = 2**63 - 1  # number that a database holds

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
    _projection: Projection
    _completing: set[int]
    _hopeless: set[int]

    def __new__(cls, directory: str | Path) -> Catalogue:
        resolved = Path(directory).expanduser().resolve()
        with _lock:
            known = _catalogues.get(resolved)
            if known is None:
                known = super().__new__(cls)
                known.directory, known.path = resolved, resolved / NAME
                known._projection = Projection(known.path)
                known._journal = Journal(known.path, known._projection.grow)
                known._completing, known._hopeless = set(), set()
                weakref.finalize(known, known._journal.close)
                _catalogues[resolved] = known
        return known

    def __repr__(self) -> str:
        return f"<Catalogue of {self.directory}>"

    def close(self) -> None:
        """Close all files, those of running scans as well; these can go on later. What is needed is opened again."""
        self._journal.hold_back()
        self._projection.close()
        self._journal.close()

    # -- writing ------------------------------------------------------------------------------------------------

    def begin(self, header: Header) -> Record:
        """Give a scan its number, for ever, and return the record of it.

        Raise :exc:`.StorageError` if nothing can be stored.
        """
        hdf5.prepare()
        began = datetime.now().astimezone()
        return self._enter(
            self._journal.call(lambda connection: _scans.begin(connection, self.directory, header, began))
        )

    def reopen(self, number: int) -> Record:
        """Return a record that goes on behind the last durable point of a scan that has ended before its time.

        Raise :exc:`LookupError` if there is none, and :exc:`ValueError` if it is running or was done.
        """
        hdf5.prepare()
        return self._enter(self._journal.call(lambda connection: _scans.take_over(connection, number, self._goes_on)))

    def _enter(self, begun: Begun) -> Record:
        record = Record(self, self._journal, begun)
        self._projection.begin(begun.number)
        self._journal.enter(begun.number, record, begun.full_sync)
        return record

    def finish(self, number: int, status: str, reason: str, elapsed: float, snapshot: str | None) -> None:
        """Note that a scan has ended, and complete its file; for :meth:`.Record.finish`.

        Raise :exc:`.StorageError` if that is not possible now; then it can be tried again.
        """
        self._journal.call(lambda connection: _scans.finish(connection, number, status, reason, elapsed, snapshot))
        try:
            self._complete(number)
        except StorageError:  # it is tried again, and until then nothing of the scan may be lost
            raise
        except Exception as error:
            self._give_up(number, error)
        self._journal.leave(number)

    def _complete(self, number: int) -> None:
        self._completing.add(number)
        try:
            self._projection.complete(number)
            self._journal.call(lambda connection: _scans.complete(connection, number))
        finally:
            self._completing.discard(number)

    def _look_after(self) -> None:
        """Note which scans were interrupted by the death of their process, and complete the files of all that ended."""
        for number, status, writer in self._read(_scans.incomplete, []):
            known = from_json(writer)
            if number in self._hopeless | self._completing or (
                lives(known) and (status == "running" or known != this_process())
            ):
                continue
            self._try_to_complete(number, interrupted=writer if status == "running" else None)

    def _try_to_complete(self, number: int, interrupted: str | None = None) -> None:
        try:
            if interrupted is not None:
                self._journal.call(lambda connection: _scans.interrupt(connection, number, interrupted))
            self._complete(number)
        except StorageError as error:  # it can be read all the same
            LOG.warning("the file of scan %d is not complete: %s", number, error)
        except Exception as error:
            self._give_up(number, error)

    def _mend(self, scan: StoredScan) -> None:
        """Make the file of a scan anew, and keep what is left of it."""
        try:
            if scan.path.exists():
                aside = put_aside(scan.path)
                LOG.warning("%s cannot be read and is %s now; it is made anew", scan.path, aside.name)
        except OSError as error:
            LOG.warning("the file of scan %d cannot be read, and not be made anew: %s", scan.number, error)
        else:
            self._try_to_complete(scan.number)

    def _give_up(self, number: int, error: Exception) -> None:
        """Leave a scan without its file, which nobody can mend: it can be read all the same."""
        self._hopeless.add(number)
        LOG.warning("the file of scan %d cannot be completed, but the journal has everything: %s", number, error)

    # -- reading ------------------------------------------------------------------------------------------------

    def __getitem__(self, number: SupportsIndex) -> StoredScan:
        try:
            number = operator.index(number)
        except TypeError:
            raise TypeError(f"expected the number of a scan, or -1 for the latest one, not {number!r}") from None
        if abs(number) > GREATEST:
            found = []
        elif number < 0:
            found = self._select("ORDER BY number DESC LIMIT 1 OFFSET ?", -number - 1)
        else:
            found = self._select("WHERE number = ?", number)
        if not found:
            raise NoScan(f"there is no scan {number} in {self.directory}")
        scan = found[0]
        if scan.has_file and not is_whole(scan.path):  # somebody has removed it, but the journal has everything
            self._mend(scan)
        return scan

    def __len__(self) -> int:
        return self._read(lambda connection: connection.execute("SELECT count(*) FROM scans").fetchone()[0], 0)

    def __bool__(self) -> bool:
        return True  # it is there, even if there are no scans in it yet

    def __iter__(self) -> Iterator[StoredScan]:
        after = 0
        while block := self._select("WHERE number > ? ORDER BY number LIMIT 100", after):
            yield from block
            after = block[-1].number

    @property
    def last(self) -> StoredScan:
        """The latest scan; raises :exc:`LookupError` if there is none."""
        return self[-1]

    def search(
        self,
        *,
        command: str | None = None,
        device: str | None = None,
        since: date | str | None = None,
        until: date | str | None = None,
        status: str | Iterable[str] | None = None,
        **metadata: Any,
    ) -> list[StoredScan]:
        """Return the scans for which all of that is true, the latest one last.

        *command* is their kind, or a part of the command or the title; *device* is one that was varied or read; *since*
        and *until* are when they began, as dates or times or as text, ``"2026-11-22 03:12"``; *status* is one or
        several. Everything else is looked for in the metadata: ``sample="Si 111"``.
        """
        where, values = condition(command, since, until, status)
        found = self._select(f"WHERE {where} ORDER BY number", *values)
        return [scan for scan in found if matches(scan, device, metadata)]

    def typical(self, kind: str, columns: Iterable[Column]) -> float | None:
        """Return the seconds from one point to the next in the latest scans that were done with the same devices.

        None if there were none.
        """
        return self._read(lambda connection: _scans.typical(connection, kind, columns), None)

    def _select(self, condition: str, *values: Any) -> list[StoredScan]:
        def select(connection: sqlite3.Connection) -> list[StoredScan]:
            found = connection.execute(f"SELECT {FIELDS} FROM scans {condition}", values).fetchall()
            return [self._stored(connection, row) for row in found]

        self._look_after()
        return self._read(select, [])

    def _stored(self, connection: sqlite3.Connection, row: tuple[Any, ...]) -> StoredScan:
        scan = StoredScan(self.path, connection, row)
        if scan.status == "running" and not self._goes_on(scan.number, scan.writer):
            scan.status = "interrupted"
        return scan

    def _goes_on(self, number: int, writer: Mapping[str, Any]) -> bool:
        """Tell whether a scan that is said to be running is: its *writer* lives, and if it is this one, writes it."""
        return lives(writer) and (writer != this_process() or self._journal.writes(number))

    def _read(self, function: Callable[[sqlite3.Connection], Any], nothing: Any) -> Any:
        """Return what *function* finds, or *nothing* where no scan was ever begun."""
        try:
            return _reading.reading(self.path, function).result()
        except (FileNotFoundError, NotADirectoryError):
            return nothing
