"""Verbs that are no scans, as functions."""

import pytest

from concert.base import Parameter, Quantity, UnitError
from concert.devices.base import Device
from concert.devices.dummy import DummyDevice
from concert.quantities import q
from concert.session.verbs import ct, mv, mvr


class Heater(Device):
    """A temperature that is at once what it was set to."""

    main_parameter = "temperature"

    def __init__(self):
        super().__init__("heater")
        self.heat, self.level = q.Quantity(20.0, "degC"), 1

    temperature = Quantity(q.degC, fget=lambda self: self.heat, fset=lambda self, value: setattr(self, "heat", value))
    step = Parameter(fget=lambda self: self.level, fset=lambda self, value: setattr(self, "level", value))


@pytest.fixture
def heater():
    return Heater()


@pytest.mark.parametrize("delta", [1 * q.K, q.Quantity(1, "delta_degC"), q.Quantity(1, "degC")], ids=str)
def test_a_temperature_is_moved_by_degrees(heater, delta):
    mvr(heater, delta)
    assert heater.temperature.m_as("degC") == pytest.approx(21)


def test_a_temperature_is_moved_in_a_terminal(heater, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    mv(heater, q.Quantity(25, "degC"))
    assert heater.temperature.m_as("degC") == 25


def test_a_wrong_unit_is_refused(heater):
    with pytest.raises(UnitError, match=r"^differences of heater.temperature must be in Δ°C, not 1 mm$"):
        mvr(heater, 1 * q.mm)
    assert heater.heat == q.Quantity(20.0, "degC")


def test_what_has_no_unit_is_moved_by_a_number(heater):
    mvr(heater["step"], 2)
    assert heater.step == 3


def test_counting_takes_what_to_read_as_scans_do(capsys):
    ring, diode = DummyDevice(3 * q.mm, name="ring"), DummyDevice(4 * q.mm, name="diode")
    assert ct(read=ring) == {"ring": 3 * q.mm}
    assert ct(read=[ring, diode]) == ct(None, ring, diode) == {"ring": 3 * q.mm, "diode": 4 * q.mm}
    with pytest.raises(ValueError, match="give what to read once"):
        ct(None, ring, read=diode)


def test_counting_has_no_dry_run(capsys):
    with pytest.raises(ValueError, match="ct moves nothing and stores nothing, so it has no dry run"):
        ct(1 * q.s, dry_run=True)
    assert capsys.readouterr().out == ""
