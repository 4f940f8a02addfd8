"""A scan that runs, or has run: the future, and what can be asked of it and told to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concert.async_ import Event, Future, runtime
from concert.async_._future import give_up
from concert.async_._scope import running_future
from concert.processes._amounts import rough_time
from concert.processes._errors import ScanAborted
from concert.processes._execution import USER, Execution
from concert.processes._pictures import picture_begins, picture_ends
from concert.quantities import q
from concert.storage import StorageError

if TYPE_CHECKING:
    from concert.processes._scan import Scan
    from concert.storage import ScanData

ASKED = "somebody asked for it"  # the reason of a pause without one

_active: list[Run] = []  # from when they are started on
_ended: list[Run] = []  # the one that has ended last


def active_runs() -> list[Run]:
    """Return the scans that were started and have not ended, the oldest first."""
    _active[:] = [run for run in _active if not run.finished]
    return list(_active)


def last_run() -> Run | None:
    """Return the scan that has ended last in this process, None if there is none."""
    return _ended[0] if _ended else None


class Run(Future):
    """A scan that was started: a future whose result is its data.

    Iterating gives the points, tuples of a value for each column, as they are completed, and raises at the end what the
    scan failed with.
    """

    advice = "wait, pause or stop it"

    def __init__(self, scan: Scan, refuse: bool, number: int | None) -> None:
        self.scan = scan
        self.status = "waiting"  # running, paused, done, stopped, aborted or failed
        self.over = False  # whether it has ended, its cleanup included
        self.reason = ""  # why it has that status, where there is something to say
        self.holds: dict[str, str] = {}  # what keeps it from going on to the next point, and why
        self.staying = False  # whether it does not go back to where it began, when it is over
        self.stopping = False  # whether it ends before the next point
        self.began: float | None = None  # on the monotonic clock
        self.ended: float | None = None
        self.paused_for = 0.0  # seconds, of pauses that are over
        self.paused_since: float | None = None  # on the monotonic clock, None while it does not pause
        self.changed = Event()  # set by who changes what keeps it from going on
        self._news = Event()
        self._followers = 0
        self.picture: Path | None = None  # the file of its plot, when that is drawn
        self.points = 0  # that are completed, and durable
        self._first: tuple[int, float] | None = None  # the first of them here, and after how many seconds it was there
        self.problems: list[str] = []  # with its cleanup
        self.doing = ""  # what it does besides measuring
        self.execution = Execution(self, refuse, number)
        super().__init__(self.execution, (), {})
        active_runs()  # forgets those that have ended
        _active.append(self)

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def number(self) -> int | None:
        """The number of the scan, None if it is not stored or has not begun."""
        return self.execution.record.number

    @property
    def path(self) -> Path | None:
        """The file it is stored in, None if it is not stored."""
        return self.execution.record.path

    @property
    def data(self) -> ScanData:
        """What has been measured so far."""
        return self.execution.record.data

    @property
    def finished(self) -> bool:
        """Whether nothing of it goes on any more: it is over, or was ended before it had begun."""
        return self.over or (self.done() and self.began is None and not self.execution.going_on)

    @property
    def expected(self) -> int | None:
        """How many points there will be, if that is known."""
        return self.scan.points.expected

    @property
    def elapsed(self) -> float:
        """The seconds since it began, pauses included."""
        return 0.0 if self.began is None else (self.ended or time.monotonic()) - self.began

    @property
    def progress(self) -> float | None:  # type: ignore[override]  # which other futures are told
        """The part that is done, 0 to 1; None if nobody can tell."""
        return None if not self.expected else min(1.0, self.points / self.expected)

    @property
    def remaining(self) -> float | None:
        """How many seconds it will still take, if it goes on as so far, or as was reckoned before; None if unknown."""
        if self.over or self.expected is None:
            return 0.0 if self.over else None
        active = self.elapsed - self.time_paused
        counted, since = self._first or (self.points, active)
        left = self.expected - self.points
        if self.points > counted:  # from the first point on: to come there may have taken another time
            return (active - since) / (self.points - counted) * left
        check = self.execution.check
        if check is None or check.duration is None:
            return None
        whole = check.duration.m_as(q.s)
        return max(whole * (self.expected - self.execution.first) / self.expected - active, 0.0)

    @property
    def time_paused(self) -> float:
        """The seconds that it has paused."""
        return self.paused_for + (0.0 if self.paused_since is None else time.monotonic() - self.paused_since)

    @property
    def title(self) -> str:
        """What people call it: ``scan 213``, or what it does if it has no number."""
        return self.scan.kind if self.number is None else f"scan {self.number}"

    def describe(self) -> str:
        """Return what it is, and whether it pauses, in a few words: ``scan 213 mesh``."""
        kind = "" if self.number is None else f" {self.scan.kind}"
        return f"{self.title}{kind}" + (f", paused: {self.reason}" if self.status == "paused" else "")

    @property
    def name(self) -> str:
        """What messages call it, with how far it is."""
        parts = [self.scan.kind] if self.number is not None else []
        parts.append(f"{self.points} points" if self.expected is None else f"{self.points}/{self.expected}")
        if self.status == "paused":
            parts.append("paused")
        elif (remaining := self.remaining) is not None and remaining >= 0.5:  # else it says "0 s"
            parts.append(f"{rough_time(remaining)} left")
        return f"{self.title} ({', '.join(parts)})"

    # -- telling it what to do ----------------------------------------------------------------------------------

    def pause(self, reason: str = ASKED) -> None:
        """Let it pause before the next point, until :meth:`resume`."""
        if runtime() == "sync":
            raise RuntimeError("a scan cannot be paused where every call runs to its end: nobody could resume it")
        self.hold(USER, reason)

    def resume(self) -> None:
        """Let it go on, unless something else keeps it from that."""
        self.release(USER)

    def stop(self) -> None:
        """Let it end in good order: the point in progress is completed, and the data are complete up to there.

        One that still waits for somebody who holds what it uses never begins: it is aborted.
        """
        self.stopping = True
        self.changed.set()
        if self.execution.waits:
            self.abort(block=False)

    def abort(self, block: bool = True, stay: bool = False) -> None:
        """End it now: what moves is stopped, cleanup is done, and it is marked as aborted.

        Return when all of that has ended, or at once without *block*. Its result then raises :exc:`.ScanAborted`. A
        relative scan goes back to where it began; not with *stay*, which is for emergencies.
        """
        self.staying = self.staying or stay
        of = "" if self.expected is None else f" of {self.expected}"
        self.kill(ScanAborted(f"{self.title} was aborted after {self.points}{of} points"), block)

    def kill(self, exception: BaseException | type[BaseException] | None = None, block: bool = True) -> None:
        """Do as every future does, but with *block* also wait for a cleanup that goes on in a thread."""
        super().kill(exception, block)
        running = running_future.get()
        if block and not (running is not None and running.belongs_to(self)):
            for _ in self.follow():
                pass

    def hold(self, what: str, reason: str) -> None:
        """Keep it from going on to the next point because of *what*, until that is released; *reason* is for people."""
        self.holds[what] = reason
        self.changed.set()
        self.tell()

    def release(self, what: str) -> None:
        """Let *what* not keep it from going on any more."""
        if self.holds.pop(what, None) is not None:
            self.changed.set()

    # -- following it -------------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        try:
            for rows in self.follow():
                yield from rows
        except GeneratorExit:  # somebody does not want to see more of it
            raise
        except BaseException as interruption:
            give_up([self], interruption)
            raise
        self.join()

    def follow(self, refresh: float = 0.0) -> Iterator[list[tuple[Any, ...]]]:
        """Generate the points that have been completed since the last look, and whenever something changes.

        Wait *refresh* seconds between two looks. End with the scan; do not raise what it failed with.
        """
        seen = 0
        while True:
            over = self.finished
            news = self.points
            while seen < news and (rows := self._rows(seen, min(news, seen + BLOCK))):
                seen += len(rows)
                yield rows
            if over:
                return
            yield []
            self._wait_for_news(news, refresh)

    def _rows(self, start: int, stop: int) -> list[tuple[Any, ...]]:
        """Return points, none while they cannot be read: that is a reason to pause, and not to stop following."""
        try:
            return self.execution.record.rows(start, stop)
        except StorageError:
            if self.over:
                raise
            return []

    def _wait_for_news(self, seen: int, refresh: float) -> None:
        self._followers += 1
        status = self.status
        try:
            if refresh and self.began is not None:  # that it has begun is to be seen at once
                time.sleep(refresh)
            event = self._news
            if self.points == seen and self.status == status and not self.finished:
                event.wait(refresh or None)
        finally:
            self._followers -= 1

    def tell(self) -> None:
        """Let those who follow have a look."""
        if self._followers:
            event, self._news = self._news, Event()
            event.set()

    def report(self, points: int) -> None:
        """Say that so many points are completed, and durable."""
        self.points = points
        if self._first is None and points > self.execution.first:
            self._first = points, self.elapsed - self.time_paused
        if self._followers:
            self.tell()

    # -- for the execution --------------------------------------------------------------------------------------

    def enter(self, status: str, reason: str = "") -> None:
        """Have another status. One that is refused goes from waiting to failed, and has never begun."""
        self.status, self.reason = status, reason
        over = status in ("done", "stopped", "aborted", "failed")
        if self.began is None and not over:
            self.began = time.monotonic()
            picture_begins(self)
        elif self.began is not None and over:
            self.ended = time.monotonic()
            _ended[:] = [self]
            picture_ends(self)
        self.over = over  # last: who has waited for the end finds everything
        self.tell()


BLOCK = 1000  # so many rows are taken from the record at a time
