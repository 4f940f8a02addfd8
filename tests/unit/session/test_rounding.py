"""Values and times as people want to see them."""

import pytest

from concert.base import Parameter, Quantity
from concert.devices.base import Device
from concert.quantities import q
from concert.session.rounding import clock, limits, rounded


class Stage(Device):
    position = Quantity(q.mm, tolerance=1 * q.um)
    coarse = Quantity(q.mm, tolerance=0.5 * q.mm)
    current = Quantity(q.A)
    temperature = Quantity(q.degC, tolerance=q.Quantity(0.1, "delta_degC"))
    note = Parameter()


stage = Stage()


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("position", 12 * q.mm, "12.000 mm"),
        ("position", 0.0123456 * q.m, "12.346 mm"),
        ("position", -1e-5 * q.mm, "0.000 mm"),
        ("position", -0.0006 * q.mm, "-0.001 mm"),
        ("current", -0.0 * q.A, "0 A"),
        ("coarse", 3.14159 * q.mm, "3.1 mm"),
        ("current", 2.98023224e-8 * q.A, "2.98e-8 A"),
        ("current", 1234567 * q.A, "1.235e6 A"),
        ("current", float("nan") * q.A, "nan A"),
        ("temperature", q.Quantity(25.04, q.degC), "25.0 °C"),
        ("note", "fine", "fine"),
        ("note", None, "None"),
        ("position", q.Quantity([1, 2], "mm"), "[1 2] mm"),
    ],
)
def test_a_value_has_the_digits_that_mean_something(name, value, text):
    assert rounded(stage[name], value) == text


def test_a_value_can_go_without_its_unit():
    assert rounded(stage["position"], 1 * q.mm, with_unit=False) == "1.000"


def test_limits_are_in_the_parameters_unit():
    other = Stage()
    assert limits(other["position"]) == limits(other["note"]) == ""
    other["position"].upper = 4 * q.cm
    assert limits(other["position"]) == "[none, 40] mm"
    other["position"].lower = -500 * q.um
    assert limits(other["position"]) == "[-0.5, 40] mm"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (1.2, "0:02"), (75, "1:15"), (3661, "1:01:01"), (-3, "0:00")]
)
def test_a_time_is_shown_as_by_a_clock(seconds, text):
    assert clock(seconds) == text
