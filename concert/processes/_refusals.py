"""Which of the values that a scan sets would be refused, found without going through millions of them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from concert.base import ParameterValue, QuantityValue
from concert.processes._check import Finding
from concert.processes._points import MOST, Points
from concert.processes._region import Region, short_name
from concert.quantities import q, shown

SHOWN = 3  # so many values, and ranges of points, are shown; of more, how many there are


def refusals(points: Points) -> list[Finding]:
    """Return what would be refused of all sets of *points*: by locks, units, shapes, limits and selections."""
    findings = []
    for at, region in enumerate(points.regions):
        access = _access(region)
        if access is not None:
            findings.append(Finding(region.parameter.full_name, access))
        for refused, text in _refused(region):
            where = points.where(at, refused)
            subject = f"point {shown_points(where)}" if len(where) else f"beyond point {MOST}"
            findings.append(Finding(subject, text, where))
    return findings


def outside(parameter: ParameterValue, value: Any) -> str | None:
    """Return what is wrong with *value*, which *parameter* is to be set to, None if nothing is."""
    try:
        parameter._converted(value)
    except (ValueError, TypeError) as error:
        return str(error)
    return None


def shown_points(points: Any) -> str:
    """Return numbers of points as text, ``0–1, 5`` for example."""
    breaks = np.flatnonzero(np.diff(points) != 1)
    firsts, lasts = points[np.r_[0, breaks + 1]], points[np.r_[breaks, len(points) - 1]]
    ranges = [
        str(first) if first == last else f"{first}–{last}" for first, last in zip(firsts[:SHOWN], lasts, strict=False)
    ]
    return ", ".join(ranges) + (f" … {lasts[-1]}" if len(firsts) > SHOWN else "")


def _access(region: Region) -> str | None:
    """Return why the parameter cannot be set to anything at all, None if it can."""
    parameter = region.parameter
    if not parameter.writable:
        return f"cannot be written{parameter._parameter.advice}"
    return f"is {parameter._lock}" if parameter.locked else None


def _refused(region: Region) -> Iterator[tuple[Any, str]]:
    """Generate which values are refused, as an array of truths, and why."""
    parameter, values = region.parameter, region.values
    quantity = values.quantity if values.numbers is not None else _from_plain_numbers(values)
    if quantity is None or not isinstance(parameter, QuantityValue):
        yield from _refused_one_by_one(parameter, values)
        return
    if values.numbers is None and not parameter.takes_numbers:
        yield np.ones(len(values), bool), outside(parameter, values[0]) or ""
        return
    try:
        sides = parameter.sides(quantity)
    except (ValueError, TypeError) as error:  # what is wrong with the unit or the shape is wrong with all of them
        yield np.ones(len(values), bool), str(error)
        return
    name = short_name(parameter)
    single = quantity.ndim == 1 and all(np.ndim(each) == 0 for each in parameter._bounds)
    ways = {
        -1: f"below its soft limit {shown(parameter.lower)}",
        1: f"above its soft limit {shown(parameter.upper)}",
        2: "no number",
    }
    for side, way in ways.items():
        refused = sides == side
        if refused.any():
            texts = _distinct(quantity[refused])
            way = way if single else f"outside its soft limits {parameter.shown_limits()}"
            yield refused, f"{name} {_listed(texts)} {'is' if len(texts) == 1 else 'are'} {way}"


def _from_plain_numbers(values: Sequence[Any]) -> Any:
    """Return values that are numbers without a unit as an array quantity, None if they are something else."""
    if not len(values) or any(isinstance(value, (bool, np.bool_, str)) for value in values):
        return None
    try:
        numbers = np.asarray(list(values))
    except (ValueError, TypeError):  # something of different shapes
        return None
    return q.Quantity(numbers, "dimensionless") if numbers.dtype.kind in "iuf" and numbers.ndim == 1 else None


def _refused_one_by_one(parameter: ParameterValue, values: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    reasons: dict[str, list[int]] = {}
    known: dict[Any, str | None] = {}
    for index, value in enumerate(values):
        try:
            if value not in known:
                known[value] = outside(parameter, value)
            reason = known[value]
        except TypeError:  # it has no hash
            reason = outside(parameter, value)
        if reason is not None:
            reasons.setdefault(reason, []).append(index)
    several = list(reasons.items())
    further = [index for _, indices in several[SHOWN:] for index in indices]
    if further:
        several = [*several[:SHOWN], (f"{several[0][0]}, and {len(further)} further values are refused", further)]
    for reason, indices in several:
        refused = np.zeros(len(values), bool)
        refused[indices] = True
        yield refused, reason


def _distinct(values: Any) -> list[str]:
    """Return the values as text, each once, in their order, as many as are shown and one more."""
    texts: dict[str, None] = {}
    for number in values.magnitude[:1000]:
        texts[shown(q.Quantity(number.item() if np.ndim(number) == 0 else number, values.units))] = None
        if len(texts) > SHOWN:
            break
    return list(texts)


def _listed(texts: list[str]) -> str:
    return ", ".join(texts[:SHOWN]) + (" …" if len(texts) > SHOWN else "")
