"""Quantities: the registry behaves as pint's own, only faster, and times become seconds or are refused."""

import copy
import operator
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pint
import pytest
from pint.facets.plain import PlainUnit

from concert.quantities import UnitRegistry, q, seconds, shown

# Each is evaluated with pint's registry and with ours as ``q``; value, types and error must be the same.
EXPRESSIONS = [
    # numbers and units
    "q.mm",
    "1 * q.mm",
    "2 * q.mm",
    "q.mm * 2",
    "1.5 * q.mm",
    "-0.0 * q.mm",
    "0 * q.mm",
    "1.0 * q.mm",
    "float('inf') * q.mm",
    "float('nan') * q.mm",
    "10**30 * q.mm",
    "2j * q.mm",
    "3 / q.mm",
    "q.mm / 3",
    "q.mm ** 2",
    "2 * q.mm ** 2",
    "3 * (q.mm / q.s)",
    "1 * q.dimensionless",
    "2 * q.percent",
    "2 * q.count",
    "2 * q.pixel",
    "90 * q.deg",
    "12 * q.keV",
    "3 * q.speed_of_light",
    "3 * q._100km",
    "2 * q.meters",
    "2 * q.Unit('mm')",
    "q.Quantity(2, q.mm)",
    "q.Quantity(2, 'mm')",
    "q('3 mm')",
    "q.parse_expression('3 mm / s')",
    # not numbers
    "True * q.mm",
    "q.mm * False",
    "None * q.mm",
    "q.mm * 'a'",
    "'a' * q.mm",
    "object() in (1 * q.mm,)",
    "[4, 5] * q.mm",
    "(4, 5) * q.mm",
    "{} * q.mm",
    "Decimal('1.5') * q.mm",
    "Fraction(1, 3) * q.mm",
    # NumPy
    "np.float64(2) * q.mm",
    "q.mm * np.float64(2)",
    "np.float32(2) * q.mm",
    "np.int8(2) * q.mm",
    "q.mm * np.uint16(2)",
    "np.bool_(True) * q.mm",
    "np.array(2.0) * q.mm",
    "np.arange(3) * q.mm",
    "q.mm * np.arange(3)",
    "np.arange(3, dtype='uint16') * q.mm",
    "np.linspace(0, 1, 3) * q.degC",
    "np.float64(20) * q.degC",
    "q.degC * np.float64(20)",
    "np.sin(90 * q.deg)",
    "list(np.arange(3) * q.mm)[1]",
    # arithmetic with what came out
    "(1 * q.mm) + (1 * q.um)",
    "(1 * q.mm) + 1",
    "(1 * q.mm) - (1 * q.s)",
    "(1 * q.mm) * (2 * q.mm)",
    "(1 * q.mm) / (2 * q.s)",
    "(1 * q.mm) // (2 * q.um)",
    "-(1 * q.mm)",
    "abs(-1 * q.mm)",
    "round(1.26 * q.mm, 1)",
    "2 * q.mm * q.s",
    "2 * q.mm * 3",
    "sum([1 * q.mm, 2 * q.mm])",
    "float(2 * q.dimensionless)",
    "float(2 * q.mm)",
    "bool(0 * q.mm)",
    "hash(1 * q.m) == hash(1000 * q.mm)",
    "hash(q.mm) == hash(q.millimeter)",
    # comparison and conversion
    "(1 * q.m) == (1000 * q.mm)",
    "(1 * q.m) == 1",
    "q.m == 1",
    "q.mm == q.millimeter",
    "q.mm < q.m",
    "(1 * q.m) < (1 * q.s)",
    "(1 * q.m).to(q.mm)",
    "(1 * q.m).to(q.s)",
    "(1 * q.mm).to_base_units()",
    "(1 * q.mm).m_as(q.um)",
    "(1500 * q.mm).to_compact()",
    "(2 * q.mm).is_compatible_with(q.s)",
    "(2 * q.mm).units",
    "(2 * q.mm).dimensionality",
    "(2 * q.mm).magnitude",
    "isinstance(q.mm, q.Unit)",
    "isinstance(2 * q.mm, q.Quantity)",
    # text
    "str(2 * q.mm)",
    "format(2.5 * q.um, '~P')",
    "format(2.5 * q.um, '.3f~')",
    "format(q.mm / q.s, '~C')",
    # offsets, differences and logarithms
    "1 * q.degC",
    "1.0 * q.degC",
    "20 * q.degC",
    "q.degC * 20.0",
    "0 * q.degC",
    "20 * q.delta_degC",
    "20 * q.degC ** 2",
    "q.Quantity(20, q.degC).to(q.K)",
    "q.Quantity(20, q.degC) + 3 * q.delta_degC",
    "300 * q.K",
    "(300 * q.K).to(q.degC)",
    "1 * q.dBm",
    "3 * q.dBm",
    "3.0 * q.dB",
    "q.Quantity(3, q.dBm).to(q.mW)",
    # contexts
    "(500 * q.nm).to(q.THz)",
    "(500 * q.nm).to(q.THz, 'spectroscopy')",
    "(12 * q.keV).to(q.angstrom, 'sp')",
    # copies and pickles
    "copy.copy(2 * q.mm)",
    "copy.deepcopy(2 * q.mm)",
    "copy.copy(q.mm) * 2",
    "copy.deepcopy(q.mm) * 2",
    # names
    "q.nonsense",
    "hasattr(q, '_mm')",
    "hasattr(q, '__mm__')",
    "hasattr(q, 'nonsense')",
    "'mm' in q",
    "'nonsense' in q",
    "'define' in q",
    "q.MM",
    "q['mm']",
]

