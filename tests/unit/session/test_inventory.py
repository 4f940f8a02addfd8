"""Every device is found, wherever a session keeps it."""

from weakref import WeakValueDictionary

import pytest

from concert.devices import base
from concert.devices.motors.dummy import LinearMotor
from concert.helpers import Bunch
from concert.session import inventory
from concert.session.inventory import every_device, include
from concert.session.loader import load, make_importable


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch):
    monkeypatch.setattr(inventory, "_namespaces", [])
    monkeypatch.setattr(base, "_made", WeakValueDictionary())


def test_devices_are_found_under_private_names_and_in_containers():
    a, b, c, d = (LinearMotor() for _ in range(4))
    found = every_device({"_a": a, "b": b, "c": [1, c], "d": {"x": d}, "again": b, "n": 1})
    assert found == {"b": b, "c[1]": c, "d['x']": d, "_a": a}


def test_devices_are_found_in_containers_in_containers():
    a, b, c, d = (LinearMotor() for _ in range(4))
    around = [d]
    around.append(around)
    found = every_device({"motors": Bunch({"x": a}), "nested": {"a": [b]}, "pairs": [(c, 1)], "around": around})
    assert found == {"motors.x": a, "nested['a'][0]": b, "pairs[0][0]": c, "around[0]": d}


def test_a_device_that_is_kept_where_nobody_looks_is_found_by_its_own_name():
    class Setup:
        def __init__(self, motor):
            self.motor = motor

    hidden, among_data, stage = LinearMotor(name="hidden"), LinearMotor(), LinearMotor()
    names = {"setup": Setup(hidden), "data": [among_data] * 10000, "hidden": stage}
    assert every_device(names) == {"hidden": stage, "hidden (2)": hidden, "LinearMotor": among_data}


def test_a_device_that_cannot_tell_its_name_is_found():
    class Nameless(LinearMotor):
        @property
        def name(self):
            raise ConnectionError

    device = Nameless()
    assert every_device() == {"Nameless": device}


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
