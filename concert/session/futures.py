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
    """Say what Ctrl-C has ended: where things stand that were moving, and what has not begun to move."""
    sets = [(each, set_by(each)) for each in getattr(interrupt, "ended", ()) if each.done()]
    return ", ".join(sorted({_end_of(future, parameter) for future, parameter in sets if parameter is not None} - {""}))


def _end_of(future: Future, parameter: ParameterValue) -> str:
    name = short_name(parameter)
    if future.held_up:
        holders = ", ".join(parameter.holders())
        return f"{name} was not moved" + (f", it is held by {holders}" if holders else "")
    return f"{name} stopped at {where(parameter)}" if parameter.readable else ""


def background_functions() -> list[Future]:
    """Return the functions that commands have started and that run in the background.

    Sets and scans are none, and neither is what was detached from its command.
    """
    foreground = current_command() if command_runs() else None
    futures = [job.future for job in background_jobs() if isinstance(job, FutureJob)]
    owned = [each for each in futures if isinstance(each._owner, Command) and each._owner is not foreground]
    return [each for each in owned if parameter_of(each) is None]
