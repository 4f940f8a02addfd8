"""The check passes exactly if no set of the scan would be refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concert.base import Quantity, Selection
from concert.devices.base import Device
from concert.processes import Region, Scan
from concert.processes._points import Grid, Together
from concert.processes._refusals import shown_points
from concert.quantities import q


class Table(Device):
    """Parameters of every kind; *written* is what has been set."""

    x = Quantity(q.mm, shape=())
    angle = Quantity(q.deg)
    oven = Quantity(q.degC)
    corner = Quantity(q.mm, shape=(2,))
    mode = Selection(["slow", "fast", 3])
    factor = Quantity(q.dimensionless)
    share = Quantity(q.percent)

    def __init__(self):
        super().__init__("table")
        self.values = {"x": 1 * q.mm, "angle": 2 * q.deg, "oven": q.Quantity(25.0, q.degC), "mode": "slow"}
        self.values |= {"corner": [0, 0] * q.mm, "factor": 1 * q.dimensionless, "share": 50 * q.percent}
        self.written = 0

    def _set(self, name, value):
        self.written += 1
        self.values[name] = value


NAMES = ["x", "angle", "oven", "corner", "mode", "factor", "share"]

for _name in NAMES:
    setattr(Table, f"_get_{_name}", lambda self, name=_name: self.values[name])
    setattr(Table, f"_set_{_name}", lambda self, value, name=_name: self._set(name, value))

# The same numbers as limits and as values, in units that are converted with rounding: at a limit the last digit counts.
NUMBERS = st.sampled_from([-1.0, 0.0, 0.1, 0.3, 1.0, 2.54, 10.0, 25.4, 1e-3, 273.15, 300, 5, 254, math.inf, math.nan])
UNITS = ["mm", "um", "inch", "m", "deg", "rad", "degC", "kelvin", "degF", "s", "dimensionless", "percent"]


@st.composite
def limits(draw, unit):
    low, high = draw(st.none() | NUMBERS), draw(st.none() | NUMBERS)
    units = [each for each in UNITS if q.Unit(each).is_compatible_with(unit)]
    return [None if each is None else q.Quantity(each, draw(st.sampled_from(units))) for each in (low, high)]


@st.composite
def regions(draw, table, count):
    name = draw(st.sampled_from(NAMES))
    parameter = table[name]
    numbers = draw(st.lists(NUMBERS, min_size=count, max_size=count))
    if name == "mode":
        numbers = draw(
            st.lists(st.sampled_from(["slow", "fast", 3, "medium", 3 * q.mm]), min_size=count, max_size=count)
        )
        return Region(parameter, numbers)
    try:
        parameter.lower, parameter.upper = draw(limits(parameter.unit))
    except ValueError:  # not in this order, or no numbers
        pass
    unit = draw(st.sampled_from(UNITS) | st.just(f"{parameter.unit:D}"))
    if draw(st.booleans()) and name == "corner":
        numbers = [[each, draw(NUMBERS)] for each in numbers]
    form = draw(st.sampled_from(["array", "list", "bare"]))
    if form == "bare":
        return Region(parameter, numbers)
    array = q.Quantity(np.asarray(numbers), unit)
    relative = draw(st.booleans()) and name in ("x", "angle")
    return Region(parameter, array if form == "array" else list(array), relative)


@st.composite
def scans(draw):
    table = Table()
    together = draw(st.booleans())
    count = draw(st.integers(1, 4))
    chosen = {}
    for _ in range(draw(st.integers(1, 3))):
        region = draw(regions(table, count if together else draw(st.integers(1, 4))))
        chosen.setdefault(region.parameter, region)
    every = list(chosen.values())
    points = Together(every) if together else Grid(every, draw(st.booleans()))
    return table, Scan(points, read=lambda: 1)


def refused(scan):
    """Tell whether any set of the scan is refused, the way back of relative ones included."""
    try:
        points = scan.points.placed()
        for step in points.steps():
            for parameter, value in zip(points.parameters, step.values, strict=True):
                parameter.check_value(value)
        for parameter in scan.points.relative:
            parameter.check_value(parameter.get().result())
    except (ValueError, TypeError):
        return True
    return False


@given(scans())
@settings(max_examples=1000, deadline=None)
def test_the_check_passes_exactly_if_no_set_is_refused(given_):
    table, scan = given_
    check = scan.check()
    assert bool(check) is not refused(scan), check
    assert table.written == 0
    error = scan.start().exception()
    assert (error is None) is bool(check)
    assert (table.written > 0) is bool(check)


@given(scans())
@settings(max_examples=300, deadline=None)
def test_the_points_that_are_named_are_those_that_are_refused(given_):
    _, scan = given_
    check = scan.check()
    if any(each.points is None for each in check.findings):
        return  # not placed, so there are no points
    points = scan.points.placed()
    named = {int(number) for each in check.findings for number in each.points}
    wrong = set()
    for number, step in enumerate(points.steps()):
        for parameter, value in zip(points.parameters, step.values, strict=True):
            try:
                parameter.check_value(value)
            except (ValueError, TypeError):
                wrong.add(number)
    assert named == wrong


@pytest.mark.parametrize("unit", ["inch", "um", "m"])
def test_at_a_limit_the_last_digit_decides_as_it_does_for_a_set(unit):
    table = Table()
    rng = np.random.default_rng(7)
    numbers = rng.uniform(0, 10, 2000)
    table["x"].upper = q.Quantity(float(numbers[0]), unit)
    around = np.concatenate([np.nextafter(numbers[:1], way) for way in (-np.inf, np.inf)] + [numbers])
    region = Region(table["x"], q.Quantity(around, unit))
    findings = Scan(Together([region]), read=lambda: 1).check().findings
    named = findings[0].points.tolist() if findings else []
    wrong = []
    for number, value in enumerate(region.values):
        try:
            table["x"].check_value(value)
        except ValueError:
            wrong.append(number)
    assert named == wrong


def test_a_million_numbers_without_unit_are_one_finding():
    numbers = np.linspace(0, 10, 1_000_000)
    (finding,) = Scan(Together([Region(Table()["x"], numbers)]), read=lambda: 1).check().findings
    assert finding[:2] == ("point 0–999999", "table.x must be given in mm, not 0.0")
    table = Table()
    table["factor"].upper = 9 * q.dimensionless
    (finding,) = Scan(Together([Region(table["factor"], numbers)]), read=lambda: 1).check().findings
    assert finding.text == "table.factor 9.000009, 9.000019, 9.000029 … are above its soft limit 9"


def test_of_many_different_reasons_only_some_are_shown():
    modes = [f"mode {number}" for number in range(100)]
    findings = Scan(Together([Region(Table()["mode"], modes)]), read=lambda: 1).check().findings
    assert [each.points.tolist() for each in findings] == [[0], [1], [2], list(range(3, 100))]
    assert findings[-1].text.endswith(", and 97 further values are refused")


@pytest.mark.parametrize(
    ("points", "text"),
    [
        ([3], "3"),
        ([0, 1], "0–1"),
        ([0, 2, 3, 4], "0, 2–4"),
        ([0, 2, 4, 6, 8, 9], "0, 2, 4 … 9"),
    ],
)
def test_points_are_listed_as_ranges(points, text):
    assert shown_points(np.asarray(points)) == text
