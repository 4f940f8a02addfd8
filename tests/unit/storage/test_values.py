"""Values and units as text: what comes back is what was stored."""

import subprocess
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from concert.quantities import q
from concert.storage import Column, UnknownQuantity, unit_text

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


DEFINE = """
import os, sys
from concert.quantities import q
from concert.storage import Catalogue, Column, Header
q.define("sack = 3 * volt")
columns = Column("stage", "positioner"), Column("diode", "detector"), Column("sacks", "detector")
snapshot = {"mill": {"stock": 5 * q.sack}}
header = Header("scan", columns=columns, metadata={"left": [2 * q.sack], "sample": "rye"}, snapshot=snapshot)
record = Catalogue(sys.argv[1]).begin(header)
for number in range(3):
    record.append((number * q.mm, 2 * number * q.sack, [number, 1] * q.sack))
os._exit(9)
"""


@pytest.fixture
def sacks(catalogue, monkeypatch):
    """The catalogue with an interrupted scan of another process, in a unit that is defined there only."""
    monkeypatch.setattr("concert.storage._values._unknown", set())
    subprocess.run([sys.executable, "-c", DEFINE, catalogue.directory])
    return catalogue


def test_scans_in_a_unit_of_another_process_are_found_and_read_without_it(sacks, caplog):
    assert [scan.status for scan in sacks] == ["interrupted"]
    (scan,) = sacks.search(sample="rye")
    assert sacks.search(left=2 * q.V) == []
    assert scan.metadata == {"left": [UnknownQuantity(2, "sack")], "sample": "rye"}
    assert str(scan.snapshot_before["mill"]["stock"]) == "5 sack"
    assert scan.data["diode"].tolist() == [0, 2, 4]
    assert scan.data.peak == (2 * q.mm, 4)
    assert [row[1] for row in scan.rows()] == [0, 2, 4]
    assert caplog.text.count("the unit 'sack' is not known here: it has to be defined, with q.define") == 1


def test_the_file_has_the_text_of_a_unit_that_is_not_known(sacks):
    h5py = pytest.importorskip("h5py")
    with h5py.File(sacks.last.path) as file:
        assert [file["entry/data"][name].attrs["units"] for name in ("diode", "sacks")] == ["sack", "sack"]
        assert file["entry/data/diode"].attrs["long_name"] == "diode / sack"
        stock = file["entry/snapshots/before/mill/stock"]
        assert (stock[()], stock.attrs["units"]) == (5, "sack")


def test_a_scan_does_not_go_on_in_a_unit_that_is_not_known(sacks):
    record = sacks.reopen(1)
    with pytest.raises(ValueError, match=r"column 'diode' takes a quantity in sack .* is not defined here, not 1 V"):
        record.append((3 * q.mm, 1 * q.V, [3, 1] * q.V))
    assert record.durable == 3


def test_reading_a_catalogue_does_not_look_into_what_scans_were_given(catalogue, measured, monkeypatch):
    measured(metadata={"left": 2 * q.V})
    monkeypatch.setattr("concert.storage._values._revive", lambda entry: 1 / 0 if "@quantity" in entry else entry)
    scan = catalogue.search(status="done")[0]
    with pytest.raises(ZeroDivisionError):
        scan.metadata
