"""Every device is found, wherever a session keeps it."""

import pytest

from concert.devices.motors.dummy import LinearMotor
from concert.session import inventory
from concert.session.inventory import every_device, include
from concert.session.loader import load, make_importable


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch):
    monkeypatch.setattr(inventory, "_namespaces", [])


def test_devices_are_found_under_private_names_and_in_containers():
    a, b, c, d = (LinearMotor() for _ in range(4))
    found = every_device({"_a": a, "b": b, "c": [1, c], "d": {"x": d}, "again": b, "n": 1})
    assert found == {"b": b, "c[1]": c, "d['x']": d, "_a": a}


def test_devices_of_imported_sessions_count(sessions, session):
    make_importable()
    session("optics", "from concert.devices.motors.dummy import LinearMotor\nstage = LinearMotor()\n")
    path = session(
        "imaging",
        "import optics\nfrom concert.devices.motors.dummy import LinearMotor\nstage = LinearMotor()\n",
    )
    module = load(path)
    found = every_device()
    assert {id(device) for device in found.values()} == {id(module.stage), id(module.optics.stage)}
    assert len(found) == 2


def test_a_namespace_that_contains_itself_is_no_trouble():
    names = {"stage": LinearMotor()}
    names["names"] = names
    include(names)
    include(names)
    assert list(every_device()) == ["stage"]


def test_devices_of_the_same_name_are_both_found():
    one, other = LinearMotor(), LinearMotor()
    assert every_device({"stage": one}, {"stage": other}) == {"stage": one, "stage (2)": other}
