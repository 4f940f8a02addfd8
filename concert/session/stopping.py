"""The emergency stop: every device at the same time, each with a deadline, and evidence of what became of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from concert.async_ import Future, async_
from concert.devices.base import STOPS, Device
from concert.processes import active_runs
from concert.quantities import q, seconds
from concert.session.futures import background_functions
from concert.session.rounding import rounded
from concert.tables import print_table

DEADLINE = 2 * q.s


class Outcome(NamedTuple):
    """What became of a *device* that was told to stop: whether it *stopped*, the *time* in seconds, and *evidence*."""

    device: str
    stopped: bool
    time: float
    evidence: str


def stop_devices(devices: Mapping[str, Device], deadline: Any = DEADLINE) -> list[Outcome]:
    """Stop the devices, by the names they are shown with, at the same time and wait for each at most *deadline*.

    Locks are passed. A device that raises, hangs or is disconnected keeps no other from being stopped. Devices that
    have nothing to stop are left out.
    """
    began = time.monotonic()
    limit = seconds(deadline)
    stops = [_Stop(name, device, began) for name, device in devices.items()]
    return [outcome for stop in stops if (outcome := stop.outcome(limit)) is not None]


def stop_everything(devices: Mapping[str, Device], deadline: Any = DEADLINE) -> list[Outcome]:
    """Stop the *devices* as :func:`stop_devices` does, and end what would only move them again.

    That is scans, which are aborted, and functions that run in the background, which are cancelled.
    """
    began = time.monotonic()
    limit = seconds(deadline)
    runs, functions = active_runs(), background_functions()
    for run in runs:
        run.abort(block=False, stay=True)
    for function in functions:
        function.cancel(block=False)
    outcomes = stop_devices(devices, deadline)
    aborted = [_ended(run.title, run, "aborted", began, limit) for run in runs]
    cancelled = [_ended(function.name, function, "cancelled", began, limit) for function in functions]
    return [*outcomes, *aborted, *cancelled]


def _ended(name: str, future: Future, how: str, began: float, limit: float) -> Outcome:
    try:
        future.exception(timeout=max(0.0, began + limit - time.monotonic()))  # which is that it was ended
    except TimeoutError:
        return Outcome(name, False, limit, "its cleanup goes on")
    return Outcome(name, True, time.monotonic() - began, how)


def report(outcomes: Sequence[Outcome]) -> None:
    """Show who stopped and who did not, and how long it took."""
    if not outcomes:
        print("there is no device to stop")
        return
    rows = [
        (each.device, "stopped" if each.stopped else "NOT STOPPED", f"{each.time:.2f} s", each.evidence)
        for each in outcomes
    ]
    print_table(("device", "", "time", "evidence"), rows)
    failed = [each.device for each in outcomes if not each.stopped]
    longest = max((each.time for each in outcomes if each.stopped), default=0.0)
    advice = f"; check {', '.join(failed)} by eye" if failed else ""
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} devices stopped in {longest:.2f} s{advice}")


class _Stop:
    """The stop of the *device* that is shown with the *name*, in progress."""

    def __init__(self, name: str, device: Device, began: float) -> None:
        self._name = name
        self._device = device
        self._began = began
        self._ended: float | None = None
        # In a future of its own, from the first look at the device: one that raises or blocks must not keep the others
        # waiting.
        self._future: Future = async_(_stopped)(device).detach()
        self._future.label = f"stop of {name}"
        self._future.add_done_callback(self._end)

    def _end(self, _future: Future) -> None:
        self._ended = time.monotonic()

    def outcome(self, limit: float) -> Outcome | None:
        """Return what became of it, None if there is nothing to stop."""
        try:
            error = self._future.exception(timeout=max(0.0, self._began + limit - time.monotonic()))
        except TimeoutError:
            self._future.cancel(block=False)
            return Outcome(self._name, False, limit, f"no answer within {limit:g} s")
        took = (self._ended if self._ended is not None else time.monotonic()) - self._began
        if error is not None:
            return Outcome(self._name, False, took, f"{type(error).__name__}: {error}")
        if not self._future.result():
            return None
        return Outcome(self._name, True, took, _where(self._device, self._began + limit - time.monotonic()))


def _stopped(device: Device) -> bool:
    """Stop the device; return whether it has anything to stop."""
    stop = next((getattr(device, name) for name in STOPS if hasattr(device, name)), None)
    if stop is None:
        return False
    stopping = stop()
    if isinstance(stopping, Future):
        stopping.join()
    return True


def _where(device: Device, limit: float) -> str:
    """Say where the device is, if it can tell in time."""
    telling = async_(_position)(device)
    try:
        return str(telling.result(timeout=max(0.1, limit)))
    except Exception as error:  # it has stopped; this is only where
        telling.cancel(block=False)
        return f"position unknown: {error}"


def _position(device: Device) -> str:
    if device.main_parameter is None:
        return ""
    parameter = device[device.main_parameter]
    return f"at {rounded(parameter, parameter.get().result())}"
