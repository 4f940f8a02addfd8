"""The station: what scans want to know of the session they run in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from concert.devices.base import Device
from concert.processes._hooks import Hooks
from concert.storage import Catalogue


def _no_devices() -> Mapping[str, Device]:
    return {}


def _no_names() -> Mapping[str, Any]:
    return {}


def _nowhere() -> None:
    return None


class Station:
    """Where scans run: a session fills this in; in a plain script everything is empty, and scans stay in memory."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Let scans run in no session, as in a plain script."""
        self.session = ""  # its name
        self.path = ""  # its file, with which a scan can go on in a new process
        self.devices: Callable[[], Mapping[str, Device]] = _no_devices  # all devices, by name
        self.names: Callable[[], Mapping[str, Any]] = _no_names  # what the session has given names to
        self.hooks = Hooks()  # for every scan
        self.metadata: dict[str, Any] = {}  # for every scan: user, sample, comment
        self.full_sync = False  # whether stored points survive a power failure as well
        self.where: Callable[[], str | Path | None] = _nowhere  # which directory scans are stored in
        self.pictures = False  # whether a picture of every stored scan is drawn when it has ended
        self.windows = False  # whether scans are seen in a window while they run, if there is a screen
        self._catalogue: Catalogue | None = None

    @property
    def data_directory(self) -> Path | None:
        """Where scans are stored; None if they are not."""
        where = self.where()
        return None if where is None else Path(where).expanduser()

    @property
    def catalogue(self) -> Catalogue | None:
        """The catalogue of the scans that are stored here, None if they are not."""
        directory = self.data_directory
        if directory is None:
            return None
        self._catalogue = Catalogue(directory)  # the same one again, while somebody has it
        return self._catalogue


station = Station()
