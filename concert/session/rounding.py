"""Values as people want to see them: no more digits than the device can tell, and times as a clock shows them."""

from __future__ import annotations

import math
from typing import Any

from concert.base import ParameterValue, QuantityValue
from concert.devices._reading import answer
from concert.quantities import q, shown

DIGITS = 4  # of a value whose parameter does not say how well it is known


def rounded(parameter: ParameterValue, value: Any, with_unit: bool = True) -> str:
    """Return the *value* of the *parameter* as text: as fine as its tolerance, else with four digits.

    A quantity gets the parameter's unit, unless *with_unit* is false.
    """
    if isinstance(value, str):
        return value
    if not isinstance(parameter, QuantityValue) or not isinstance(value, q.Quantity):
        return shown(value)
    number = value.m_as(parameter.unit)
    if not isinstance(number, (int, float)):
        return shown(value)
    unit = f"{parameter.unit:~P}" if with_unit else ""
    return f"{_number(parameter, float(number))} {unit}".rstrip()


def _number(parameter: QuantityValue, number: float) -> str:
    tolerance = parameter.tolerance
    if tolerance is None or not math.isfinite(number):
        text = f"{number:z.{DIGITS}g}"
        mantissa, e, exponent = text.partition("e")
        return f"{mantissa}e{int(exponent)}" if e else text
    fine = float(parameter._as_difference(tolerance))
    digits = max(0, math.ceil(-math.log10(fine) - 1e-9)) if fine > 0 else DIGITS
    return f"{number:z.{digits}f}"  # z: nothing is at -0.000


def where(parameter: ParameterValue) -> str:
    """Read the *parameter* and return its value as text, or why it could not be read."""
    return answer(parameter.get(), lambda value: rounded(parameter, value))


def limits(parameter: ParameterValue) -> str:
    """Return the soft limits as text, ``[0, 40] mm``; empty where there are none."""
    if not isinstance(parameter, QuantityValue) or (parameter.lower is None and parameter.upper is None):
        return ""
    ends = [_limit(parameter, each) for each in (parameter.lower, parameter.upper)]
    return f"[{', '.join(ends)}] {parameter.unit:~P}".rstrip()


def _limit(parameter: QuantityValue, limit: Any) -> str:
    if limit is None:
        return "none"
    number = limit.m_as(parameter.unit)
    return f"{number:.7g}" if isinstance(number, (int, float)) else "…"


def clock(seconds: float) -> str:
    """Return a time as a clock shows it: ``0:02``, ``1:02:03``."""
    whole = max(0, math.ceil(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
