"""What futures are about, as far as people are told of them."""

from __future__ import annotations

from concert.async_ import Future, background_jobs
from concert.async_._interrupts import command_runs
from concert.async_._jobs import FutureJob
from concert.async_._scope import Command, current_command
from concert.base import ParameterValue


def parameter_of(future: Future) -> ParameterValue | None:
    """Return the parameter that *future* sets or reads, if it is such a future."""
    owner = getattr(future._function, "__self__", None)
    return owner if isinstance(owner, ParameterValue) else None


def background_functions() -> list[Future]:
    """Return the functions that commands have started and that run in the background.

    Sets and scans are none, and neither is what was detached from its command.
    """
    foreground = current_command() if command_runs() else None
    futures = [job.future for job in background_jobs() if isinstance(job, FutureJob)]
    owned = [each for each in futures if isinstance(each._owner, Command) and each._owner is not foreground]
    return [each for each in owned if parameter_of(each) is None]
