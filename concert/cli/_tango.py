"""``concert tango``: the embedded Tango database."""

from __future__ import annotations

from concert.helpers import Command
from concert.session import database
from concert.session.management import SessionError


class TangoCommand(Command):
    """Start or stop the Tango database of those who have no other, or ask for it."""

    def __init__(self) -> None:
        super().__init__(
            "tango",
            {
                "action": {"choices": ["start", "stop", "status"], "help": "what to do with the database"},
                "--port": {
                    "type": int,
                    "default": 0,
                    "metavar": "PORT",
                    "help": "where it listens (default: where it did before, at first a free port)",
                },
            },
        )

    def run(self, action: str, port: int = 0) -> None:  # type: ignore[override]
        """Do *action*; raise :exc:`.SessionError` if there is no database to be stopped or asked for."""
        if not 0 <= port < 65536:
            raise SessionError(f"expected a port from 1 to 65535, not {port}")
        if action == "start":
            found, new = database.start(port)
            print(f"export TANGO_HOST={found.address}")
            print(f"# the Tango database {'was started' if new else 'was running already'}, process {found.pid}")
            return
        stopped = database.stop() if action == "stop" else database.running()
        if stopped is None:
            raise SessionError(f"no Tango database of {database.place()} is running; concert tango start")
        print(f"TANGO_HOST={stopped.address}, process {stopped.pid}{', stopped' if action == 'stop' else ''}")
