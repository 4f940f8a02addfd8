"""What is read at every point of a scan, or once."""

from __future__ import annotations

import time as _time
from collections.abc import Callable, Iterable
from typing import Any

from concert.async_ import Future, wait
from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._region import parameter_of, short_name
from concert.quantities import q, seconds

Readable = Device | ParameterValue | Callable[[], Any]

_declared: list[Readable] = []


def counters(*readables: Readable) -> None:
    """Declare what is read when nothing else is said: devices, parameters or functions without arguments."""
    for each in readables:
        _reader(each)
    _declared[:] = readables


def count(read: Readable | Iterable[Readable] | None = None, time: Any = None) -> dict[str, Any]:
    """Read once what *read* says, else the declared counters, and return the values by name.

    *time* is the integration time of what has one, else how long to wait before.
    """
    counting = Counting(read)
    counting.prepare(time)
    return dict(zip(counting.names, counting.read(), strict=True))


class Counting:
    """Reads *read*, one thing or several, all at the same time; None means what :func:`counters` declared."""

    def __init__(self, read: Readable | Iterable[Readable] | None) -> None:
        self._readables = _as_list(read)
        if not self._readables:
            raise ValueError("nothing to read: give read=..., or declare it once with counters(...)")
        self._readers = [_reader(each) for each in self._readables]
        self.names = [_name(each) for each in self._readables]
        self._wait = 0.0  # seconds before reading
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"two of {', '.join(self.names)} have the same name")

    def prepare(self, time: Any) -> None:
        """Hand the integration *time* to what integrates; if nothing does, wait for so long before reading."""
        if time is None:
            return
        duration = seconds(time)
        devices = [each for each in self._readables if isinstance(each, Device)]
        integrating = [device["integration_time"] for device in devices if "integration_time" in device]
        wait([parameter.set(duration * q.s) for parameter in integrating])
        self._wait = 0.0 if integrating else duration

    def read(self) -> tuple[Any, ...]:
        """Return a value of each."""
        if self._wait:
            _time.sleep(self._wait)
        readings = [reader() for reader in self._readers]
        wait([reading for reading in readings if isinstance(reading, Future)])
        return tuple(reading.result() if isinstance(reading, Future) else reading for reading in readings)


def _as_list(read: Any) -> list[Any]:
    if read is None:
        return list(_declared)
    if isinstance(read, (Device, ParameterValue)) or callable(read):
        return [read]
    return list(read)


def _reader(readable: Any) -> Callable[[], Any]:
    if isinstance(readable, (Device, ParameterValue)):
        return parameter_of(readable).get
    if callable(readable):
        return readable
    raise TypeError(f"expected a device, a parameter or a function to read, not {readable!r}")


def _name(readable: Any) -> str:
    if isinstance(readable, (Device, ParameterValue)):
        return short_name(parameter_of(readable))
    return getattr(readable, "__name__", repr(readable))
