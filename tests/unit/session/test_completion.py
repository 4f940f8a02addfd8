"""What Tab offers after a verb."""

import pytest

from concert.base import Parameter, Quantity
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q
from concert.session.completion import complete


class Mono(Device):
    main_parameter = "energy"
    energy = Quantity(q.keV)
    crystal = Parameter()
    current = Quantity(q.mA)

    def _set_energy(self, energy):
        raise AssertionError("completing sets nothing")

    def _get_energy(self):
        raise AssertionError("completing reads nothing")

    def _set_crystal(self, crystal):
        pass

    def _get_current(self):
        return 1 * q.mA


NAMES = {
    "stage": LinearMotor(),
    "stage_2": LinearMotor(),
    "_hidden": LinearMotor(),
    "mono": Mono(),
    "start": 7,
    "mv": print,
    "wm": print,
    "ascan": print,
    "ct": print,
}


def offered(line):
    found = complete(line, ["mv", "wm", "ascan", "ct", "umv"], NAMES)
    return None if found is None else found.words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mv st", ["stage", "stage_2"]),
        ("mv ", ["mono", "stage", "stage_2"]),
        ("mv nothing", []),
        ("mv stage 3 mm mo", ["mono"]),
        ("wm stage mo", ["mono"]),
        ("mv mono.en", ["mono.energy"]),
        ("mv mono.", ["mono.crystal", "mono.energy"]),
        ("wm mono.c", ["mono.current"]),
        ("mv stage 3", []),
    ],
)
def test_devices_and_parameters(line, words):
    assert offered(line) == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mv stage 3 m", ["mm", "m"]),
        ("mv stage -3.5e1 u", ["um"]),
        ("mv stage 3m", ["3mm", "3m"]),
        ("mv mono 8 k", ["keV"]),
        ("mv mono.energy 8 ", ["keV", "eV", "MeV", "J"]),
        ("mv mono 8 keV stage 3 c", ["cm"]),
        ("mv mono.crystal 3 m", []),
        (
            "ascan stage 0 mm 10 mm 20 0.1 ",
            ["mm", "um", "nm", "m", "cm", "pm", "angstrom", "s", "ms", "us", "min", "h"],
        ),
        ("ct 1 m", ["ms", "min"]),
        ("stage.position = 3 m", ["mm", "m"]),
        ("mono.energy=8k", ["8keV"]),
    ],
)
def test_units(line, words):
    assert offered(line) == words


@pytest.mark.parametrize(
    "line", ["st", "mv", "mv(st", "mv stage (3", "x = st", "print(stage)", "umv st", "mv start.re", "x.y = 3 m"]
)
def test_everything_else_is_left_to_python(line):
    found = offered(line)
    assert not found
