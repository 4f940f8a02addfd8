"""Parameters and asynchronous calls, against pint and gevent."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import gevent

from benchmarks._measure import Comparison, per_call
from concert.async_ import async_, wait
from concert.base import Parameter, Parameterizable, Quantity
from concert.devices.base import Device
from concert.quantities import q


class Motor(Device):
    """A motor whose hardware costs nothing."""

    position = Quantity(q.mm, lower=-1000 * q.mm, upper=1000 * q.mm)
    _position = 1.5 * q.mm

    def _get_position(self):
        return self._position

    def _set_position(self, position):
        self._position = position


class FiveParameters(Parameterizable):
    one, two, three = Quantity(q.mm), Quantity(q.s), Quantity(q.deg)
    four, five = Parameter(), Parameter()


@async_
def nothing():
    pass


@async_
def sleep_10_ms():
    time.sleep(0.01)


def plain():
    pass


def parameters() -> list[Comparison]:
    """A write, a read and a literal, against pint's conversion to another unit."""
    motor = Motor()
    held, metres, micrometres = 3 * q.mm, q.m, 3000 * q.um

    def write():
        motor.position = held

    def write_other():
        motor.position = micrometres

    def write_literal():
        motor.position = 1 * q.mm

    to = per_call(lambda: held.to(metres), 2000)
    to_name = "pint: value.to(unit)"
    return [
        Comparison("write a held quantity", per_call(write, 2000), to_name, to, 0.6),
        Comparison("write one of another unit", per_call(write_other, 2000), to_name, to, 0.6),
        Comparison("read", per_call(lambda: motor.position, 5000), to_name, to, 0.15),
        Comparison("device.position = 1 * q.mm", per_call(write_literal, 2000), to_name, to, 1.0),
    ]


def calls() -> list[Comparison]:
    """Asynchronous calls, against gevent.spawn."""
    motor = Motor()
    held = 3 * q.mm
    spawn = per_call(lambda: gevent.spawn(plain).get(), 2000)
    spawn_name = "gevent.spawn(f).get()"
    return [
        Comparison("no-op call and its wait", per_call(lambda: nothing().result(), 2000), spawn_name, spawn, 0.5),
        Comparison("get and its wait", per_call(lambda: motor.get_position().join(), 2000), spawn_name, spawn, 0.5),
        Comparison("set and its wait", per_call(lambda: motor.set_position(held).join(), 2000), spawn_name, spawn, 1.0),
        Comparison(
            "10,000 concurrent no-ops, each",
            per_call(lambda: wait([nothing() for _ in range(10_000)]), 1),
            "the same with gevent.spawn",
            per_call(lambda: gevent.joinall([gevent.spawn(plain) for _ in range(10_000)]), 1),
            0.5,
        ),
        Comparison(
            "1,000 that sleep 10 ms: beyond 10 ms",
            _beyond_10_ms(lambda: wait([sleep_10_ms() for _ in range(1000)])),
            "the same with gevent.spawn",
            _beyond_10_ms(lambda: gevent.joinall([gevent.spawn(time.sleep, 0.01) for _ in range(1000)])),
            1.0,
        ),
    ]


def _beyond_10_ms(function: Callable[[], object]) -> Callable[[], float]:
    whole = per_call(function, 1)
    return lambda: whole() - 0.01


def size_of_device(count: int = 1000) -> float:
    """Return the bytes that a device with five parameters takes before it is used."""
    FiveParameters()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        devices = [FiveParameters() for _ in range(count)]
        after = tracemalloc.get_traced_memory()[0]
        return (after - before) / len(devices)
    finally:
        tracemalloc.stop()


def imports() -> list[Comparison]:
    """Starting Python and importing the core, against what it cannot do without."""
    return [
        Comparison(
            "import concert.base and devices.base",
            _start("import concert.base, concert.devices.base"),
            "gevent, patching, pint and a registry",
            _start("from gevent import monkey; monkey.patch_all(); import pint; pint.UnitRegistry()"),
            1.3,
        )
    ]


def _start(code: str) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    return measure
