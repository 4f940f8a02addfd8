"""Reading through Tango, against a bare synchronous DeviceProxy and the same real server."""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks._measure import Comparison, per_call
from concert.async_ import async_, wait
from concert.devices.tango import TangoDevice
from concert.simulation.process import simulated

GREENLETS = 50
READS = 20  # of each


def reads() -> list[Comparison]:
    """A read as a user makes it, and as PyTango makes it; many at the same time, and one after the other."""
    import tango  # here, because it is slow and the other benchmarks measure imports

    server = simulated("tango")  # which ends with this process
    uri = f"tango://{server.host}:{server.port}/sim/motor/stage#dbase=no"
    stage, bare = TangoDevice(uri), tango.DeviceProxy(uri)
    proxy = stage.tango
    plain = per_call(lambda: bare.read_attribute("Speed"), 300)
    plain_name = "DeviceProxy.read_attribute"
    one = per_call(lambda: proxy.read_attribute("Speed"), 300)
    return [
        Comparison("read through TangoProxy", one, plain_name, plain, 2.0),
        Comparison("read a Tango device's quantity", per_call(lambda: stage.speed, 300), plain_name, plain, 2.0),
        Comparison("read from 50 greenlets, each", _at_the_same_time(lambda: stage.speed), "from one", one, 1.0),
    ]


def _at_the_same_time(read: Callable[[], object]) -> Callable[[], float]:
    @async_
    def many() -> None:
        for _ in range(READS):
            read()

    def measure() -> float:
        began = time.perf_counter()
        wait([many() for _ in range(GREENLETS)])
        return (time.perf_counter() - began) / (GREENLETS * READS)

    return measure
