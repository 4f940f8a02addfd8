"""The emergency stop: every device at the same time, each with a deadline, and evidence of what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
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
    stops = {name: _Stop(device, began) for name, device in devices.items() if _stop_of(device) is not None}
    return [stop.outcome(name, limit) for name, stop in stops.items()]


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
    """One device's stop, in progress."""

    def __init__(self, device: Device, began: float) -> None:
        self._device = device
        self._began = began
        self._ended: float | None = None
        stop = _stop_of(device)
        assert stop is not None
        # In a future of its own, whatever the method is: one that blocks must not keep the others waiting.
        self._future: Future = async_(_call)(stop).detach()
        self._future.label = f"stop of {device.name}"
        self._future.add_done_callback(self._end)

    def _end(self, _future: Future) -> None:
        self._ended = time.monotonic()

    def outcome(self, name: str, limit: float) -> Outcome:
        try:
            error = self._future.exception(timeout=max(0.0, self._began + limit - time.monotonic()))
        except TimeoutError:
            self._future.cancel(block=False)
            return Outcome(name, False, limit, f"no answer within {limit:g} s")
        ended = self._ended if self._ended is not None else time.monotonic()
        if error is not None:
            return Outcome(name, False, ended - self._began, f"{type(error).__name__}: {error}")
        return Outcome(name, True, ended - self._began, _where(self._device, self._began + limit - time.monotonic()))


def _call(stop: Callable[[], Any]) -> None:
    stopping = stop()
    if isinstance(stopping, Future):
        stopping.join()


def _stop_of(device: Device) -> Callable[[], Any] | None:
    return next((getattr(device, name) for name in STOPS if hasattr(device, name)), None)


def _where(device: Device, limit: float) -> str:
    """Say where the device is, if it can tell in time."""
    if device.main_parameter is None:
        return ""
    parameter = device[device.main_parameter]
    reading = parameter.get()
    try:
        return f"at {rounded(parameter, reading.result(timeout=max(0.1, limit)))}"
    except Exception as error:  # it has stopped; this is only where
        reading.cancel(block=False)
        return f"position unknown: {error}"
