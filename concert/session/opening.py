"""What goes with a session while it is open, at a prompt or without one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from concert.async_ import shielded
from concert.processes import active_runs, finish_pictures, forget_moves, station
from concert.session import audit, workplace
from concert.session.ending import ending_in_good_order
from concert.session.loader import make_importable
from concert.session.running import STOP_SIGNAL, registered
from concert.session.stop_signal import stop_on_signal


@contextmanager
def opened(name: str, path: Path | None = None, data: str | None = None) -> Iterator[None]:
    """Let the session *name* of the file *path* be open during the block, which loads it.

    Its audit trail is kept, other terminals can stop its devices, and its scans are stored: in the directory *data*,
    else in the session's ``data_directory``, else where the setting ``DATA`` says, else in ``~/data/<session>``. Scans
    that still run at the end are aborted, with their cleanup; so they are when the process is told to end, by SIGTERM,
    or its terminal is closed. The session is open until that is done.
    """
    before = signal.getsignal(STOP_SIGNAL)
    make_importable()
    audit.set_up(name)
    workplace.prepare(name, path, data)
    stop_on_signal()
    try:
        with registered(name), ending_in_good_order():
            try:
                yield
            finally:
                with shielded():
                    _end_scans()
                    finish_pictures()
    finally:
        forget_moves()
        station.reset()
        audit.close()
        signal.signal(STOP_SIGNAL, before)


def _end_scans() -> None:
    """Abort what still runs in the background, and say how to go on with it."""
    for run in active_runs():
        number = run.number
        run.abort()
        advice = "" if number is None else f"; go on with: concert resume {number}"
        print(f"{run.title} was aborted because the session ends{advice}")


def finish_scans() -> None:
    """Wait for the scans that run in the background, as nobody will come back to them; raise what they fail with."""
    while runs := active_runs():
        print(f"{runs[0].describe()} is still running; Ctrl-C ends it", flush=True)
        runs[0].join()