SETTINGS = [
    ("autoconvert_offset_to_baseunit", True),
    ("auto_reduce_dimensions", True),
    ("autoconvert_to_preferred", True),
    ("force_ndarray", True),
    ("force_ndarray_like", True),
    ("default_as_delta", False),
    ("case_sensitive", False),
    ("default_system", "imperial"),
    ("preprocessors", [lambda text: text.replace("mm", "inch")]),
]

NAMES = {"copy": copy, "np": np, "Decimal": Decimal, "Fraction": Fraction}


def outcome(expression, registry):
    """Return all that can be seen of what *expression* gives, or of how it fails."""
    try:
        value = eval(expression, {**NAMES, "q": registry})
    except Exception as error:
        return type(error).__name__, str(error)
    return type(value).__name__, type(getattr(value, "magnitude", value)).__name__, repr(value)


def outcomes(registry):
    return {expression: outcome(expression, registry) for expression in EXPRESSIONS}


@pytest.fixture(scope="module")
def plain():
    return pint.UnitRegistry()


@pytest.fixture
def ours():
    """Return a registry that a test may spoil."""
    return copy.deepcopy(q)


@pytest.fixture
def small():
    """Return a registry of few units, in which definitions are quick to see through."""
    return UnitRegistry(["milli- = 1e-3 = m-", "meter = [length] = m", "kelvin = [temperature]", "rod = 5 meter"])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression_gives_what_pint_gives_each_time(expression, plain):
    expected = outcome(expression, plain)
    assert [outcome(expression, q) for _ in range(4)] == [expected] * 4


def test_table_of_expressions_holds_values_and_errors(plain):
    errors = [expression for expression, seen in outcomes(plain).items() if len(seen) == 2]
    assert len(EXPRESSIONS) / 10 < len(errors) < len(EXPRESSIONS) / 3


@pytest.mark.parametrize(("name", "value"), SETTINGS, ids=[name for name, _ in SETTINGS])
def test_changed_setting_counts_at_once_and_until_it_is_changed_back(name, value, ours, plain):
    theirs = copy.deepcopy(plain)
    before = getattr(ours, name)
    assert outcomes(ours) == outcomes(ours) == outcomes(theirs)
    for setting in (value, before):
        setattr(ours, name, setting)
        setattr(theirs, name, setting)
        assert outcomes(ours) == outcomes(ours) == outcomes(theirs)


