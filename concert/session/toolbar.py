"""The line below the prompt: what runs in the background and what moves, with how far it is and how long it takes.

While nothing of that is the case there is no line, nothing is asked of any device, and nothing wakes up.
"""

from __future__ import annotations

import time
from typing import Any

from concert.async_ import Future, async_, background_jobs
from concert.async_._jobs import FutureJob, Job, remaining_time
from concert.base import UNKNOWN, SetRecord, listen_to_sets
from concert.processes import short_name
from concert.session.futures import parameter_of
from concert.session.moving import distance
from concert.session.rounding import clock, rounded

REFRESH = 0.5  # seconds between two looks
ANSWER_TIME = 1.0  # seconds that a moving device has to say where it is


class Toolbar:
    """The toolbar of a *prompt*, a prompt_toolkit session."""

    def __init__(self, prompt: Any) -> None:
        self._prompt = prompt
        self._sets: dict[int, SetRecord] = {}  # in progress, by their numbers
        self._looking: Future | None = None
        listen_to_sets(self._note)

    def begin(self) -> None:
        """Show what goes on, if something does, until nothing does any more; the prompt is about to be shown."""
        if self._looking is None and (self._sets or self._jobs()):
            self._prompt.bottom_toolbar = self._text()
            self._looking = async_(self._look)().detach()

    def _note(self, record: SetRecord) -> None:
        if record.outcome:
            self._sets.pop(record.number, None)
        else:
            self._sets[record.number] = record
            if self._looking is None and self._prompt.app.is_running:  # somebody else has begun this
                self.begin()

    def _jobs(self) -> list[Job]:
        """Return what runs in the background, apart from sets, which are shown as what moves, and from this."""
        futures = [(job, job.future if isinstance(job, FutureJob) else None) for job in background_jobs()]
        return [
            job for job, future in futures if future is None or not (parameter_of(future) or future is self._looking)
        ]

    def _look(self) -> None:
        try:
            while self._sets or self._jobs():
                if self._prompt.app.is_running:
                    self._prompt.bottom_toolbar = self._text()
                    self._prompt.app.invalidate()
                time.sleep(REFRESH)
        finally:
            self._looking = None
            self._prompt.bottom_toolbar = None
            self._prompt.app.invalidate()

    def _text(self) -> str:
        records = list(self._sets.values())
        reads = [record.parameter.get() if record.parameter.readable else None for record in records]
        moving = [_move(record, read) for record, read in zip(records, reads, strict=True)]
        return "".join(f" ▸ {each}  " for each in [*map(_job, self._jobs()), *moving])


def _job(job: Job) -> str:
    parts = [job.describe()]
    if job.progress is not None:
        parts.append(f"{100 * job.progress:.0f} %")
    return " ".join(parts) + _left(job.remaining)


def _move(record: SetRecord, read: Future | None) -> str:
    """Say where a parameter is on its way."""
    parameter = record.parameter
    name, target = short_name(parameter), rounded(parameter, record.wanted)
    try:
        here = None if read is None else read.result(timeout=ANSWER_TIME)
    except Exception:  # the set itself will say what is wrong
        assert read is not None
        read.cancel(block=False)
        here = None
    if here is None:
        return f"{name} → {target}"
    progress = _progress(record, here)
    return f"{name} {rounded(parameter, here)} → {target}" + _left(remaining_time(time.time() - record.began, progress))


def _progress(record: SetRecord, here: Any) -> float | None:
    """Return the part of the way that is done, if where it began is known and it is a way."""
    if record.before is UNKNOWN:
        return None
    way = distance(record.parameter, record.before, record.wanted)
    gone = distance(record.parameter, record.before, here)
    return min(1.0, gone / way) if way and gone is not None else None


def _left(remaining: float | None) -> str:
    return "" if remaining is None else f"  {clock(remaining)} left"
