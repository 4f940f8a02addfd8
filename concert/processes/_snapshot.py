"""Snapshots: what all devices are set to, and how two of them differ."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from concert.async_ import Future
from concert.devices.base import Device
from concert.processes._station import station

ANSWER_TIME = 2.0  # seconds that all devices together have to answer

Snapshot = dict[str, dict[str, Any]]


class Unavailable(str):
    """Why a parameter could not be read."""

    __slots__ = ()


def snapshot(devices: Mapping[str, Device] | None = None) -> Snapshot:
    """Read every readable parameter of the *devices*, of the session's by default, at the same time.

    Return the values by device and parameter. A parameter that cannot be read in time has a text that says why instead,
    so nothing is missing silently.
    """
    chosen = station.devices() if devices is None else devices
    reads = {name: {each.name: each.get() for each in device if each.readable} for name, device in chosen.items()}
    deadline = time.monotonic() + ANSWER_TIME
    return {
        device: {name: _outcome(read, deadline) for name, read in parameters.items()}
        for device, parameters in reads.items()
    }


def _outcome(read: Future, deadline: float) -> Any:
    try:
        return read.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        if not read.done():
            read.cancel(block=False)
            return Unavailable(f"no answer within {ANSWER_TIME:g} s")
        return Unavailable(f"unavailable: {read.exception()}")
    except Exception as error:  # whatever is wrong with one, the others are read
        return Unavailable(f"unavailable: {error}")
