"""What is read at every point of a scan, or once."""

from __future__ import annotations

import time as _time
from collections.abc import Callable, Iterable
from typing import Any

from concert.async_ import Future, wait
from concert.base import ParameterValue
from concert.devices.base import Device
from concert.processes._answers import deadline, failure_of
from concert.processes._region import parameter_of, short_name
from concert.processes._station import station
from concert.quantities import q, seconds

Readable = Device | ParameterValue | Callable[[], Any]

_declared: list[Readable] = []


def counters(*readables: Readable) -> None:
    """Declare what is read when nothing else is said: devices, parameters or functions without arguments.

    Raise :exc:`TypeError` for anything else, and a device without main parameter; then nothing has changed.
    """
    for each in readables:
        _reader(each)
    _declared[:] = readables


def count(read: Readable | Iterable[Readable] | None = None, time: Any = None) -> dict[str, Any]:
    """Read once what *read* says, else the declared counters, and return the values by name.

    *time* is the integration time of what has one, else how long to wait before. Raise :exc:`ValueError` if there is
    nothing to read or two have the same name, :exc:`TypeError` for what cannot be read, what :func:`.seconds` does if
    *time* is no time, and whatever setting that time, or reading, raises.
    """
    counting = Counting(read)
    counting.prepare(time)
    return dict(zip(counting.names, counting.read(), strict=True))


class Counting:
    """Reads *read*, one thing or several, all at the same time.

    None means what :func:`counters` declared, else every detector of the session that is online.
    """

    def __init__(self, read: Readable | Iterable[Readable] | None) -> None:
        self.readables = _as_list(read)
        if not self.readables:
            raise ValueError("nothing to read: give read=..., or declare it once with counters(...)")
        self._readers = [_reader(each) for each in self.readables]
        self.names = [_name(each) for each in self.readables]
        self._wait = 0.0  # seconds before reading
        if len(set(self.names)) != len(self.names):
            raise ValueError(f"two of {', '.join(self.names)} have the same name")

    @property
    def parameters(self) -> list[ParameterValue | None]:
        """The parameter that each of them reads, None for a function."""
        return [parameter_of(each) if isinstance(each, (Device, ParameterValue)) else None for each in self.readables]

    @property
    def integrating(self) -> list[ParameterValue]:
        """The integration times of what has one."""
        devices = [each for each in self.readables if isinstance(each, Device)]
        return [device["integration_time"] for device in devices if "integration_time" in device]

    def prepare(self, time: Any) -> None:
        """Hand the integration *time* to what integrates; if nothing does, wait for so long before reading."""
        if time is None:
            return
        duration = seconds(time)
        integrating = self.integrating
        wait([parameter.set(duration * q.s) for parameter in integrating])
        self._wait = 0.0 if integrating else duration

    def read(self) -> tuple[Any, ...]:
        """Return a value of each."""
        if self._wait:
            _time.sleep(self._wait)
        if len(self._readers) == 1:  # then there is nothing to do at the same time
            return (_read_one(self.readables[0]),)
        readings = [reader() for reader in self._readers]
        wait([reading for reading in readings if isinstance(reading, Future)])
        return tuple(reading.result() if isinstance(reading, Future) else reading for reading in readings)


def _read_one(readable: Readable) -> Any:
    if isinstance(readable, (Device, ParameterValue)):
        return parameter_of(readable)._read()
    reading = readable()
    return reading.result() if isinstance(reading, Future) else reading


def _as_list(read: Any) -> list[Any]:
    if read is None:
        return list(_declared) or _online_detectors()
    if isinstance(read, (Device, ParameterValue)) or callable(read):
        return [read]
    return list(read)


def _online_detectors() -> list[Device]:
    """Return the detectors of the session that answer, in the order of their names."""
    detectors = [device for _, device in sorted(station.devices().items()) if device.detects]
    reads = [(device, parameter_of(device).get()) for device in detectors]
    until = deadline()
    return [device for device, read in reads if failure_of(read, until) is None]


def _reader(readable: Readable) -> Callable[[], Any]:
    if isinstance(readable, (Device, ParameterValue)):
        return parameter_of(readable).get
    if callable(readable):
        return readable
    raise TypeError(f"expected a device, a parameter or a function to read, not {readable!r}")


def _name(readable: Any) -> str:
    if isinstance(readable, (Device, ParameterValue)):
        return short_name(parameter_of(readable))
    named = next((name for name, each in station.names().items() if each is readable), None)
    return named or getattr(readable, "__name__", None) or type(readable).__name__
