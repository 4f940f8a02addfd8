"""Verbs: what is typed most, at the prompt and in scripts.

Each is a plain function that waits until it is done, and refuses at once what somebody else holds. At the prompt
parentheses and commas may be left out, and units are written as they are spoken: ``mv stage 3 mm``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from concert.async_ import wait
from concert.base import ParameterValue, QuantityValue, refusing
from concert.devices._reading import answer
from concert.devices.base import STOPS, Device
from concert.devices.motors.base import Motor
from concert.processes import Run, active_runs, count, counters, parameter_of, short_name
from concert.quantities import q, shown
from concert.session.inventory import every_device
from concert.session.moving import go
from concert.session.overview import overview, show
from concert.session.reconnecting import reconnect  # noqa: F401  # a verb as well
from concert.session.rounding import limits, rounded
from concert.session.scan_verbs import *  # noqa: F403
from concert.session.scan_verbs import SCAN_VERBS, stop_run, the_run
from concert.session.stopping import DEADLINE, report, stop_devices, stop_everything
from concert.session.utils import devices_in, names_in
from concert.session.watching import watch_lines
from concert.tables import print_table

# What may be typed without parentheses.
WORDS = ("dstate", "ddoc", "pdoc", "code_of")
VERBS = (
    *("mv", "mvr", "umv", "umvr", "wa", "wm", "tw", "ct", "stop", "stop_all", "stash", "restore", "reconnect"),
    *SCAN_VERBS,
)

Movable = Device | ParameterValue


def mv(*moves: Any) -> None:
    """Move to positions, all at the same time: ``mv(stage, 3 * q.mm, lift, 1 * q.cm)``.

    A device stands for its main parameter. Shows where things are while they move.
    """
    go(_pairs("mv", moves), label="mv")


def mvr(*moves: Any) -> None:
    """Move by distances, all at the same time: ``mvr(stage, -1 * q.mm)``."""
    go([(parameter, _away(parameter, delta)) for parameter, delta in _pairs("mvr", moves)], label="mvr")


umv, umvr = mv, mvr  # elsewhere these are the ones that show where things are


def tw(what: Movable, step: Any) -> None:
    """Tweak: move by *step* whenever Enter is pressed. ``-`` turns around, a quantity changes the step, ``q`` ends."""
    ((parameter, step),) = _pairs("tw", (what, step))
    while True:
        here = rounded(parameter, parameter.get().result())
        typed = input(f"{short_name(parameter)} {here}   Enter: by {shown(step)}, -: back, q: end > ").strip()
        if typed == "q":
            return
        if typed == "-":
            step = -step
        elif typed:
            step = q.Quantity(typed)
        mvr(parameter, step)


def wm(*devices: Movable) -> None:
    """Where motors: positions and limits; without *devices* of all motors of the session."""
    chosen = devices or [each for each in devices_in(None, inspect.currentframe()).values() if isinstance(each, Motor)]
    values = [parameter_of(each) for each in chosen]
    reads = [value.get() for value in values]
    rows = [
        (short_name(value), answer(read, partial(rounded, value)), limits(value))
        for value, read in zip(values, reads, strict=True)
    ]
    print_table(("device", "position", "limits"), rows)


def wa(watch: bool = False, namespace: Mapping[str, Any] | None = None) -> None:
    """Where all: the state and the main value of every device; with *watch* again and again, until a key is pressed."""
    devices = devices_in(namespace, inspect.currentframe())
    if watch:
        watch_lines(lambda: overview(devices))
    else:
        show(devices)


def ct(time: Any = None, *readables: Any, read: Any = None, dry_run: bool = False) -> dict[str, Any]:
    """Count: read the counters, or *readables*, once, after or during *time*; show and return the values by name.

    What is read may also be given as *read*, one thing or several, as scans take it. There is no dry run.
    """
    if dry_run:
        raise ValueError("ct moves nothing and stores nothing, so it has no dry run; leave out --dry-run")
    if readables and read is not None:
        raise ValueError("give what to read once, as in ct(1 * q.s, diode) or as in ct(1 * q.s, read=diode)")
    values = count(readables or read, time)
    print_table(("counter", "value"), [(name, shown(value)) for name, value in values.items()])
    return values


def stop(*what: Device | Run | int) -> None:
    """Stop devices, or end scans in good order, after the point in progress: what is given, scans by number as well.

    Without anything given it is the scan that is running; if there is none, all devices of the session that move.
    """
    runs = [the_run(each, "stop") for each in what if not isinstance(each, Device)]
    if not what and active_runs():
        runs = [the_run(None, "stop")]
    for run in runs:
        stop_run(run)
    if runs and len(runs) >= len(what):
        return
    chosen = {each.name: each for each in what if isinstance(each, Device)}
    report(stop_devices(chosen or _moving(devices_in(None, inspect.currentframe()))))


def stop_all(deadline: Any = DEADLINE) -> None:
    """Stop every device of the session at the same time, each within *deadline*, and show who did.

    Scans and functions that run in the background are ended: they might move on.
    """
    report(stop_everything(every_device(names_in(None, inspect.currentframe())), deadline))


def stash(*devices: Device) -> None:
    """Save what can be set on *devices*, for :func:`restore`."""
    wait([device.stash() for device in devices])


def restore(*devices: Device) -> None:
    """Set *devices* to what was saved last."""
    with refusing():
        wait([device.restore() for device in devices])


def _pairs(verb: str, moves: tuple[Any, ...]) -> list[tuple[ParameterValue, Any]]:
    example = f"{verb} stage 3 mm"
    if not moves or len(moves) % 2:
        raise ValueError(f"expected what to move and where to, in pairs: {example}")
    pairs = list(zip(map(parameter_of, moves[::2]), moves[1::2], strict=True))
    for parameter, value in pairs:
        if not isinstance(parameter, QuantityValue) or parameter.unit == q.dimensionless:
            continue
        if isinstance(value, (int, float)):
            raise ValueError(f"give a unit: {verb} {short_name(parameter)} {value} {parameter.unit:~P}")
    return pairs


def _away(parameter: ParameterValue, delta: Any) -> Any:
    """Return what is *delta* away from where the *parameter* is."""
    here = parameter.get().result()
    if not isinstance(parameter, QuantityValue):
        return here + delta
    # As numbers: temperatures in degC cannot be added.
    return q.Quantity(here.m_as(parameter.unit) + parameter._as_difference(delta), parameter.unit)


def _moving(devices: Mapping[str, Device]) -> dict[str, Device]:
    def moves(device: Device) -> bool:
        # One that cannot tell may well be moving.
        return "state" not in device or answer(device["state"].get()) != "standby"

    return {
        name: device
        for name, device in devices.items()
        if any(hasattr(device, each) for each in STOPS) and moves(device)
    }


__all__ = [*VERBS, "counters"]
