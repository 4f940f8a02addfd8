"""``concert log``: what happened in sessions."""

from __future__ import annotations

from concert.helpers import Command
from concert.session import logs
from concert.session.management import SessionError, check_name


class LogCommand(Command):
    """Show the log, of all sessions or of one."""

    def __init__(self) -> None:
        super().__init__(
            "log",
            {
                "name": {"metavar": "NAME", "nargs": "?", "help": "the name of a session (default: all)"},
                "--follow": {"action": "store_true", "help": "go on with new records until Ctrl-C"},
            },
        )

    def run(self, name: str | None, follow: bool) -> None:  # type: ignore[override]
        """Print the records of the session *name*, or all."""
        if name is not None:
            check_name(name)
        if not follow and not logs.files():
            raise SessionError(f"there is no log yet in {logs.path().parent}")
        lines = logs.read(follow)
        for line in lines if name is None else logs.of_session(lines, name):
            print(line, end="", flush=follow)
