"""``concert server`` and ``concert connect``: a session that survives a lost connection."""

from __future__ import annotations

from concert.helpers import Command
from concert.session import management, tmux


class ServerCommand(Command):
    """Start a session that goes on without a terminal, in tmux."""

    def __init__(self) -> None:
        super().__init__("server", {"name": {"metavar": "NAME", "help": "the session"}})

    def run(self, name: str) -> None:  # type: ignore[override]
        """Start the session *name*; return when it has begun."""
        management.existing(name)
        tmux.serve(name)
        print(f"{name} is running; see it with: concert connect localhost {name}")


class ConnectCommand(Command):
    """Show a session that was started with server, here or on another host."""

    def __init__(self) -> None:
        super().__init__(
            "connect",
            {
                "host": {"metavar": "HOST", "help": "where it runs: localhost, or a host to reach with ssh"},
                "name": {"metavar": "NAME", "nargs": "?", "help": "the session (default: the one used last)"},
            },
        )

    def run(self, host: str, name: str | None) -> None:  # type: ignore[override]
        """Show the session *name* on *host*, in place of this program."""
        tmux.connect(host, name if name is None else management.check_name(name))
