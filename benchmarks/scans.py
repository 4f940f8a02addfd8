"""Scans of devices that cost nothing: what a point costs, stored and not, and how soon the first one is there."""

from __future__ import annotations

import time
from pathlib import Path

import gevent

from benchmarks._measure import Comparison, Result, compare, per_call
from benchmarks.core import Motor, plain
from benchmarks.storage import BareWriter, directory
from concert.base import Quantity
from concert.devices.base import Device
from concert.processes import Scan, describe, station
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


def seconds_a_point(gather: bool = False) -> float:
    scan = a_scan(gather=gather)
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
    """A point that is stored, against one that is not and what an insert and its commit take in a thread."""

    def least() -> float:
        station.where = lambda: None
        unstored = seconds_a_point()
        began = time.perf_counter()
        for _ in range(POINTS):
            bare.insert()
        return unstored + 1.3 * (time.perf_counter() - began) / POINTS

    def durable(gather: bool) -> float:
        station.where = lambda: path
        return seconds_a_point(gather)

    def first() -> float:
        station.where = lambda: path
        return until_first_point()

    return [
        Comparison("stored point, one by one", lambda: durable(False), "scan + 1.3 × insert, commit", least, 1.0),
        Comparison("stored point, one by one", lambda: durable(False), "150 µs", lambda: 150e-6, 1.0),
        Comparison("stored point, gathered", lambda: durable(True), "60 µs", lambda: 60e-6, 1.0),
        Comparison("start of a stored scan to its first point", first, "20 ms", lambda: 20e-3, 1.0),
    ]
