"""Photodiodes behind the analogue inputs of Aerotech controllers."""

from __future__ import annotations

from typing import Any

from concert.devices.photodiodes import base
from concert.networking.aerotech import Connection
from concert.quantities import q


class PhotoDiode(base.PhotoDiode):
    """A photodiode at the analogue input *channel* of the *axis* of the controller at *host* and *port*."""

    def __init__(self, host: str, port: int, axis: str = "X", channel: int = 0, name: str | None = None) -> None:
        super().__init__(name)
        self._connection = Connection(host, port)
        self._input = f"AIN({axis},{channel})"

    def close(self) -> None:
        """Close the connection; the next access opens it again."""
        self._connection.close()

    def _get_intensity(self) -> Any:
        return float(self._connection.execute(self._input)) * q.V
