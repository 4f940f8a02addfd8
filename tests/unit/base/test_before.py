"""What parameters tell before they are set: what they would refuse, how long it takes, who holds them."""

import numpy as np
import pytest

from concert.base import Parameter, Quantity, UnitError, check
from concert.base._state import State, states_to_set
from concert.devices.base import Device
from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor, RotationMotor
from concert.quantities import q
from tests.devices_for_tests import LATE, Stage, concurrent, elsewhere


@pytest.fixture
def position():
    return Stage("stage")["position"]  # from 0 mm to 10 mm


def test_values_are_inside_below_above_or_no_numbers(position):
    values = [-0.1, 0, 5, 10, 10.1, np.nan] * q.mm
    assert position.sides(values).tolist() == [-1, 0, 0, 0, 1, 2]
    assert position.sides(values.to(q.um)).tolist() == [-1, 0, 0, 0, 1, 2]
    assert position.sides([] * q.mm).tolist() == []


def test_of_arrays_every_element_counts():
    corner = Stage("stage")["corner"]  # two numbers from -1 mm to 1 mm
    assert corner.sides([[0, 0], [0, 2], [-2, 0], [1, np.nan]] * q.mm).tolist() == [0, 1, -1, 2]


def test_without_limits_everything_is_inside_that_is_a_number():
    assert DummyDevice()["value"].sides([-1e30, np.inf, np.nan] * q.mm).tolist() == [0, 0, 2]


def test_a_wrong_unit_or_shape_is_raised_as_by_a_set(position):
    with pytest.raises(UnitError, match=r"stage.position must be given in mm, not 1 s"):
        position.sides([1, 2] * q.s)
    with pytest.raises(ValueError, match="must be a single value"):
        position.sides([[1, 2]] * q.mm)


def test_a_driver_tells_how_long_a_set_takes():
    assert LinearMotor(speed=2 * q.mm / q.s)["position"].estimate(1 * q.mm, 5 * q.mm) == 2 * q.s
    way = RotationMotor(speed=10 * q.deg / q.s)["position"]
    assert way.estimate([0, 20] * q.deg, [20, -20] * q.deg).m_as(q.s).tolist() == [2, 4]
    assert DummyDevice(delay=3 * q.s)["value"].estimate([0, 1] * q.mm, [1, 1] * q.mm).m_as(q.s).tolist() == [3, 3]


def test_a_driver_may_say_nothing_about_it(position):
    assert position.estimate(0 * q.mm, 1 * q.mm) is None


@concurrent
def test_holders_are_those_who_let_others_wait(position):
    assert position.holders() == []

    def held():
        return elsewhere(position.holders).result(LATE)

    with position.device:
        assert held() == ["the main program"]
        assert position.holders() == []
    with position:
        assert held() == ["the main program"]
    with position.device["mode"]:
        assert held() == []
    assert held() == []


def test_the_states_in_which_it_may_be_set():
    class Valve(Device):
        state = State(default="closed")
        free = Parameter(fset=lambda self, value: None)
        any_state = Parameter(fset=lambda self, value: None, check=check())
        opening = Quantity(q.percent, check=check(source=["open", "closed"], target="open"))
        twice = Quantity(q.percent, check=check(source=["open", "closed"]))

        @check(source="open")
        def _set_twice(self, value):
            pass

        def _set_opening(self, value):
            pass

    valve = Valve()
    assert states_to_set(valve["free"]) is None
    assert states_to_set(valve["any_state"]) is None
    assert states_to_set(valve["opening"]) == ("open", "closed")
    assert states_to_set(valve["twice"]) == ("open",)
    assert states_to_set(valve["state"]) is None
