import pytest

from concert.devices.tango import unit_of
from concert.quantities import q


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mm", q.mm),
        (" mm ", q.mm),
        ("µm", q.um),
        ("μm", q.um),
        ("microns", q.um),
        ("mm/s", q.mm / q.s),
        ("mm/sec", q.mm / q.s),
        ("deg/sec", q.deg / q.s),
        ("degree", q.deg),
        ("Degrees", q.deg),
        ("°", q.deg),
        ("mrad", q.mrad),
        ("msec", q.ms),
        ("Seconds", q.s),
        ("kHz", q.kHz),
        ("Volts", q.V),
        ("mAmps", q.mA),
        ("keV", q.keV),
        ("Angstrom", q.angstrom),
        ("C", q.degC),
        ("°C", q.degC),
        ("deg C", q.degC),
        ("Celsius", q.degC),
        ("K", q.K),
        ("mbar", q.mbar),
        ("%", q.percent),
        ("counts", q.count),
        ("cts/s", q.count / q.s),
        ("pixels", q.pixel),
        ("l/min", q.l / q.min),
        ("mm^2", q.mm**2),
        ("", q.dimensionless),
        ("No unit", q.dimensionless),
        ("a.u.", q.dimensionless),
    ],
)
def test_spellings_are_known(text, unit):
    assert unit_of(text) == unit


@pytest.mark.parametrize(
    "text", ["crates of ale", "Bananas", "mm!", "(", "3 mm", "__import__('os')", "mm" * 500, "steps"]
)
def test_other_text_is_no_unit(text):
    assert unit_of(text) is None
