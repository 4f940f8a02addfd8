"""Checking a session: what every device answers, without moving anything."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from concert.async_ import Future
from concert.base import ParameterValue, QuantityValue
from concert.devices._reading import ANSWER_TIME
from concert.quantities import shown
from concert.session.offline import Offline
from concert.session.utils import devices_in


class Report(NamedTuple):
    """What was found out about a device: its *state* and the *value* it stands for as text, and what is wrong."""

    device: str
    kind: str
    state: str
    value: str
    problems: list[str]


def check_devices(namespace: Mapping[str, Any]) -> list[Report]:
    """Read every parameter of every device in *namespace*, all at the same time, and report on each device.

    It is a problem if a parameter cannot be read, gives no answer in time, or is outside its soft limits.
    """
    devices = devices_in(namespace, None)
    reads = {name: [(value, value.get()) for value in device if value.readable] for name, device in devices.items()}
    deadline = time.monotonic() + ANSWER_TIME
    return [_report(name, device, reads[name], deadline) for name, device in devices.items()]


def _report(name: str, device: Any, reads: list[tuple[ParameterValue, Future]], deadline: float) -> Report:
    values: dict[str, str] = {}
    problems: dict[str, list[str]] = {}  # the parameters by what is wrong with them: often one thing is with all
    for parameter, read in reads:
        try:
            value = read.result(max(deadline - time.monotonic(), 0.0))
        except Exception as error:  # whatever is wrong with one device, the others are reported
            problems.setdefault(_reason(error, read), []).append(parameter.name)
            continue
        values[parameter.name] = value if isinstance(value, str) else shown(value)
        if isinstance(parameter, QuantityValue) and _is_outside(parameter, value):
            problems.setdefault(f"{shown(value)} is outside its soft limits", []).append(parameter.name)
    if isinstance(device, Offline):
        problems = {device._reason: ["offline"]}
    main = device.main_parameter
    return Report(
        name,
        type(device).__name__,
        values.get("state", ""),
        f"{main} {values[main]}" if main in values else "",
        [f"{', '.join(names)}: {reason}" for reason, names in problems.items()],
    )


def _reason(error: Exception, read: Future) -> str:
    if not read.done():
        read.cancel(block=False)
        return f"no answer within {ANSWER_TIME:g} s"
    return f"{type(error).__name__}: {error}"


def _is_outside(quantity: QuantityValue, value: Any) -> bool:
    below = quantity.lower is not None and np.any(value < quantity.lower)
    return bool(below or (quantity.upper is not None and np.any(value > quantity.upper)))