def test_held_unit_learns_a_changed_setting(ours):
    ours.autoconvert_offset_to_baseunit = True
    celsius = ours.degC
    assert [(20 * celsius).magnitude for _ in range(3)] == [20] * 3
    ours.autoconvert_offset_to_baseunit = False
    with pytest.raises(pint.OffsetUnitCalculusError):
        20 * celsius


def test_held_unit_is_reduced_each_time_where_that_is_set(ours):
    ours.auto_reduce_dimensions = True
    area = ours.m * ours.mm
    reduced = str(2 * area)
    assert reduced in ("0.002 meter ** 2", "2000.0 millimeter ** 2")
    assert [str(2 * area) for _ in range(3)] == [reduced] * 3


def test_unit_is_parsed_once():
    assert q.um is q.um


def test_learnt_unit_does_without_pint(monkeypatch):
    for _ in range(3):
        1 * q.nm
    monkeypatch.delattr(PlainUnit, "__mul__")
    assert str(7 * q.nm) == "7 nanometer"


def test_name_of_a_method_is_no_unit():
    assert [name for name in dir(pint.UnitRegistry) if name[0] != "_" and name in q] == []


def test_unit_named_as_a_method_does_not_hide_it(small):
    small.define("convert = 3 meter")
    assert "convert" in small
    assert small.convert(1, "rod", "meter") == 5


def test_unit_named_as_a_setting_does_not_hide_it(small):
    small.define("force_ndarray = 3 meter")
    assert "force_ndarray" in small
    assert small.force_ndarray is False


def test_assigned_attribute_stays(small):
    small.mm
    small.mm = "mine"
    small.step = 5 * small.m
    small.define("perch = 1 rod")
    assert (small.mm, str(small.step)) == ("mine", "5 meter")


@pytest.mark.parametrize("method", ["define", "load_definitions"])
def test_redefined_unit_counts_at_once(method, small):
    definition = "rod = kelvin; offset: 7"
    held = small.rod
    assert [(2 * held).to("meter").magnitude for _ in range(3)] == [10] * 3
    getattr(small, method)(definition if method == "define" else [definition])
    for unit in (held, small.rod):
        with pytest.raises(pint.OffsetUnitCalculusError):
            2 * unit


def test_failed_name_can_be_defined_later(small):
    with pytest.raises(pint.UndefinedUnitError):
        small.smoot
    small.define("smoot = 1.7 meter")
    assert (2 * small.smoot).to("meter").magnitude == 3.4


def test_context_redefines_units_inside_and_only_there(ours):
    context = pint.Context("long_feet")
    context.redefine("foot = 2 m")
    ours.add_context(context)

    def lengths():
        return [round((2 * unit).m_as("m"), 4) for unit in (ours.foot, ours.kilofoot, held) for _ in range(3)]

    held = ours.foot
    outside, inside = [0.6096] * 3 + [609.6] * 3 + [0.6096] * 3, [4] * 3 + [4000] * 3 + [4] * 3
    assert lengths() == outside
    with ours.context("long_feet"):
        assert lengths() == inside
    assert lengths() == outside


def test_unit_first_seen_inside_a_context_serves_afterwards(ours):
    context = pint.Context("long_feet")
    context.redefine("foot = 2 m")
    ours.add_context(context)
    with ours.context("long_feet"):
        held = ours.megafoot
        assert str(2 * held) == "2 megafoot"
    assert [str(factor * held) for factor in (1, 2, 3)] == ["1 megafoot", "2 megafoot", "3 megafoot"]


def test_enabled_context_counts_until_it_is_disabled(ours):
    wavelength = 1 * ours.angstrom
    ours.enable_contexts("spectroscopy")
    assert wavelength.to(ours.keV).magnitude == pytest.approx(12.398, rel=1e-4)
    ours.disable_contexts()
    with pytest.raises(pint.DimensionalityError):
        wavelength.to(ours.keV)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copied_registry_multiplies_into_its_own_quantities(duplicate, ours):
    for _ in range(3):
        2 * ours.mm
    other = duplicate(ours)
    for _ in range(3):
        length = 2 * other.mm
        assert type(length) is other.Quantity
        assert length + 1 * other.m == other.Quantity(1002, "mm")


