"""Plans: descriptions of scans as they are stored, for a new process to go on with."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from concert.base import ParameterValue
from concert.processes._names import Nameless, reference_to, stored_parameter
from concert.processes._points import Generated, Grid, Points, Repeated
from concert.processes._values import Values
from concert.quantities import q, shown
from concert.storage import unit_text

if TYPE_CHECKING:
    from concert.processes._scan import Scan

Plan = dict[str, Any]
NUMBERS = "<f8"


def plan_of(scan: Scan, points: Points, origins: Mapping[ParameterValue, Any]) -> Plan:
    """Return *scan* as JSON takes it, with the *points* that it really goes to and where it goes back to.

    What has no name in the session cannot be found again in a new process; then the plan only says so.
    """
    try:
        if scan.interlocks:
            raise Nameless("it has interlocks of its own; declare them in the session with interlock(...)")
        return {
            "points": _stored_points(points),
            "origins": [[stored_parameter(each), _stored_values(Values([where]))] for each, where in origins.items()],
            "read": [reference_to(readable) for readable in scan.counting.readables],
            "time": None if scan.time is None else scan.time.m_as(q.s),
            "period": scan.period,
            "gather": scan.gather,
            "kind": scan.kind,
            "title": scan.title,
            "hooks": {moment: [reference_to(hook) for hook in hooks] for moment, hooks in scan.hooks if hooks},
        }
    except Nameless as reason:
        return {"impossible": str(reason)}


def _stored_points(points: Points) -> Plan:
    if isinstance(points, Generated):
        return {
            "form": "generated",
            "by": points.by,
            "parameters": [stored_parameter(each) for each in points.parameters],
            "decides": reference_to(points.decides),
        }
    if isinstance(points, Repeated):
        return {"form": "repeated", "count": points.expected}
    regions = [[stored_parameter(each.parameter), _stored_values(each.values)] for each in points.regions]
    if isinstance(points, Grid):
        return {"form": "grid", "regions": regions, "snake": points.snake}
    return {"form": "together", "regions": regions}


def _stored_values(values: Values) -> Plan:
    if values.numbers is not None:
        numbers = np.ascontiguousarray(values.numbers, NUMBERS)
        # As bytes, which are exact, and a tenth of what a million numbers would be as text.
        packed = base64.b64encode(numbers.tobytes()).decode()
        return {"unit": unit_text(values.unit), "shape": list(numbers.shape), "numbers": packed}
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for value in plain:
        if not isinstance(value, (str, int, float, bool, type(None))):
            raise Nameless(f"it goes to {shown(value)}, which cannot be stored")
    return {"values": plain}
