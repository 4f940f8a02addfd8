"""Letting scans know where they run: in which session, with which devices and which data directory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from concert import config
from concert.processes import remember_moves, station
from concert.session.utils import devices_in


def prepare(name: str, path: Path | None = None, data: str | None = None) -> None:
    """Let scans know that they run in the session *name* of the file *path*, and where they are stored.

    *data* is the directory that :func:`.opened` is given. What the session defines is found as soon as it does.
    """

    def names() -> Mapping[str, Any]:
        module = sys.modules.get(name)
        return {} if module is None else vars(module)

    remember_moves()
    station.reset()
    station.session = name
    station.pictures = True
    station.path = "" if path is None else str(path.absolute())
    station.where = lambda: data or station.names().get("data_directory") or config.DATA or f"~/data/{name}"
    use_names(names)


def use_names(names: Callable[[], Mapping[str, Any]]) -> None:
    """Let scans find the names of the session, its devices among them, in what *names* returns."""
    station.names = names
    station.devices = lambda: devices_in(names(), None)
