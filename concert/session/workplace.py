"""Letting scans know where they run: in which session, with which devices and which data directory."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from concert import config
from concert.processes import station
from concert.session.utils import devices_in


def prepare(name: str, path: Path | None, data: str | None = None) -> None:
    """Let scans know that they run in the session *name* of the file *path*, and store them.

    Their data lie where *data* says, else the session's ``data_directory``, else the setting ``DATA``, else in
    ``~/data/<session>``. What the session defines is found as soon as it does.
    """

    def names() -> Mapping[str, Any]:
        module = sys.modules.get(name)
        return {} if module is None else vars(module)

    station.session = name
    station.path = "" if path is None else str(path.absolute())
    station.names = names
    station.devices = lambda: devices_in(names(), None)
    station.where = lambda: data or names().get("data_directory") or config.DATA or f"~/data/{name}"
