"""Converting to a declared unit: as pint does it, only faster, and refusing what pint lets pass."""

import numpy as np
import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concert.base._units import Converter
from concert.quantities import q

foreign = pint.UnitRegistry()
foreign.define("flurb = 3 * meter")

FINITE = st.floats(-1e6, 1e6, allow_nan=False)


@settings(max_examples=50)
@given(number=FINITE | st.integers(-1000, 1000), unit=st.sampled_from(["um", "mm", "inch", "km", "m**2 / mm"]))
def test_a_value_is_converted_as_pint_does_it(number, unit):
    converter, value = Converter(q.mm), q.Quantity(number, unit)
    for _ in range(3):  # slowly, and then by what is remembered
        converted = converter.convert(value)
        assert converted.units == q.mm
        assert converted.magnitude == pytest.approx(value.to(q.mm).magnitude, rel=1e-12)


def test_a_value_in_the_declared_unit_is_itself():
    value = 3 * q.mm
    assert Converter(q.mm).convert(value) is value


def test_the_declared_unit_may_be_a_quantity():
    assert Converter(1 * q.mm).unit == q.mm


@pytest.mark.parametrize("unit", ["mm", 5, None, foreign.mm], ids=repr)
def test_only_a_unit_can_be_declared(unit):
    with pytest.raises(TypeError, match=r"expected a unit such as q\.mm"):
        Converter(unit)


def test_arrays_are_converted_element_by_element():
    converter = Converter(q.mm)
    for _ in range(3):
        assert list(converter.convert(np.array([1, 2]) * q.m).magnitude) == [1000, 2000]


@pytest.mark.parametrize(
    "value",
    [
        5,
        5.0,
        np.float64(5),
        np.array([1, 2]),
        "5 mm",
        "",
        None,
        [5 * q.mm],
        (5, "mm"),
        {},
        True,
        q.mm,
        5 * q.s,
        5 * q.mm**2,
        q.Quantity(5, "degC"),
        5 * q.dimensionless,
        5 * foreign.s,
        5 * foreign.flurb,
        q.Quantity("five", q.m),
        object(),
    ],
    ids=repr,
)
def test_what_is_no_length_is_refused(value):
    converter = Converter(q.mm)
    converter.convert(1 * q.m)  # remembered
    assert converter.convert(value) is None
    assert converter.difference(value) is None


def test_a_quantity_of_another_registry_is_converted():
    value = Converter(q.mm).convert(2 * foreign.m)
    assert value == 2000 * q.mm
    assert value._REGISTRY is q


def test_the_same_unit_of_another_registry_becomes_ours():
    assert Converter(q.mm).convert(2 * foreign.mm)._REGISTRY is q


def test_the_display_format_of_another_registry_does_not_matter():
    other = pint.UnitRegistry()
    other.formatter.default_format = "~P"
    assert Converter(q.degC).convert(other.Quantity(5, "degC")) == q.Quantity(5, "degC")


@pytest.mark.parametrize("unit", [q.dimensionless, q.count, q.rad], ids=str)
def test_numbers_are_taken_where_the_unit_is_one(unit):
    converter = Converter(unit)
    assert converter.convert(5) == 5 * unit
    assert converter.convert(np.float64(0.5)).magnitude == 0.5
    assert list(converter.convert(np.array([1, 2])).magnitude) == [1, 2]
    assert converter.difference(0.5) == 0.5


@pytest.mark.parametrize("unit", [q.deg, q.percent, q.mrad], ids=str)
def test_a_bare_number_is_not_taken_for_an_angle_or_a_percentage(unit):
    assert Converter(unit).convert(5) is None
    assert Converter(unit).difference(5) is None


@pytest.mark.parametrize("value", [True, np.True_, "5", None, [5], np.array(["5"]), np.array([True])], ids=repr)
def test_a_dimensionless_unit_takes_nothing_but_numbers(value):
    assert Converter(q.dimensionless).convert(value) is None


def test_temperatures_are_converted_with_their_offset():
    converter = Converter(q.degC)
    for _ in range(3):
        assert converter.convert(300 * q.K).magnitude == pytest.approx(26.85)
        assert converter.convert(q.Quantity(212, "degF")).magnitude == pytest.approx(100)
    assert converter.convert(5 * q.delta_degC) is None


@pytest.mark.parametrize("unit", [q.degC, q.K], ids=str)
@pytest.mark.parametrize(
    "difference", [0.5 * q.K, 0.5 * q.delta_degC, q.Quantity(0.5, "degC"), 0.9 * q.delta_degF], ids=str
)
def test_a_difference_of_temperatures_has_no_offset(unit, difference):
    assert Converter(unit).difference(difference) == pytest.approx(0.5)


def test_differences_of_temperatures_are_asked_for_in_their_own_unit():
    assert Converter(q.degC).wanted == "°C"
    assert Converter(q.degC).wanted_difference == "Δ°C"


def test_a_difference_may_come_from_another_registry():
    assert Converter(q.mm).difference(2 * foreign.um) == pytest.approx(0.002)


def test_what_holds_in_a_context_does_not_hold_outside():
    converter = Converter(q.mm)
    with q.context("sp"):
        assert converter.convert(1 * q.THz) is not None
        assert converter.convert(1 * q.THz) is not None
    assert converter.convert(1 * q.THz) is None


def test_many_units_are_no_burden():
    converter = Converter(q.mm)
    for power in range(200):
        value = q.Quantity(1.0, q.UnitsContainer({"meter": 1 + power, "second": -power, "hertz": -power}))
        converter.convert(value)
    assert len(converter._factors) <= 64
    assert converter.convert(1 * q.m).magnitude == 1000
