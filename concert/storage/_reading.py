"""Reading points from the database: rows, and columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from concert.async_ import threaded
from concert.quantities import q
from concert.storage._database import open_for_reading
from concert.storage._errors import explaining_damage
from concert.storage._layout import Layout
from concert.storage._values import from_json

BLOCK = 2_000  # points that are in memory at once while a long scan is copied


class Block(NamedTuple):
    """Points one after the other whose rows mean the same: those from *first* on, as arrays of plain values."""

    first: int
    elapsed: np.ndarray  # seconds
    layout: Layout
    columns: list[np.ndarray]


@threaded
def reading(path: Path, function: Callable[..., Any], *args: Any) -> Any:
    """Call *function* with a connection to the database, and with *args*: a future of its result."""
    return read_now(path, function, *args)


def read_now(path: Path, function: Callable[..., Any], *args: Any) -> Any:
    """Call *function* with a connection to the database, and with *args*, in the running thread.

    Raise :exc:`.StorageError` if the database is damaged.
    """
    with explaining_damage(path):
        connection = open_for_reading(path)
        try:
            return function(connection, *args)
        finally:
            connection.close()


def count(connection: sqlite3.Connection, scan: int) -> int:
    """Return how many points the scan has."""
    last = connection.execute("SELECT max(point) FROM points WHERE scan = ?", (scan,)).fetchone()[0]
    return 0 if last is None else last + 1


def layouts(connection: sqlite3.Connection, scan: int) -> list[tuple[int, Layout]]:
    """Return the layouts of the scan's rows, each with the first point that has it."""
    found = connection.execute("SELECT first, fields FROM layouts WHERE scan = ? ORDER BY first", (scan,))
    return [(first, Layout.described(from_json(fields))) for first, fields in found]


def blocks(connection: sqlite3.Connection, scan: int, start: int, stop: int) -> Iterator[Block]:
    """Generate the points from *start* on, before *stop*."""
    known = layouts(connection, scan)
    while start < stop:
        index = max(index for index, (first, _) in enumerate(known) if first <= start)
        end = min([stop, start + BLOCK, *(first for first, _ in known[index + 1 : index + 2])])
        found = connection.execute(
            "SELECT elapsed, row FROM points WHERE scan = ? AND point >= ? AND point < ? ORDER BY point",
            (scan, start, end),
        ).fetchall()
        if not found:
            return
        elapsed, rows = zip(*found, strict=True)
        layout = known[index][1]
        yield Block(start, np.array(elapsed), layout, layout.unpack(rows))
        start = end


def rows(connection: sqlite3.Connection, scan: int, start: int, stop: int) -> list[tuple[Any, ...]]:
    """Return a tuple of values for each point from *start* on, before *stop*; quantities in the column's unit."""
    result: list[tuple[Any, ...]] = []
    for block in blocks(connection, scan, start, stop):
        columns = [
            [field.restore(value) for value in (column if field.shape else column.tolist())]
            for field, column in zip(block.layout.fields, block.columns, strict=True)
        ]
        result += zip(*columns, strict=True)
    return result


def columns(connection: sqlite3.Connection, scan: int, stop: int) -> dict[str, Any]:
    """Return the points before *stop* as array quantities by column; those of texts are plain arrays."""
    parts = list(blocks(connection, scan, 0, stop))
    if not parts:
        return {}
    fields = parts[-1].layout.fields
    joined = (np.concatenate([part.columns[index] for part in parts]) for index in range(len(fields)))
    return {
        field.name: column if field.is_text else q.Quantity(column, field.units or q.dimensionless)
        for field, column in zip(fields, joined, strict=True)
    }


def elapsed(connection: sqlite3.Connection, scan: int, stop: int) -> np.ndarray:
    """Return the seconds since the scan began at which its points before *stop* were complete."""
    found = connection.execute("SELECT elapsed FROM points WHERE scan = ? AND point < ? ORDER BY point", (scan, stop))
    return np.array([seconds for (seconds,) in found], float)


def frames(connection: sqlite3.Connection, scan: int) -> dict[str, str]:
    """Return the names of the files of frames that belong to the scan, by camera."""
    return dict(connection.execute("SELECT name, file FROM frames WHERE scan = ? ORDER BY name", (scan,)).fetchall())


def pace(times: Sequence[float]) -> float | None:
    """Return the median of the seconds between points that were complete at *times*, or None."""
    return float(np.median(np.diff(times))) if len(times) > 1 else None
