"""Durable points and frames, against the least that can be done for them: an insert and its commit, a file's write."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import gevent
import numpy as np
from gevent import get_hub, getcurrent

from benchmarks._measure import Comparison, Result, compare
from concert.async_ import threaded
from concert.async_._native import allocate_lock, start_new_thread
from concert.storage import Catalogue, Column, FrameWriter, Header, Record

COLUMNS = tuple(Column(f"counter {number}", "detector") for number in range(5))
POINT = tuple(float(number) for number in range(len(COLUMNS)))
FRAME = np.random.default_rng(1).integers(0, 4000, (2048, 2048), np.uint16)
FRAMES = 60
TICK = 0.005  # seconds

_LOOP = get_hub().loop


@contextmanager
def directory() -> Iterator[Path]:
    """A directory on the disk of the working directory, which need not be the one of temporary files."""
    path = Path(tempfile.mkdtemp(prefix=".bench-", dir="."))
    try:
        yield path
    finally:
        Catalogue(path).close()
        shutil.rmtree(path, ignore_errors=True)


def record_in(path: Path) -> Record:
    return Catalogue(path).begin(Header("benchmark", columns=COLUMNS))


class BareWriter:
    """An insert and its commit in a native thread that the hub waits for, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = path / "bare.sqlite"
        self._wanted, self._ended = allocate_lock(), allocate_lock()
        self._wanted.acquire(), self._ended.acquire()
        self._waiter: Any = None
        self._number = 0
        self._row = struct.Struct(f"<{len(POINT)}d")
        start_new_thread(self._work, ())

    def insert(self) -> None:
        """Insert a row and return when it is committed."""
        self._waiter = getcurrent()
        self._wanted.release()
        get_hub().switch()

    def close(self) -> None:
        """End the thread."""
        self._waiter = None
        self._wanted.release()
        self._ended.acquire()

    def _work(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "CREATE TABLE points (scan INTEGER, point INTEGER, elapsed REAL, row BLOB, PRIMARY KEY (scan, point)) "
            "WITHOUT ROWID"
        )
        while True:
            self._wanted.acquire()
            if self._waiter is None:
                break
            self._number += 1
            row = (1, self._number, time.monotonic(), self._row.pack(*POINT))
            connection.execute("INSERT INTO points VALUES (?, ?, ?, ?)", row)
            _LOOP.run_callback_threadsafe(self._waiter.switch)
        connection.close()
        self._ended.release()


def results() -> tuple[list[Result], LongScan]:
    """Measure everything here, which takes a minute; memory first, before frames have used some."""
    with directory() as path:
        long = long_scan(path)
    with directory() as path:
        record, bare = record_in(path), BareWriter(path)
        found = [compare(comparison) for comparison in points(record, bare)]
        bare.close()
    with directory() as path:
        speed, evenness = frames(path)
        found += [compare(speed, turns=5), compare(evenness, turns=1)]
    return found, long


def points(record: Record, bare: BareWriter) -> list[Comparison]:
    """A durable point, one by one and gathered."""

    def one_by_one() -> float:
        return _each(lambda: record.append(POINT), 2000)

    def gathered() -> float:
        began = time.perf_counter()
        for _ in range(20_000):
            record.append(POINT, wait=False)
        record.flush()
        return (time.perf_counter() - began) / 20_000

    return [
        Comparison("durable point, one by one", one_by_one, "150 µs", lambda: 150e-6, 1.0),
        Comparison("durable point, gathered", gathered, "60 µs", lambda: 60e-6, 1.0),
        Comparison(
            "durable point, one by one",
            one_by_one,
            "insert and commit in a thread",
            lambda: _each(bare.insert, 2000),
            1.3,
        ),
    ]


def _each(function: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - began) / calls


def frames(path: Path) -> list[Comparison]:
    """A frame of 8 MB, and how evenly the hub runs meanwhile."""
    gaps: list[float] = []

    def write() -> float:
        record = record_in(path)
        with _ticker(gaps):
            began = time.perf_counter()
            with FrameWriter(record, "camera") as writer:
                for _ in range(FRAMES):
                    writer.write(FRAME)
                writer.flush()
                each = (time.perf_counter() - began) / FRAMES
        record.finish("done")
        writer.path.unlink()
        return each

    def copy_and_write() -> float:
        file = path / "frames.raw"
        each = _tofile(file).result()
        file.unlink()
        return each

    def longest() -> float:
        gaps.clear()
        for _ in range(3):
            write()
        return max(gaps)

    return [
        Comparison("frame of 2048 × 2048", write, "copy and tofile in a thread", copy_and_write, 1 / 0.8),
        Comparison("longest gap of a 5 ms ticker", longest, "25 ms", lambda: 0.025, 1.0),
    ]


@threaded
def _tofile(path: Path) -> float:
    copy = np.empty_like(FRAME)
    began = time.perf_counter()
    with path.open("wb", buffering=0) as file:
        for _ in range(FRAMES):
            np.copyto(copy, FRAME)
            copy.tofile(file)
    return (time.perf_counter() - began) / FRAMES


@contextmanager
def _ticker(gaps: list[float]) -> Iterator[None]:
    """Append to *gaps* the seconds between two turns of a greenlet that sleeps :data:`TICK`."""

    def tick() -> None:
        last = time.perf_counter()
        while True:
            gevent.sleep(TICK)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    ticker = gevent.spawn(tick)
    gevent.sleep(0)
    try:
        yield
    finally:
        ticker.kill()


class LongScan(NamedTuple):
    """Seconds a point, and bytes of memory, early and late in a scan of a million points; *ratio* is of the times.

    Each time is taken beside that of the limit, so that the ratio is of the scan and not of the machine.
    """

    early: float
    late: float
    ratio: float
    memory_early: float
    memory_late: float


def long_scan(path: Path, total: int = 1_000_000, block: int = 10_000) -> LongScan:
    """Measure the first and the last tenth of a long scan, by medians, and its memory after the first block."""
    record, bare = record_in(path), BareWriter(path)
    alone = 500  # of each block these are waited for one by one
    times, ratios = [], []
    memory_early = 0.0
    for number in range(total // block):
        for _ in range(block - alone):
            record.append(POINT, wait=False)
        record.flush()
        times.append(_each(lambda: record.append(POINT), alone))
        ratios.append(times[-1] / _each(bare.insert, alone))
        if number == 0:
            time.sleep(3)  # for the growing file to be there
            memory_early = _memory()
    memory_late = _memory()
    bare.close()
    record.finish("done")
    tenth = max(1, len(ratios) // 10)
    early, late = statistics.median(times[:tenth]), statistics.median(times[-tenth:])
    ratio = statistics.median(ratios[-tenth:]) / statistics.median(ratios[:tenth])
    return LongScan(early, late, ratio, memory_early, memory_late)


def _memory() -> int:
    """Return the bytes of memory that the process uses now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
