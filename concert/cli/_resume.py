"""``concert resume``: going on with a scan that ended before its time, in a new process."""

from __future__ import annotations

import sys
from pathlib import Path

from concert.cli._data import scan_in
from concert.devices._reading import answer
from concert.helpers import Command
from concert.processes import resumed, station, unfinished, watch
from concert.session import logs, management
from concert.session.loader import load
from concert.session.management import SessionError
from concert.session.opening import opened
from concert.storage import StoredScan


class ResumeCommand(Command):
    """Go on with a scan that ended before its time."""

    def __init__(self) -> None:
        super().__init__(
            "resume",
            {
                "number": {
                    "metavar": "NUMBER",
                    "nargs": "?",
                    "type": int,
                    "help": "the number of the scan (default: the latest one)",
                },
                "--session": {"metavar": "NAME", "help": "the session, or a Python file (default: the scan's own)"},
                "--data": {"metavar": "DIRECTORY", "help": "where the scan is stored (default: ~/data/NAME)"},
                "--yes": {"action": "store_true", "help": "do not ask"},
            },
        )

    def run(  # type: ignore[override]
        self, number: int | None = None, session: str | None = None, data: str | None = None, yes: bool = False
    ) -> None:
        """Go on with scan *number* of the *session*; raise :exc:`.ScanError` if there is nothing to go on with."""
        path = management.find(session) if session is not None else _path_of_last(number, data)
        logs.set_up(path.stem)
        with opened(path.stem, path, data):
            load(path)
            stored = unfinished(number)
            scan = resumed(stored)
            print(_where_it_is(stored))
            if yes or _agrees(f"Go on with point {stored.points + 1}?"):
                watch(scan.start(refuse=True, number=stored.number))


def _path_of_last(number: int | None, data: str | None) -> Path:
    """Return the file of the session that did the scan, as the catalogue tells it."""
    stored = scan_in(data, number, "say where they are with --data, or name the --session")
    file = Path(stored.plan.get("file", ""))
    return file if file.is_file() else management.find(stored.session)


def _where_it_is(stored: StoredScan) -> str:
    """Return how the scan ended, where its points are, and where its motors are now."""
    of = "" if stored.expected is None else f" of {stored.expected}"
    when = "" if stored.ended is None else f" ({stored.ended:%Y-%m-%d %H:%M:%S})"
    how = "ended without closing" if stored.status == "interrupted" else f"was {stored.status}"
    return (
        f"Scan {stored.number} {stored.kind} {how} at point {stored.points}{of}{when}.\n"
        f"All {stored.points} points are in {stored.path.name}. {_places(stored)}"
    ).rstrip()


def _places(stored: StoredScan) -> str:
    devices = station.devices()
    moved = [column for column in stored.columns if column.role == "positioner" and column.device in devices]
    reads = [(column.name, devices[column.device][column.parameter].get()) for column in moved]
    places = [f"{name} is at {answer(read)}" for name, read in reads]
    return f"{', '.join(places)}." if places else ""


def _agrees(question: str) -> bool:
    """Ask, where somebody can answer; raise :exc:`.SessionError` elsewhere."""
    if not sys.stdin.isatty():
        raise SessionError("nobody can be asked here whether to go on; say --yes")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
