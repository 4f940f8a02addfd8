"""``concert log``: what happened in sessions."""

from __future__ import annotations

from pathlib import Path

from concert.helpers import Command
from concert.session import audit, logs
from concert.session.management import SessionError, check_name


class LogCommand(Command):
    """Show the log, or the audit trail, of all sessions or of one."""

    def __init__(self) -> None:
        super().__init__(
            "log",
            {
                "name": {"metavar": "NAME", "nargs": "?", "help": "the name of a session (default: all)"},
                "--audit": {"action": "store_true", "help": "show who set what instead, and what became of it"},
                "--follow": {"action": "store_true", "help": "go on with new records until Ctrl-C"},
            },
        )

    def run(self, name: str | None, audit: bool, follow: bool) -> None:  # type: ignore[override]
        """Print the records of the session *name*, or all."""
        if name is not None:
            check_name(name)
        if audit:
            _show_audit_trail(name, follow)
        else:
            _show_log(name, follow)


def _show_log(name: str | None, follow: bool) -> None:
    _require("log", logs.path(), follow)
    lines = logs.read(follow)
    for line in lines if name is None else logs.of_session(lines, name):
        print(line, end="", flush=follow)


def _show_audit_trail(name: str | None, follow: bool) -> None:
    _require("audit trail", audit.path(), follow)
    for entry in audit.entries(name, follow):
        print(audit.sentence(entry), flush=follow)


def _require(what: str, path: Path, follow: bool) -> None:
    if not follow and not logs.files(path):
        raise SessionError(f"there is no {what} yet in {path.parent}")
