"""Values and units as text: what comes back is what was stored."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from concert.quantities import q
from concert.storage import Column, unit_text

NAMES = sorted({name for name in q._units if name != "R_∞"})  # which pint itself cannot read
FACTORS = [name for name in NAMES if q._units[name].is_multiplicative]
PREFIXES = sorted(q._prefixes)
POWERS = (1, 2, 3, -1, -2, 0.5, -1.5, 1 / 3)


def comes_back(unit):
    text = unit_text(unit)
    return text.isascii() and q.Unit(text)._units == unit._units


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("um", "um"),
        ("micron", "micron"),  # whose symbol is a bare µ, and u is another unit
        ("angstrom", "angstrom"),
        ("degC", "degC"),
        ("delta_degC", "delta_degC"),
        ("degC / min", "delta_degC/min"),
        ("ohm", "ohm"),
        ("percent", "%"),
        ("permille", "permille"),
        ("mm ** 2", "mm^2"),
        ("mm / s", "mm/s"),
        ("1 / s", "1/s"),
        ("deg", "deg"),
        ("keV", "keV"),
        ("mu_0", "vacuum_permeability"),
        ("dimensionless", ""),
    ],
)
def test_a_unit_is_written_in_short_where_that_is_read_as_the_same(unit, text):
    assert unit_text(q.Unit(unit)) == text
    assert comes_back(q.Unit(unit))


def test_every_unit_comes_back_from_ascii():
    assert [name for name in NAMES if not comes_back(q.Unit(name))] == []


@given(st.lists(st.tuples(st.sampled_from(PREFIXES), st.sampled_from(FACTORS), st.sampled_from(POWERS)), max_size=3))
def test_what_is_made_of_units_comes_back_from_ascii(parts):
    unit = q.Unit("")
    for prefix, name, power in parts:
        assume(prefix + name in q)
        unit *= q.Unit(prefix + name) ** power
    assert comes_back(unit)


def test_points_and_metadata_in_micron_stay_lengths(catalogue, header):
    record = catalogue.begin(header(columns=(Column("stage", "positioner"),), metadata={"thickness": 5 * q.micron}))
    record.append((1 * q.micron,))
    record.append((2 * q.um,))
    record.finish("done")
    assert catalogue.last.metadata["thickness"].to(q.mm).m == pytest.approx(0.005)
    assert catalogue.last.data["stage"].m_as(q.um).tolist() == pytest.approx([1, 2])
    assert catalogue.search(thickness=5 * q.micron)
