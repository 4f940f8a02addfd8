"""Doing a scan: the code that a run is the future of."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from concert.async_ import KillException, shielded, wait
from concert.async_._interrupts import shielded_cleanup
from concert.async_._runtimes import call as call_and_wait
from concert.base import LockError, ParameterValue, StoppedError
from concert.processes import _hooks
from concert.processes._check import Check, ScanRefused
from concert.processes._errors import ScanAborted, ScanError
from concert.processes._examine import examine, used_by
from concert.processes._holding import Holding
from concert.processes._interlocking import Interlocking
from concert.processes._points import Points, Step
from concert.processes._recording import Recording
from concert.processes._station import station
from concert.quantities import q

if TYPE_CHECKING:
    from concert.processes._run import Run
    from concert.storage import ScanData

LOG = logging.getLogger("concert.scans")

USER = "user"  # what keeps the run from going on when somebody has asked for a pause
LOOK = 0.1  # seconds between two looks, whether somebody still holds what is needed, or whether to wait any longer
YIELD = 64  # points after which others get a turn, in scans that never wait


class Execution:
    """Does what the scan of *run* describes, and reports to it.

    With *refuse*, what somebody else holds is an error; otherwise it is waited for. With *number* it goes on with that
    scan.
    """

    def __init__(self, run: Run, refuse: bool, number: int | None) -> None:
        self._run = run
        self._scan = run.scan
        self._refuse = refuse
        self._holding = Holding(used_by(self._scan), refuse)
        self._hooks = station.hooks + run.scan.hooks
        self._origins: dict[ParameterValue, Any] = {}  # where to go back to
        self._anew = True  # whether every parameter has to be set, not only those that change
        self._interlocking = Interlocking(run)
        self.check: Check | None = None  # that it has passed
        self.going_on = False  # whether the code runs, which goes on in a thread when its future has been ended
        self.waits = False  # for somebody who holds what it uses
        self._complete = False  # whether all points are measured
        self._due = 0.0  # when the next point begins, of a scan with a period, on the monotonic clock
        self._recording = Recording(run, number, self._pausing)

    @property
    def record(self) -> Any:
        """Where the points are: a record of the catalogue, or one in memory that does the same."""
        return self._recording.record

    @property
    def first(self) -> int:
        """The index of the first point that is measured, 0 unless the scan goes on with another one."""
        return self._recording.first

    def __call__(self) -> ScanData:
        run = self._run
        self.going_on = True
        try:
            with ExitStack() as held:
                self._hold_what_is_used(held)
                points = self._examined()
                held.enter_context(self._interlocking)
                failure = self._failure_of(points)
                if failure is not None and run.began is None:
                    raise failure
                with shielded_cleanup() if isinstance(failure, KillException) else shielded():
                    problems = self._clean_up(failure)
                    held.close()  # should the end of the scan have to wait for the disk, nobody has to wait for that
                    self._close(failure, problems)
        except BaseException as error:
            if not run.over:  # it has not even begun, or its cleanup was cut short
                run.enter("aborted" if isinstance(error, KillException) else "failed", str(error))
            raise
        finally:
            self.going_on = False
            run.tell()
        if failure is not None:
            raise failure
        return self.record.data

    def _hold_what_is_used(self, held: ExitStack) -> None:
        """Hold what is moved, and what is set to measure, until the scan is over."""
        self.waits = True
        try:
            held.enter_context(self._holding)
        except LockError:
            if self._refuse and len((check := examine(self._scan).check).problems) > 1:
                raise ScanRefused(check) from None
            raise
        finally:
            self.waits = False

    def _examined(self) -> Points:
        """Return the points to go to, and note where to go back to; raise :exc:`.ScanRefused` if that cannot be."""
        check, points, here = examine(self._scan)
        if not check:
            raise ScanRefused(check)
        self.check = check
        self._origins = self._scan.origins or here
        return points

    # -- the points ---------------------------------------------------------------------------------------------

    def _failure_of(self, points: Points) -> BaseException | None:
        """Begin, measure the points, and return what went wrong, None if nothing did."""
        try:
            with shielded():  # a scan that has a number has an end
                self._recording.begin(points, self._origins)
                self._run.enter("running")
            _hooks.call(self._hooks.before_scan)
            self._scan.counting.prepare(self._scan.time)
            self._measure(points)
            _hooks.call(self._hooks.after_scan)
        except BaseException as error:
            if isinstance(error, Exception):
                error.add_note(f"in {self._run.name}")
            return error
        return None

    def _measure(self, points: Points) -> None:
        run = self._run
        self._due = time.monotonic()
        for index, step in enumerate(points.steps(self.first, self._data_so_far), self.first):
            measured = False
            while not measured and self._may_begin(index):
                measured = self._point(step)
            if run.stopping:
                self._complete = measured and index + 1 == points.expected
                break
        else:
            self._complete = True
        self._recording.flush()

    def _data_so_far(self) -> ScanData:
        self._recording.flush()
        return self.record.data

    def _may_begin(self, index: int) -> bool:
        """Wait until it is time for the point *index* and nothing holds it up; return whether it is to be measured."""
        run = self._run
        if run.stopping:
            return False
        if self._scan.period is not None:
            self._wait_until_due()
        elif not index % YIELD:
            time.sleep(0)
        run._deliver_here()  # code in a thread that is to end may not have waited for anything
        self._interlocking.look()
        while run.holds and not run.stopping:
            self._pause()
            self._interlocking.look()  # it may have taken a while until what it uses was free again
        return not run.stopping

    def _point(self, step: Step) -> bool:
        """Measure a point; return False if an interlock has interrupted it."""
        hooks = self._hooks
        if hooks.before_point:
            _hooks.call(hooks.before_point)
        if not self._move(step):
            return False
        values = step.values or (self._recording.elapsed * q.s,)
        readings = self._scan.counting.read()
        if self._interlocking.has_spoiled():
            return False
        self._recording.store((*values, *readings))
        if hooks.after_point:
            _hooks.call(hooks.after_point)
        return True

    def _move(self, step: Step) -> bool:
        """Go to the point, with everything at the same time; return False if an interlock has stopped that."""
        try:
            with self._interlocking.motion():
                self._set(step)
        except StoppedError:
            if not self._interlocking.interrupted:
                raise
            self._anew = True
            return False
        return True

    def _set(self, step: Step) -> None:
        parameters = self._scan.points.parameters
        changed = range(len(parameters)) if self._anew else step.changed
        self._anew = False
        if len(changed) == 1:
            call_and_wait(parameters[changed[0]]._write, step.values[changed[0]])
        elif changed:
            wait([parameters[at].set(step.values[at]) for at in changed])

    def _wait_until_due(self) -> None:
        """Wait until it is time for the next point, or something keeps the scan from going on, or it is to end."""
        run = self._run
        while (left := self._due - time.monotonic()) > 0 and not (run.stopping or run.holds):
            time.sleep(min(left, LOOK))
        self._due = max(self._due + self._scan.period, time.monotonic())  # type: ignore[operator]

    # -- pauses -------------------------------------------------------------------------------------------------

    def _pause(self) -> None:
        """Wait until nothing keeps the scan from going on, or it is to end.

        While the user wants it to pause, others may move what it uses; while only something else keeps it from going
        on, they may not, or the next scan would be done first.
        """
        with self._pausing("; ".join(self._run.holds.values())):
            while self._is_held_up():
                if USER in self._run.holds:
                    with self._holding.released(self._wait_for_holder):
                        self._wait_while(lambda: USER in self._run.holds)
                else:
                    self._wait_while(lambda: USER not in self._run.holds)
        self._anew = True  # somebody may have moved something in the meantime
        self._due = time.monotonic() + (self._scan.period or 0.0)

    def _is_held_up(self) -> bool:
        return bool(self._run.holds) and not self._run.stopping

    def _wait_while(self, condition: Callable[[], bool]) -> None:
        """Wait while something keeps the scan from going on and *condition* holds."""
        run = self._run
        while self._is_held_up() and condition():
            reason = "; ".join(run.holds.values())
            if reason != run.reason:
                run.enter("paused", reason)
            self._interlocking.wait()
            self._interlocking.look()

    def _wait_for_holder(self, who: str) -> bool:
        """Wait a moment if somebody holds what is used, as *who* says; return False if the scan is to end."""
        run = self._run
        if who:
            if who != run.reason:
                run.enter("paused", who)
            time.sleep(LOOK)
        return not run.stopping

    @contextmanager
    def _pausing(self, reason: str) -> Iterator[None]:
        run = self._run
        run.paused_since = time.monotonic()
        run.enter("paused", reason)
        LOG.info("%s is paused: %s", run.title, reason)
        self._call_and_report(self._hooks.on_pause)
        try:
            yield
        finally:
            run.paused_for, run.paused_since = run.time_paused, None
        if not run.stopping:
            self._call_and_report(self._hooks.on_resume)
        run.enter("running")

    def _call_and_report(self, hooks: list[_hooks.Hook]) -> None:
        for hook, error in _hooks.call_all(hooks):
            if not isinstance(error, Exception):
                raise error
            LOG.error("the hook %s of %s failed", _hooks.name_of(hook), self._run.title, exc_info=error)

    # -- the end ------------------------------------------------------------------------------------------------

    def _clean_up(self, failure: BaseException | None) -> list[str]:
        """Do what is to be done however the scan ended, and return what went wrong with it."""
        # Who stops a motor, or everything, does not want it to move again.
        staying = self._run.staying or isinstance(failure, StoppedError)
        going_back = [self._go_back] if self._origins and not staying else []
        self._run.doing = "goes back" if going_back else "cleans up" if self._hooks.cleanup else ""
        failures = _hooks.call_all([*going_back, *self._hooks.cleanup])
        self._run.doing = ""
        return [self._problem(*each) for each in failures]

    def _close(self, failure: BaseException | None, problems: list[str]) -> None:
        """End the record, and say how it went; raise :exc:`.ScanError` for *problems* if nothing else went wrong."""
        run = self._run
        run.problems = problems
        status, reason = self._outcome(failure, problems)
        self._recording.finish(status, reason)
        for problem in problems:
            LOG.error("%s: %s", run.title, problem)
            if failure is not None:
                failure.add_note(problem)
        run.enter(status, reason)  # last: who waits for the end goes on
        if failure is None and problems:
            measured = "has all its points" if self._complete else f"was stopped after {run.points} points"
            raise ScanError(f"{run.title} {measured}, but {'; '.join(problems)}")

    def _go_back(self) -> None:
        """Move what was scanned relative to where it was back there."""
        self._interlocking.refuse_motion()
        with self._holding.using(), self._interlocking.motion():
            wait([parameter.set(where) for parameter, where in self._origins.items()])

    def _outcome(self, failure: BaseException | None, problems: list[str]) -> tuple[str, str]:
        """Return how the scan ended, and why."""
        if failure is None and not problems:
            return ("done", "") if self._complete else ("stopped", "stopped by the user")
        if failure is None:
            return "failed", "; ".join(problems)
        if isinstance(failure, ScanAborted):
            status, reason = "aborted", str(failure)
        elif not isinstance(failure, Exception):
            status, reason = "aborted", "interrupted"
        else:
            status, reason = "failed", f"{type(failure).__name__}: {failure}"
        return status, "; ".join([reason, *problems])

    def _problem(self, hook: _hooks.Hook, error: BaseException) -> str:
        failed = "it did not go back" if hook == self._go_back else f"the cleanup hook {_hooks.name_of(hook)} failed"
        cut_short = not isinstance(error, Exception)
        return f"{failed}: {'it was cut short' if cut_short else f'{type(error).__name__}: {error}'}"
