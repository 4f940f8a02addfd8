"""Scans of devices that cost nothing: what a point costs, stored and not, and how soon the first one is there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import gevent

from benchmarks._measure import Comparison, Result, compare, per_call
from benchmarks.core import Motor, plain
from benchmarks.storage import BareWriter, directory
from concert.base import Quantity
from concert.devices.base import Device
from concert.processes import Scan, describe, station
from concert.processes._hooks import Hook
from concert.quantities import q

POINTS = 3000


class Diode(Device):
    """A detector whose hardware costs nothing."""

    main_parameter = "intensity"
    intensity = Quantity(q.V)
    _intensity = 1.5 * q.V

    def _get_intensity(self):
        return self._intensity


motor, diode = Motor(name="motor"), Diode(name="diode")


def a_scan(points: int = POINTS, gather: bool = False) -> Scan:
    return describe.ascan(motor["position"], 0 * q.mm, 10 * q.mm, points - 1, read=diode, gather=gather)


def seconds_a_point(gather: bool = False, after_point: Sequence[Hook] = ()) -> float:
    scan = a_scan(gather=gather)
    scan.hooks.after_point += after_point
    began = time.perf_counter()
    scan.start().result()
    return (time.perf_counter() - began) / POINTS


def until_first_point() -> float:
    run = a_scan(2).start()
    began = time.perf_counter()
    next(iter(run))
    first = time.perf_counter() - began
    run.join()
    return first


def results() -> list[Result]:
    """Measure everything here."""
    with directory() as path:
        bare = BareWriter(path)
        try:
            return [compare(comparison) for comparison in in_memory() + stored(path, bare)]
        finally:
            bare.close()
            station.reset()


def in_memory() -> list[Comparison]:
    """A point that is not stored, against a greenlet."""
    spawn = per_call(lambda: gevent.spawn(plain).get(), 2000)
    return [Comparison("point of a scan in memory", seconds_a_point, "gevent.spawn(f).get()", spawn, 1.5)]


def stored(path: Path, bare: BareWriter) -> list[Comparison]:
    """A point that is stored, against one that is not and what an insert and its commit take in a thread.

    An insert takes longer in a scan than in a loop of inserts: the thread has gone to sleep while the point was
    measured, and on a virtual machine it takes tens of microseconds to wake a processor that rests. So it is measured
    both ways.
    """

    def unstored(after_point: Sequence[Hook] = ()) -> float:
        station.where = lambda: None
        return seconds_a_point(after_point=after_point)

    def with_inserts_in_a_loop() -> float:
        began = time.perf_counter()
        for _ in range(POINTS):
            bare.insert()
        return 1.3 * (time.perf_counter() - began) / POINTS + unstored()

    def with_inserts_between_points() -> float:
        without = unstored()
        return without + 1.3 * (unstored([bare.insert]) - without)

    def durable(gather: bool) -> float:
        station.where = lambda: path
        return seconds_a_point(gather)

    def first() -> float:
        station.where = lambda: path
        return until_first_point()

    def one_by_one() -> float:
        return durable(False)

    name = "stored point, one by one"
    return [
        Comparison(name, one_by_one, "scan + 1.3 × its inserts", with_inserts_between_points, 1.0),
        Comparison(name, one_by_one, "scan + 1.3 × inserts in a loop", with_inserts_in_a_loop, 1.0),
        Comparison(name, one_by_one, "150 µs", lambda: 150e-6, 1.0),
        Comparison("stored point, gathered", lambda: durable(True), "60 µs", lambda: 60e-6, 1.0),
        Comparison("start of a stored scan to its first point", first, "20 ms", lambda: 20e-3, 1.0),
    ]
