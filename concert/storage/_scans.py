"""The scans in the database: how one begins, goes on, ends, and is found to have been interrupted."""

from __future__ import annotations

import sqlite3
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import concert
from concert.storage import _reading
from concert.storage._database import next_number
from concert.storage._header import Column, Header
from concert.storage._layout import Layout
from concert.storage._values import encodable, from_json, to_json
from concert.storage._writer import this_process

RECENT = 1000  # points that tell how long one takes
ALIKE = 5  # scans that tell how long the next one takes


class NoScan(IndexError):
    """Raised when there is no such scan."""


@dataclass(frozen=True)
class Begun:
    """What a record starts with, or goes on with: what the scan is, and how many *points* it has after how long."""

    number: int
    title: str
    columns: tuple[Column, ...]
    began: datetime
    full_sync: bool
    points: int = 0
    elapsed: float = 0.0  # seconds
    layout: Layout | None = None


def begin(connection: sqlite3.Connection, directory: Path, header: Header, began: datetime) -> Begun:
    """Insert a scan with a new number."""
    values = {
        "number": next_number(connection, directory),
        "title": encodable(header.title),
        "command": encodable(header.command),
        "kind": encodable(header.kind),
        "session": encodable(header.session),
        "expected": header.expected,
        "status": "running",
        "began": began.isoformat(),
        "began_at": began.timestamp(),
        "columns": to_json([asdict(column) for column in header.columns]),
        "signature": signature(header.columns),
        "plan": to_json(header.plan),
        "metadata": to_json(header.metadata),
        "snapshot_before": to_json(header.snapshot),
        "versions": to_json(_versions()),
        "writer": to_json(this_process()),
        "full_sync": header.full_sync,
    }
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO scans ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
    return Begun(int(str(values["number"])), header.title, header.columns, began, header.full_sync)


def take_over(connection: sqlite3.Connection, number: int, goes_on: Callable[[int, Mapping[str, Any]], bool]) -> Begun:
    """Let this process go on with a scan that has ended before its time.

    *goes_on* tells of one that is said to be running, by its number and its writer, whether it is.
    """
    row = connection.execute(
        "SELECT title, columns, began, began_at, status, writer, full_sync FROM scans WHERE number = ?", (number,)
    ).fetchone()
    if row is None:
        raise NoScan(f"there is no scan {number}")
    title, columns, began, began_at, status, writer, full_sync = row
    known = from_json(writer)
    if status == "done":
        raise ValueError(f"scan {number} is done and cannot go on")
    if status == "running" and goes_on(number, known):
        raise ValueError(f"scan {number} is running, in process {known['pid']} on {known['host']}")
    connection.execute(
        "UPDATE scans SET status = 'running', reason = '', elapsed = NULL, snapshot_after = NULL, has_file = 0, "
        "writer = ? WHERE number = ?",
        (to_json(this_process()), number),
    )
    last = connection.execute("SELECT max(elapsed) FROM points WHERE scan = ?", (number,)).fetchone()[0]
    layouts = _reading.layouts(connection, number)
    return Begun(
        number,
        title,
        tuple(Column(**each) for each in from_json(columns)),
        datetime.fromisoformat(began),
        bool(full_sync),
        _reading.count(connection, number),
        # Time went on in between, but never back: the clock may have been set.
        max(last or 0.0, time.time() - began_at),
        layouts[-1][1] if layouts else None,
    )


def finish(
    connection: sqlite3.Connection, number: int, status: str, reason: str, elapsed: float, snapshot: str | None
) -> None:
    """Note how a scan has ended, *elapsed* seconds after it began."""
    query = "SELECT elapsed FROM points WHERE scan = ? ORDER BY point DESC LIMIT ?"
    times = [seconds for (seconds,) in connection.execute(query, (number, RECENT))]
    connection.execute(
        "UPDATE scans SET status = ?, reason = ?, elapsed = ?, snapshot_after = ?, pace = ? WHERE number = ?",
        (status, encodable(reason), elapsed, snapshot, _reading.pace(times[::-1]), number),
    )


def interrupt(connection: sqlite3.Connection, number: int, writer: str) -> None:
    """Note that a scan has ended with its process, *writer*, unless somebody else has gone on with it."""
    connection.execute(
        "UPDATE scans SET status = 'interrupted', "
        "elapsed = (SELECT ifnull(max(elapsed), 0) FROM points WHERE scan = number) "
        "WHERE number = ? AND writer = ? AND status = 'running'",
        (number, writer),
    )


def complete(connection: sqlite3.Connection, number: int) -> None:
    """Note that the file of a scan has everything."""
    connection.execute("UPDATE scans SET has_file = 1 WHERE number = ? AND status != 'running'", (number,))


def incomplete(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Return number, status and writer of the scans whose file does not have everything yet."""
    return connection.execute("SELECT number, status, writer FROM scans WHERE NOT has_file").fetchall()


def typical(connection: sqlite3.Connection, kind: str, columns: Iterable[Column]) -> float | None:
    """Return the seconds from point to point of the latest scans of a kind with the same devices, or None."""
    found = connection.execute(
        "SELECT pace FROM scans WHERE kind = ? AND signature = ? AND status = 'done' AND pace IS NOT NULL "
        "ORDER BY number DESC LIMIT ?",
        (kind, signature(columns), ALIKE),
    ).fetchall()
    return statistics.median(pace for (pace,) in found) if found else None


def signature(columns: Iterable[Column]) -> str:
    """Return what scans with the same devices have in common."""
    return to_json(sorted([column.role, column.device or column.name, column.parameter] for column in columns))


def _versions() -> dict[str, str]:
    return {"concert": concert.__version__, "python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version}
