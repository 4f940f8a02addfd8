"""What a session says at its beginning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import concert
from concert.async_ import runtime
from concert.processes import station
from concert.session.overview import overview
from concert.session.utils import devices_in
from concert.storage import StorageError

KEYS = "Ctrl-C stops the command · Ctrl-\\ stops every device · help with ddoc(), pdoc(), wa"


def banner(name: str, namespace: Mapping[str, Any]) -> str:
    """Return what a session says at its beginning: what it is, its devices and how they are, and the keys."""
    lines = [" · ".join(filter(None, (f"Concert {concert.__version__}", f"session {name}", runtime(), _scans())))]
    if namespace.get("__doc__"):
        lines.append(namespace["__doc__"].strip())
    table = overview(devices_in(namespace, None))
    return "\n".join([*lines, "", *table, *([""] if table else []), KEYS, ""])


def _scans() -> str:
    """Say which scans there are, and where."""
    directory = station.data_directory
    if directory is None:
        return ""
    shown = re.sub(rf"^{re.escape(str(Path.home()))}(?=/|$)", "~", str(directory))
    try:
        # Looking must not make a catalogue where there is none.
        last = station.catalogue.last.number if station.catalogue and station.catalogue.path.exists() else 0
    except (LookupError, StorageError):
        last = 0
    if not last:
        return f"no scans yet in {shown}"
    return f"{'scan 1' if last == 1 else f'scans 1–{last}'} in {shown}"
