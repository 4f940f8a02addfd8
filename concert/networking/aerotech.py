"""Aerotech's controllers: a command each line, and a reply whose first character says what became of it."""

from __future__ import annotations

from typing import Any

from concert.networking.base import SocketConnection
from concert.quantities import q

ACKNOWLEDGED = "%"
REFUSED = "!"
FAULT = "#"


class Connection(SocketConnection):
    """A connection to an Aerotech controller that gives the data of replies: what follows ``%``.

    Besides what a :class:`.SocketConnection` raises, a command that the controller refuses (``!``) is a
    :exc:`ValueError`, one that it cannot carry out because of a fault (``#``) a :exc:`RuntimeError`, and any other
    reply a :exc:`ConnectionError`.
    """

    def __init__(self, host: str, port: int, timeout: Any = 5 * q.s) -> None:
        super().__init__(host, port, return_sequence="\n", timeout=timeout)

    def recv(self, timeout: Any = None) -> str:
        """Wait for a reply and return its data, empty for a mere acknowledgement."""
        return self._data(super().recv(timeout), "the last command")

    def execute(self, data: str, timeout: Any = None) -> str:
        """Send the command *data*, wait for the reply and return its data, empty for a mere acknowledgement."""
        return self._data(super().execute(data, timeout), repr(data))

    def _data(self, reply: str, command: str) -> str:
        code, rest = reply[:1], reply[1:]
        if code == ACKNOWLEDGED:
            return rest
        why = f": {rest}" if rest else ""
        if code == REFUSED:
            raise ValueError(f"{self.peer} refused {command}{why}")
        if code == FAULT:
            raise RuntimeError(f"{self.peer} could not carry out {command} because of a fault{why}")
        raise ConnectionError(
            f"expected a reply starting with {ACKNOWLEDGED}, {REFUSED} or {FAULT}, not {reply!r}, "
            f"from {self.peer} to {command}"
        )
