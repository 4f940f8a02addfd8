"""Telling people what went wrong, and shells the exit status."""

from __future__ import annotations

import linecache
import sys
import traceback
from collections.abc import Iterable
from types import FrameType, TracebackType

from concert.async_ import UnhandledFailure
from concert.session.loader import SessionLoader
from concert.session.management import NotASessionError
from concert.session.offline import Offline


def status_of(error: Exception) -> int:
    """Return the exit status for *error*: 2 for what was wrong before anything was tried, else 1."""
    return 2 if isinstance(error, NotASessionError) else 1


def tell(error: Exception, debug: bool = False) -> None:
    """Print to stderr what went wrong.

    Concert's own errors are a sentence, with the line of the session that led to it; others are the user's, as Python
    shows them, without the lines of Concert that led to the user's code. With *debug*, everything is shown.
    """
    if debug:
        traceback.print_exception(error)
    elif is_own(error):
        print(f"Sorry, {str(error) or type(error).__name__}", file=sys.stderr)
        for note in [*getattr(error, "__notes__", ()), *_place(error)]:
            print(f"  {note}", file=sys.stderr)
    else:
        traceback.print_exception(error.with_traceback(without_concert(error)))


def tell_unhandled(failures: Iterable[UnhandledFailure]) -> None:
    """Print to stderr what failed in the background; the log has the details."""
    for failure in failures:
        kind, message = type(failure.exception).__name__, failure.exception
        print(f"Sorry, in the background {failure.name} failed: {kind}: {message}", file=sys.stderr)


def tell_offline(devices: Iterable[Offline]) -> None:
    """Print to stderr which *devices* could not be made, and why."""
    for device in devices:
        print(f"Sorry, {device.name} is offline: {device._reason}", file=sys.stderr)


def is_own(error: Exception) -> bool:
    """Tell whether Concert raised the error: then its message says all there is to say."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    # What is wrong with the syntax is found by Concert, but is the user's.
    return bool(frames) and _is_of(frames[-1], "concert") and not isinstance(error, SyntaxError)


def _place(error: Exception) -> list[str]:
    """Return the line of a session that led to the error, if there is one."""
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if isinstance(frame.f_globals.get("__loader__"), SessionLoader)
    ]
    return [f"{file}, line {line}: {linecache.getline(file, line).strip()}" for file, line in places[-1:]]


def without_concert(error: Exception) -> TracebackType | None:
    """Return the traceback from where it enters the user's code; the whole one if it never does."""
    trace = error.__traceback__
    while trace is not None and _is_of(trace.tb_frame, "concert", "importlib"):
        trace = trace.tb_next
    return error.__traceback__ if trace is None and not isinstance(error, SyntaxError) else trace


def without_machinery(trace: TracebackType | None) -> TracebackType | None:
    """Return the traceback without what only runs code of others: futures and scans, and what waits for them."""
    if trace is None:
        return None
    rest = without_machinery(trace.tb_next)
    if trace.tb_frame.f_globals.get("__name__", "").startswith(("concert.async_", "concert.processes")):
        return rest
    return TracebackType(rest, trace.tb_frame, trace.tb_lasti, trace.tb_lineno)


def _is_of(frame: FrameType, *packages: str) -> bool:
    """Tell whether the code belongs to one of the packages."""
    return frame.f_globals.get("__name__", "").partition(".")[0] in packages
