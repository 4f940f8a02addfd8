"""What futures are about, as far as people are told of them."""

from __future__ import annotations

from concert.async_ import Future, background_jobs
from concert.async_._interrupts import command_runs
from concert.async_._jobs import FutureJob
from concert.async_._scope import Command, current_command
from concert.base import ParameterValue
from concert.processes import short_name
from concert.session.rounding import where

SETTERS = ("_write", "_write_after", "_restore_value")  # what futures of parameters run that move something


def parameter_of(future: Future) -> ParameterValue | None:
    """Return the parameter that *future* sets or reads, if it is such a future."""
    owner = getattr(future._function, "__self__", None)
    return owner if isinstance(owner, ParameterValue) else None


def set_by(future: Future) -> ParameterValue | None:
    """Return the parameter that *future* sets, if it does."""
    return parameter_of(future) if getattr(future._function, "__name__", "") in SETTERS else None


def ended_by(interrupt: BaseException) -> str:
    """Say where what Ctrl-C has stopped stands now: what was moving, not what was only read."""
    ended = [future for future in getattr(interrupt, "ended", ()) if future.done()]
    parameters = {parameter for each in ended if (parameter := set_by(each)) is not None and parameter.readable}
    return ", ".join(sorted(f"{short_name(each)} stopped at {where(each)}" for each in parameters))


def background_functions() -> list[Future]:
    """Return the functions that commands have started and that run in the background.

    Sets and scans are none, and neither is what was detached from its command.
    """
    foreground = current_command() if command_runs() else None
    futures = [job.future for job in background_jobs() if isinstance(job, FutureJob)]
    owned = [each for each in futures if isinstance(each._owner, Command) and each._owner is not foreground]
    return [each for each in owned if parameter_of(each) is None]