def test_definition_in_a_copy_stays_there(ours):
    other = copy.deepcopy(ours)
    other.define("smoot = 1.7 meter")
    assert "smoot" in other
    assert "smoot" not in ours


@pytest.mark.parametrize("operate", [operator.add, operator.lt, operator.mul])
def test_quantities_of_other_registries_do_not_mix(operate, plain):
    with pytest.raises(ValueError, match="different registries"):
        operate(1 * q.mm, 1 * plain.mm)


@pytest.mark.parametrize("value", [2 * q.mm, 2.5 * q.mm / q.s, q.um, q.Quantity(20, q.degC), [4, 5] * q.mm], ids=str)
def test_pickled_value_comes_back_into_the_registry(value):
    back = pickle.loads(pickle.dumps(value))
    assert type(back) is type(value)
    assert repr(back) == repr(value)


def test_registry_is_the_one_of_the_application():
    assert pint.get_application_registry().get() is q
    assert pint.Quantity(1, "mm") + 1 * q.mm == 2 * q.mm


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (2 * q.s, 2.0),
        (1500 * q.ms, 1.5),
        (1 * q.min, 60.0),
        (3, 3.0),
        (0.25, 0.25),
        (0, 0.0),
        (float("inf"), float("inf")),
        (float("inf") * q.s, float("inf")),
        (np.float32(0.5), 0.5),
        (np.int64(2) * q.s, 2.0),
        (np.array(2) * q.s, 2.0),
        (1 * q.mm / (2 * q.mm / q.s), 0.5),
    ],
    ids=str,
)
def test_time_in_seconds(time, expected):
    value = seconds(time)
    assert type(value) is float
    assert value == expected


def test_time_of_another_registry_is_a_time(plain):
    assert seconds(300 * plain.ms) == 0.3


@pytest.mark.parametrize(
    ("time", "error", "message"),
    [
        (5 * q.mm, ValueError, "expected a time such as 2 * q.s or a number of seconds, not 5 mm"),
        (3 * q.dimensionless, ValueError, "expected a time such as 2 * q.s or a number of seconds, not 3"),
        (q.Quantity(20, q.degC), ValueError, "expected a time such as 2 * q.s or a number of seconds, not 20 °C"),
        ("2 s", TypeError, "expected a time such as 2 * q.s or a number of seconds, not '2 s'"),
        (True, TypeError, "expected a time such as 2 * q.s or a number of seconds, not True"),
        (np.True_, TypeError, "expected a time such as 2 * q.s or a number of seconds, not np.True_"),
        (None, TypeError, "expected a time such as 2 * q.s or a number of seconds, not None"),
        (1j, TypeError, "expected a time such as 2 * q.s or a number of seconds, not 1j"),
        (q.s, TypeError, "expected a time such as 2 * q.s or a number of seconds, not <Unit('second')>"),
        ([1, 2] * q.s, TypeError, "expected a time such as 2 * q.s or a number of seconds, not [1 2] s"),
        (-1, ValueError, "expected a time of 0 s or more, not -1"),
        (-1 * q.ms, ValueError, "expected a time of 0 s or more, not -1 ms"),
        (float("nan"), ValueError, "expected a time of 0 s or more, not nan"),
        (float("nan") * q.s, ValueError, "expected a time of 0 s or more, not nan s"),
    ],
    ids=str,
)
def test_what_is_no_time_is_refused_by_name(time, error, message):
    with pytest.raises(error) as caught:
        seconds(time)
    assert str(caught.value) == message


def test_of_many_values_their_number_and_mean_are_shown():
    assert shown(np.full((8, 8), 7.0) * q.count) == "8×8 values, mean 7 count"
    assert shown(np.arange(20)) == "20 values, mean 9.5"
    assert shown([1.0, 2.0] * q.mm) == "[1.0 2.0] mm"
