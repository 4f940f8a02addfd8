"""Which scans are asked for: conditions in SQL where that is possible, else a look at the scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

import numpy as np

from concert.storage._stored import StoredScan

Condition = tuple[str, list[Any]]


def condition(command: str | None, since: Any, until: Any, status: str | Iterable[str] | None) -> Condition:
    """Return what to put behind WHERE, with its values."""
    parts: list[str] = ["1"]
    values: list[Any] = []
    if command is not None:
        parts.append("(kind = ? OR instr(lower(command), lower(?)) OR instr(lower(title), lower(?)))")
        values += [command] * 3
    if since is not None:
        parts.append("began_at >= ?")
        values.append(_moment(since, "since"))
    if until is not None:
        parts.append("began_at <= ?")
        values.append(_moment(until, "until", time.max))
    if status is not None:
        wanted = [status] if isinstance(status, str) else list(status)
        parts.append(f"status IN ({', '.join('?' * len(wanted))})")
        values += wanted
    return " AND ".join(parts), values


def matches(scan: StoredScan, device: str | None, metadata: Mapping[str, Any]) -> bool:
    """Tell whether *device* took part in the scan, and whether it has the *metadata*."""
    if device is not None and not any(device in (column.device, column.name) for column in scan.columns):
        return False
    return all(key in scan.metadata and _same(scan.metadata[key], value) for key, value in metadata.items())


def _same(known: Any, wanted: Any) -> bool:
    """Tell whether *known*, which comes from JSON, was made of something like *wanted*."""
    if isinstance(wanted, np.ndarray):
        wanted = wanted.tolist()
    if isinstance(known, Mapping) and isinstance(wanted, Mapping):
        return known.keys() == wanted.keys() and all(_same(known[key], wanted[key]) for key in known)
    if isinstance(known, list) and isinstance(wanted, (list, tuple)):
        return len(known) == len(wanted) and all(map(_same, known, wanted))
    if np.ndim(getattr(known, "magnitude", 0)) or np.ndim(getattr(wanted, "magnitude", 0)):
        return np.shape(known) == np.shape(wanted) and bool(np.all(known == wanted))
    return bool(known == wanted)


def _moment(value: Any, name: str, of_day: time = time.min) -> float:
    """Return a date or a time, as an object or in ISO 8601, in seconds since 1970; without a zone it is local."""
    moment = _parsed(value) if isinstance(value, str) else value
    if not isinstance(moment, date):
        raise ValueError(f"{name} takes a date or a time, such as '2026-11-22' or '2026-11-22 03:12', not {value!r}")
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, of_day)
    return moment.timestamp()


def _parsed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
