"""Letting interlocks hold up a scan, and stop what it moves."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

from concert.async_ import Future, async_, runtime
from concert.base import ParameterValue, StoppedError
from concert.base._exclusive import exclusion_of
from concert.devices.base import STOPS
from concert.processes._interlock import Interlock
from concert.processes._interlocks import installed
from concert.processes._watch import Watch

if TYPE_CHECKING:
    from concert.processes._run import Run

LOG = logging.getLogger("concert.interlocks")

HOLD = "interlocks"  # what keeps the run from going on
AGAIN = 0.05  # seconds between two stops of what does not stand yet
RECHECK = 0.5  # seconds after which a run that is held up looks again by itself


class Applying:
    """The interlocks that apply to a scan: its own and, as they are at any time, those of the session."""

    def __init__(self, own: Iterable[Interlock]) -> None:
        self._own = tuple(own)

    def __iter__(self) -> Iterator[Interlock]:
        return chain(self._own, installed)

    def __bool__(self) -> bool:
        return bool(self._own or installed)


class Interlocking:
    """Watches the interlocks of *run* while the block runs.

    :meth:`look` holds the run up while something is wrong or settling. A trip of an interlock that stops motion stops
    what the run moves, and makes the point in progress :attr:`interrupted`.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._applying = Applying(run.scan.interlocks)
        self._watch = Watch(self._applying, self._trip, lambda _problem: run.changed.set())
        self._motion: object | None = None  # the one in progress
        self._stops: list[Future] = []  # of motions that interlocks have interrupted
        self.interrupted = False

    def __enter__(self) -> Self:
        self._watch.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._watch.__exit__(*exception)

    def look(self) -> None:
        """Hold the run up if something is wrong, else let it go on. Points that begin from here on count."""
        self.interrupted = False  # first: who trips from here on is found by the look or interrupts the point
        if not self._applying and HOLD not in self._run.holds:
            return  # most scans have none, and are looked at before every point
        problem = self._watch.problem()
        if problem is not None:
            self._run.holds[HOLD] = problem
        else:
            self._run.holds.pop(HOLD, None)

    def wait(self) -> None:
        """Wait until something that holds the run up may have changed."""
        changed = self._run.changed
        if runtime() == "sync":
            self._watch.wait_until_clear()  # nothing else can change
        else:
            changed.wait(RECHECK if HOLD in self._run.holds else None)
        changed.clear()

    @contextmanager
    def motion(self) -> Iterator[None]:
        """Move something in the block; raise :exc:`.StoppedError` instead if that was forbidden meanwhile."""
        while self._stops:
            self._stops[0].exception()  # a late stop of the motion before must not hit this one
            del self._stops[0]
        # In this order: either this sees the interrupt, or who interrupts sees that something moves.
        self._motion = object()
        try:
            if self.interrupted:
                raise StoppedError("stopped", "an interlock has tripped")
            yield
        finally:
            self._motion = None

    def has_spoiled(self) -> bool:
        """Tell whether an interlock that stops motion has tripped since the point began: then it does not count."""
        return self.interrupted or self._watch.look(stopping_motion=True) is not None

    def refuse_motion(self) -> None:
        """Raise :exc:`.StoppedError` if an interlock that stops motion has tripped, and is not clear yet."""
        self.interrupted = False
        problem = self._watch.look(stopping_motion=True)
        if problem is not None:
            raise StoppedError("stopped", problem)

    def _trip(self, interlock: Interlock, reason: str) -> None:
        LOG.warning("%s: the interlock %s has tripped: %s", self._run.title, interlock.name, reason)
        if interlock.stop_motion:
            self.interrupted = True
            motion = self._motion
            for parameter in self._run.scan.points.parameters if motion is not None else ():
                stopping = async_(self._stop)(parameter, motion).detach()
                stopping.label = f"stop of {parameter.device.name} by the interlock {interlock.name}"
                self._stops.append(stopping)

    def _stop(self, parameter: ParameterValue, motion: object) -> None:
        """Stop *parameter* until that *motion* has ended, also if it has not begun yet or a stop fails."""
        failed = False
        while self._motion is motion:
            try:
                if parameter in parameter.device.being_set():
                    _stop_once(parameter)
            except Exception as error:  # whatever it is, the motor must not drive on
                if not failed:
                    failed = True
                    LOG.error("%s does not stop, and is told again: %s", parameter.device.name, error)
            time.sleep(AGAIN)


def _stop_once(parameter: ParameterValue) -> None:
    device = parameter.device
    stop = next((getattr(device, name) for name in STOPS if hasattr(device, name)), None)
    if stop is None and parameter._cancel is not None:
        exclusion_of(device).note_stop()
        stop = parameter._cancel
    stopping = None if stop is None else stop()
    if isinstance(stopping, Future):
        stopping.join()
