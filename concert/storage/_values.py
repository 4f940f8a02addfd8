"""Values of all kinds as JSON, and back: quantities keep their units, and what JSON does not know becomes text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from concert.quantities import q

QUANTITY = "@quantity"  # marks [magnitude, unit]


def unit_text(unit: Any) -> str:
    """Return a unit as text for a file: ASCII, and read by pint as the same unit again.

    It is short where that is possible, as in ``um``, else the full name, as in ``micron``.
    """
    return _text_of(unit._units)


@lru_cache(1024)
def _text_of(container: Any) -> str:
    unit = q.Unit(container)
    ways = _ways_to_write(unit)
    return next((text for text in ways if text.isascii() and _is_read_as(text, unit)), ways[-1])


def _ways_to_write(unit: Any) -> tuple[str, ...]:
    short = f"{unit:~C}".replace("Δ°", "delta_deg").replace("°", "deg").replace("Å", "angstrom").replace("Ω", "ohm")
    exact = " * ".join(f"{name}^{power!r}" for name, power in unit._units.items())  # powers such as 1/3
    return re.sub("[µμ]", "u", short).replace("**", "^"), f"{unit:C}".replace("**", "^"), exact


def _is_read_as(text: str, unit: Any) -> bool:
    try:
        return bool(q.Unit(text)._units == unit._units)
    except Exception:  # pint raises whatever its parser does
        return False


def to_json(value: Any) -> str:
    """Return *value*, mappings and sequences of values included, as text."""
    return encodable(json.dumps(_plain(value), ensure_ascii=False))


def encodable(text: str) -> str:
    """Return *text* with what UTF-8 cannot hold, half a surrogate pair, spelt out as ``\\udc80``, as in JSON."""
    return text.encode("utf-8", "backslashreplace").decode()


def from_json(text: str) -> Any:
    """Return the value that *text* was made of; tuples and arrays come back as lists."""
    return json.loads(text, object_hook=_revive)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, q.Quantity):
        return {QUANTITY: [_plain(value.magnitude), unit_text(value.units)]}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(entry) for entry in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (bytes, Path)):
        return str(value)
    return repr(value)


def _revive(entry: dict[str, Any]) -> Any:
    if entry.keys() != {QUANTITY}:
        return entry
    magnitude, unit = entry[QUANTITY]
    return q.Quantity(np.asarray(magnitude) if isinstance(magnitude, list) else magnitude, unit)
