"""The SQLite file of a directory's scans: its tables, and connections to it."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import Any

VERSION = 1
PAGES = 10_000  # of the log, after which whoever commits has to move it into the file: see checkpoint
PATIENCE = 10.0  # seconds to wait for another process that is writing
LOOK = 0.1  # seconds after which who writes a file looks whether it is still in its place

_SCHEMA = """
CREATE TABLE scans (
    number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, whatever is deleted
    title TEXT NOT NULL,
    command TEXT NOT NULL,
    kind TEXT NOT NULL,
    session TEXT NOT NULL,
    expected INTEGER,  -- points
    status TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    began TEXT NOT NULL,  -- ISO 8601 with zone
    began_at REAL NOT NULL,  -- the same in seconds since 1970
    elapsed REAL,  -- seconds that the scan took
    pace REAL,  -- median of the seconds between two points
    signature TEXT NOT NULL,  -- what scans with the same devices have in common
    full_sync INTEGER NOT NULL DEFAULT 0,
    columns TEXT NOT NULL,  -- from here on JSON
    plan TEXT NOT NULL,
    metadata TEXT NOT NULL,
    snapshot_before TEXT NOT NULL,
    snapshot_after TEXT,
    versions TEXT NOT NULL,
    writer TEXT NOT NULL,
    has_file INTEGER NOT NULL DEFAULT 0  -- whether the HDF5 file is complete
);
CREATE INDEX scans_unfinished ON scans (number) WHERE NOT has_file;
CREATE INDEX scans_alike ON scans (kind, signature, number) WHERE status = 'done';
CREATE TABLE layouts (  -- what the rows mean, from the point `first` on
    scan INTEGER NOT NULL,
    first INTEGER NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (scan, first)
) WITHOUT ROWID;
CREATE TABLE points (
    scan INTEGER NOT NULL,
    point INTEGER NOT NULL,
    elapsed REAL NOT NULL,  -- seconds since the scan began, whatever happened to the clock
    row BLOB NOT NULL,
    PRIMARY KEY (scan, point)
) WITHOUT ROWID;
CREATE TABLE frames (  -- files of frames that belong to a scan
    scan INTEGER NOT NULL,
    name TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (scan, name)
) WITHOUT ROWID;
"""


def path_of(directory: Path, number: int) -> Path:
    """Return where the HDF5 file of a scan is."""
    return directory / f"scan_{number:04}.h5"


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Return a connection to the file, which is made if need be; the directory as well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={PAGES}")
        if not _version(connection, path):
            _create(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Return a connection that changes nothing; :exc:`FileNotFoundError` if there is no such file."""
    path.stat()
    writable = os.access(path.parent, os.W_OK) and os.access(path, os.W_OK)
    # Where nothing may be written there is no place for the lock file either, which writers keep beside the file.
    mode = "rw" if writable else "ro" if path.with_name(path.name + "-wal").exists() else "ro&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", timeout=PATIENCE, isolation_level=None, uri=True,
        check_same_thread=False,
    )  # fmt: skip
    try:
        connection.execute("PRAGMA query_only=1")
        if not _version(connection, path):
            raise FileNotFoundError(f"{path} has no scans in it")
    except BaseException:
        connection.close()
        raise
    return connection


def checkpoint(path: Path) -> None:
    """Let the disk have what was committed, and move it from the log into the file as far as nobody reads it there.

    This takes as long as the disk does, but whoever commits meanwhile does not have to wait for it.
    """
    try:
        descriptor = os.open(f"{path}-wal", os.O_RDONLY)
    except FileNotFoundError:  # everything is in the file itself already
        return
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    connection = open_for_reading(path)  # which makes no new file
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    finally:
        connection.close()


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise RuntimeError(f"{path} was written by a newer version of Concert, which is needed to read it")
    return version


def _create(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not _version(connection, path):  # nobody else was faster
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            connection.execute("INSERT INTO sqlite_sequence VALUES ('scans', ?)", (_greatest(path.parent),))
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK") if connection.in_transaction else None
        raise


def _greatest(directory: Path) -> int:
    """Return the greatest number that a file of a scan has in the directory, if it is one that a scan may have."""
    matches = (re.match(r"scan_(\d{1,9})\D", path.name) for path in directory.iterdir())
    return max((int(match[1]) for match in matches if match), default=0)


def next_number(connection: sqlite3.Connection, directory: Path) -> int:
    """Return the number of a scan that is about to be inserted in the same transaction."""
    number = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'scans'").fetchone()[0] + 1
    names = os.listdir(directory)
    while any(name.startswith((f"scan_{number:04}.", f"scan_{number:04}_")) for name in names):  # put there by somebody
        number += 1
    return number


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells the file from another one in its place, or None if there is none."""
    try:
        status: Any = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
