"""``concert check``: is a session fit for use?"""

from __future__ import annotations

from concert.helpers import Command
from concert.session import checks, logs, management
from concert.session.loader import load
from concert.session.management import SessionError
from concert.session.opening import opened
from concert.tables import print_table


class CheckCommand(Command):
    """Load a session and report on every device, without moving anything."""

    def __init__(self) -> None:
        super().__init__("check", {"session": {"metavar": "NAME", "help": "the session, or a Python file"}})

    def run(self, session: str) -> None:  # type: ignore[override]
        """Check the session called *session*, or the file; raise :exc:`.SessionError` if a device is not right."""
        path = management.find(session)
        logs.set_up(path.stem)
        with opened(path.stem, path):
            reports = checks.check_devices(vars(load(path)))
        rows = [
            (each.device, each.kind, each.state, problem)
            for each in reports
            for problem in each.problems or [each.value]
        ]
        if not rows:
            print(f"{path.stem} has no devices")
            return
        print_table(("device", "class", "state", ""), rows)
        wrong = [each.device for each in reports if each.problems]
        if wrong:
            raise SessionError(f"something is wrong with {', '.join(wrong)} ({len(wrong)} of {len(reports)} devices)")
