"""Values of all kinds as JSON, and back: quantities keep their units, and what JSON does not know becomes text."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from concert.quantities import q

LOG = logging.getLogger("concert.storage")

QUANTITY = "@quantity"  # marks [magnitude, unit]

_unknown: set[str] = set()  # units of which the log has told


class UnknownQuantity(NamedTuple):
    """A quantity in a unit that is not defined in this process: a plain *magnitude* and the *unit* as text."""

    magnitude: Any
    unit: str

    def __str__(self) -> str:
        return f"{self.magnitude} {self.unit}"


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
    read = _parsed(text)
    return read is not None and bool(read._units == unit._units)


def _parsed(text: str) -> Any:
    try:
        return q.Unit(text)
    except Exception:  # pint raises whatever its parser does
        return None


def known_unit(text: str) -> Any:
    """Return the unit that :func:`unit_text` wrote, or None if it is not defined in this process; log that once."""
    unit = _parsed(text)
    if unit is None and text not in _unknown:
        _unknown.add(text)
        LOG.warning("the unit %r is not known here: it has to be defined, with q.define, before it is read", text)
    return unit


def to_json(value: Any) -> str:
    """Return *value*, mappings and sequences of values included, as text."""
    return encodable(json.dumps(_plain(value), ensure_ascii=False))


def encodable(text: str) -> str:
    """Return *text* with what UTF-8 cannot hold, half a surrogate pair, spelt out as ``\\udc80``, as in JSON."""
    return text.encode("utf-8", "backslashreplace").decode()


def from_json(text: str) -> Any:
    """Return the value that *text* was made of; tuples and arrays come back as lists.

    A quantity in a unit that is not defined here is an :class:`UnknownQuantity`.
    """
    return json.loads(text, object_hook=_revive)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, q.Quantity):
        return {QUANTITY: [_plain(value.magnitude), unit_text(value.units)]}
    if isinstance(value, UnknownQuantity):
        return {QUANTITY: [_plain(value.magnitude), value.unit]}
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
    magnitude, text = entry[QUANTITY]
    unit = known_unit(text)
    if unit is None:
        return UnknownQuantity(magnitude, text)
    return q.Quantity(np.asarray(magnitude) if isinstance(magnitude, list) else magnitude, unit)
