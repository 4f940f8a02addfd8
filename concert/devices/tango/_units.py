"""Units as Tango servers spell them: free text, which is mostly a unit."""

from __future__ import annotations

import re
from typing import Any

from concert.quantities import q

NONE = {"", "-", "none", "no unit", "a.u.", "arb. units", "arb.units", "dimensionless"}

# What pint does not know, or knows as something else.
SPELLINGS = {
    "C": "degC",  # not coulomb: temperatures in C are common, charges are in nC
    "°C": "degC",
    "deg C": "degC",
    "deg.C": "degC",
    "deg. C": "degC",
    "degree C": "degC",
    "degrees C": "degC",
    "degree Celsius": "degC",
    "degrees Celsius": "degC",
    "Celsius": "degC",
    "celsius": "degC",
    "°": "degree",
    "Deg": "degree",
    "degs": "degree",
    "secs": "second",
    "Sec": "second",
    "msec": "millisecond",
    "usec": "microsecond",
    "micron": "micrometer",
    "microns": "micrometer",
    "Angstrom": "angstrom",
    "Ang": "angstrom",
    "Amp": "ampere",
    "Amps": "ampere",
    "amps": "ampere",
    "mAmp": "milliampere",
    "mAmps": "milliampere",
    "mVolt": "millivolt",
    "mVolts": "millivolt",
    "%": "percent",
    "cts": "count",
    "pixels": "pixel",
    "px": "pixel",
}

_SAYABLE = re.compile(r"[\w\s*/^().°%µΩÅ²³⁻·+-]+")  # pint passes over what else there is
_TOKENS = re.compile(r"([*/^()\s]|\d+)")


def unit_of(text: str) -> Any:
    """Return the unit that *text* means, dimensionless if it means none; None if it is not known.

    >>> print(unit_of("mm/sec"))
    millimeter / second
    >>> unit_of("crates of ale")
    """
    text = text.strip().replace("μ", "µ")
    if text.lower() in NONE:
        return q.dimensionless
    if not _SAYABLE.fullmatch(text):
        return None
    spelled = SPELLINGS.get(text) or "".join(SPELLINGS.get(token, token) for token in _TOKENS.split(text))
    for candidate in (spelled, spelled.lower() if len(spelled) > 3 else spelled):
        try:
            return q.parse_units(candidate)
        except Exception:  # pint, its tokenizer and Python's parser have many ways to say that it is none
            continue
    return None
