"""Quantities: units in and out, soft limits of each device, shapes, waiting with an allowance."""

import math

import numpy as np
import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from concert.async_ import dispatcher
from concert.base import LimitError, LockError, Parameterizable, Quantity, SoftLimitError, UnitError, quantity
from concert.base._quantity import LIMITS
from concert.helpers import WaitError
from concert.quantities import q
from tests.devices_for_tests import Stage, until


class Axis(Parameterizable):
    """A length; what reaches the driver is kept as it came."""

    x = Quantity(q.mm, help="A length")

    def __init__(self, answer=None):
        self.answer = answer

    def _get_x(self):
        return self.answer

    def _set_x(self, value):
        self.answer = value


def limited(lower=None, upper=None):
    device = Axis()
    device["x"].lower, device["x"].upper = lower, upper
    return device


# -- units -------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(number=st.floats(-1e6, 1e6), unit=st.sampled_from([q.mm, q.um, q.m, q.inch]))
def test_a_setter_always_receives_the_declared_unit(number, unit):
    device = Axis()
    device.x = number * unit
    assert device.answer.units == q.mm
    assert device.answer.magnitude == pytest.approx((number * unit).to(q.mm).magnitude)


@pytest.mark.parametrize("answer", [1500 * q.um, 0.0015 * q.m, 1.5 * q.mm, 1500 * pint.UnitRegistry().um], ids=str)
def test_a_getter_may_answer_in_any_compatible_unit(answer):
    value = Axis(answer).x
    assert value.units == q.mm
    assert value.magnitude == pytest.approx(1.5)


@pytest.mark.parametrize("answer", [5, None, "5 mm", 5 * q.s, q.mm], ids=repr)
def test_a_driver_that_answers_something_else_is_told_apart(answer):
    device = Axis(answer)
    device.name = "stage"
    with pytest.raises(UnitError, match=r"the driver of stage\.x answered .* instead of mm"):
        _ = device.x


def test_a_driver_may_answer_that_it_does_not_know():
    assert math.isnan(Axis(math.nan * q.um).x.magnitude)


@pytest.mark.parametrize("value", [5, 5.0, "5 mm", None, [5 * q.mm], [5], True, 5 * q.s, q.mm], ids=repr)
def test_what_is_no_length_never_reaches_the_driver(value):
    device = Axis("untouched")
    with pytest.raises(UnitError, match=r"Axis\.x must be given in mm, not"):
        device.x = value
    assert device.answer == "untouched"


@pytest.mark.parametrize("value", [2j * q.mm, q.Quantity(np.array(["a"]), q.mm)], ids=repr)
def test_a_length_is_a_real_number(value):
    device = Axis("untouched")
    with pytest.raises(ValueError, match=r"Axis\.x must be given in"):
        device.x = value
    assert device.answer == "untouched"


def test_a_value_of_another_registry_is_converted():
    device = Axis()
    device.x = 2 * pint.UnitRegistry().m
    assert device.answer == 2000 * q.mm


def test_a_dimensionless_quantity_takes_numbers():
    class Filter(Axis):
        x = Quantity(q.dimensionless, lower=0, upper=1)

    device = Filter()
    device.x = 0.5
    assert device.x == 0.5
    with pytest.raises(LimitError):
        device.x = 2


def test_an_angle_takes_no_number():
    class Goniometer(Axis):
        x = Quantity(q.deg)

    with pytest.raises(UnitError, match="must be given in deg, not 5"):
        Goniometer().x = 5


def test_the_unit_is_on_the_declaration_and_on_the_value():
    assert Axis.x.unit == q.mm
    assert Axis()["x"].unit == q.mm


def test_a_decorated_method_is_a_quantity_to_read():
    class Ring(Parameterizable):
        @quantity(q.mA)
        def current(self):
            """The stored beam."""
            return 0.1 * q.A

    ring = Ring()
    assert ring.current == 100 * q.mA
    assert ring["current"].help == "The stored beam."
    assert not ring["current"].writable


# -- soft limits -------------------------------------------------------------------------------------------------


@settings(max_examples=50)
@given(number=st.floats(-20, 20))
def test_exactly_what_lies_between_the_limits_is_taken(number):
    device = limited(-5 * q.mm, 0.01 * q.m)
    if -5 <= number <= 10:
        device.x = number * q.mm
        assert device.answer == number * q.mm
    else:
        with pytest.raises(SoftLimitError, match=r"Axis\.x .* mm is outside its soft limits \[-5 mm, 0\.01 m\]"):
            device.x = number * q.mm
        assert device.answer is None


@pytest.mark.parametrize(
    ("lower", "upper", "bad"), [(0 * q.mm, None, -1 * q.um), (None, 0 * q.mm, 1 * q.um), (None, None, None)]
)
def test_a_limit_may_be_missing(lower, upper, bad):
    device = limited(lower, upper)
    device.x = 0 * q.mm
    if bad is not None:
        with pytest.raises(SoftLimitError):
            device.x = bad


def test_limits_belong_to_one_device():
    class Declared(Axis):
        x = Quantity(q.mm, lower=0 * q.mm, upper=10 * q.mm)

    first, second = Declared(), Declared()
    first["x"].upper = 1 * q.mm
    assert second["x"].upper == 10 * q.mm
    second.x = 5 * q.mm
    with pytest.raises(SoftLimitError):
        first.x = 5 * q.mm


def test_a_limit_is_kept_as_it_was_given():
    assert str(limited(upper=1 * q.m)["x"].upper) == "1 meter"


@pytest.mark.parametrize("value", [math.nan * q.mm, math.nan * q.m, np.array([0, math.nan]) * q.mm], ids=str)
@pytest.mark.parametrize("device", [limited(), limited(0 * q.mm, 1 * q.mm)], ids=["unlimited", "limited"])
def test_not_a_number_is_a_limit_error(device, value):
    with pytest.raises(LimitError, match=r"Axis\.x cannot be .*nan.* mm|m; its soft limits are \["):
        device.x = value
    assert device.answer is None


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (2 * q.mm, 1 * q.mm),
        (1 * q.mm, 1 * q.mm),
        (1 * q.m, 2 * q.mm),
        ([0, 2] * q.mm, 1 * q.mm),
        ([0, 0] * q.mm, [1, 1, 1] * q.mm),
    ],
    ids=str,
)
def test_limits_with_nothing_between_them_are_refused(lower, upper):
    device = limited(lower)
    with pytest.raises(ValueError, match=r"the lower limit .* of Axis\.x is not below its upper limit"):
        device["x"].upper = upper
    assert device["x"].upper is None


@pytest.mark.parametrize("limit", [5, "5 mm", 5 * q.s, q.mm], ids=repr)
def test_a_limit_has_the_parameters_dimension(limit):
    with pytest.raises(UnitError, match=r"limits of Axis\.x must be in mm, not"):
        Axis()["x"].lower = limit


@pytest.mark.parametrize("limit", [math.nan * q.mm, 1j * q.mm], ids=repr)
def test_a_limit_is_a_number(limit):
    with pytest.raises(ValueError, match=r"cannot be a limit of Axis\.x"):
        Axis()["x"].lower = limit


def test_a_refused_limit_changes_nothing():
    device = limited(0 * q.mm, 1 * q.mm)
    with pytest.raises(ValueError, match="not below"):
        device["x"].lower = 2 * q.mm
    assert device["x"].lower == 0 * q.mm
    device.x = 0.5 * q.mm


@pytest.mark.parametrize(
    ("lower", "upper", "good", "bad"),
    [
        (0 * q.mm, 1 * q.mm, [0, 1], [0, 2]),
        ([0, 10] * q.mm, [1, 11] * q.mm, [1, 10], [10, 1]),
        ([0, 10] * q.mm, None, [5, 50], [5, 5]),
        (None, [1, 2] * q.cm, [10, 20], [20, 10]),
    ],
)
def test_limits_hold_for_each_element(lower, upper, good, bad):
    device = limited(lower, upper)
    device.x = good * q.mm
    with pytest.raises(SoftLimitError):
        device.x = bad * q.mm
    assert list(device.answer.magnitude) == good


def test_limits_for_elements_hold_for_a_single_number():
    device = limited([0, 10] * q.mm, None)
    device.x = 10 * q.mm
    with pytest.raises(SoftLimitError):
        device.x = 5 * q.mm


def test_an_array_has_to_fit_its_limits():
    with pytest.raises(ValueError, match="shape of its limits"):
        limited([0, 10] * q.mm, None).x = [1, 2, 3] * q.mm


def test_locked_limits_stay():
    device = limited(0 * q.mm, 1 * q.mm)
    device["x"].lock_limits()
    assert device["x"].limits_locked
    for side in ("lower", "upper"):
        with pytest.raises(LockError, match=r"the limits of Axis\.x are locked"):
            setattr(device["x"], side, 0.5 * q.mm)
    device["x"].unlock_limits()
    assert not device["x"].limits_locked
    device["x"].upper = 2 * q.mm
    device.x = 2 * q.mm


def test_permanently_locked_limits_stay_for_ever():
    device = limited(0 * q.mm, 1 * q.mm)
    device["x"].lock_limits(permanent=True)
    device["x"].lock_limits()
    with pytest.raises(LockError, match=r"limits of Axis\.x are permanently locked"):
        device["x"].unlock_limits()
    with pytest.raises(LockError, match="permanently locked"):
        device["x"].upper = 2 * q.mm


def test_locked_limits_do_not_lock_the_value():
    device = limited(0 * q.mm, 1 * q.mm)
    device["x"].lock_limits(permanent=True)
    device.x = 1 * q.mm
    assert device.x == 1 * q.mm


# -- shapes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1 * q.mm, [1] * q.mm, [1, 1, 1] * q.mm, [[1, 1]] * q.mm], ids=str)
def test_an_array_of_another_shape_is_refused(value):
    stage = Stage("stage")
    with pytest.raises(ValueError, match=r"stage\.corner must be an array of shape \(2,\), not"):
        stage.corner = value
    assert stage.written == []


@pytest.mark.parametrize("value", [[1] * q.mm, [1, 2] * q.mm], ids=str)
def test_a_single_value_is_no_array(value):
    stage = Stage("stage")
    with pytest.raises(ValueError, match=r"stage\.position must be a single value, not"):
        stage.position = value
    assert stage.written == []


@pytest.mark.parametrize("value", [5, 5.0, np.float64(5), np.int32(5), np.array(5.0)], ids=repr)
def test_numbers_of_numpy_are_numbers(value):
    stage = Stage()
    stage.position = q.Quantity(value, q.mm)
    assert stage.position == 5 * q.mm


# -- waiting -----------------------------------------------------------------------------------------------------


class Drifting(Parameterizable):
    """It goes up by 0.3 mm from one look to the next."""

    x = Quantity(q.mm)
    reads = 0

    def _get_x(self):
        self.reads += 1
        return 300 * self.reads * q.um


def test_wait_without_allowance_waits_for_the_very_value(concert_clock):
    device = Drifting()
    device["x"].wait(0.12 * q.cm)
    assert device.reads == 4
    assert concert_clock.now == pytest.approx(0.3)


def test_wait_without_allowance_does_not_take_what_is_near(concert_clock):
    with pytest.raises(WaitError):
        Drifting()["x"].wait(1 * q.mm, timeout=2 * q.s)


@pytest.mark.parametrize("eps", [0.15 * q.mm, 150 * q.um])
def test_wait_with_an_allowance_ends_when_it_is_near_enough(concert_clock, eps):
    device = Drifting()
    device["x"].wait(1 * q.mm, eps=eps, sleep_time=2 * q.s)
    assert device.reads == 3
    assert concert_clock.now == pytest.approx(4)


def test_a_wait_that_takes_too_long_tells_everything(concert_clock):
    device = Stage("stage")
    with pytest.raises(WaitError, match=r"stage\.position is 1 mm .* be within 10 µm of 5 mm"):
        device["position"].wait(5 * q.mm, eps=10 * q.um, timeout=1 * q.s)
    assert concert_clock.now == pytest.approx(1)
    with pytest.raises(WaitError, match=r"stage\.position is 1 mm .* be 5 mm"):
        device["position"].wait(5 * q.mm, timeout=1 * q.s)


@pytest.mark.parametrize(("value", "eps"), [(5, None), (5 * q.s, None), (5 * q.mm, 1), (5 * q.mm, 1 * q.s)])
def test_wait_refuses_what_can_never_be(value, eps):
    with pytest.raises(UnitError, match=r"of Drifting\.x must be in mm, not"):
        Drifting()["x"].wait(value, eps=eps)


def test_an_allowance_for_a_temperature_is_a_difference(concert_clock):
    class Oven(Parameterizable):
        temperature = Quantity(q.degC)

        def _get_temperature(self):
            return q.Quantity(20.4, "degC")

    Oven()["temperature"].wait(q.Quantity(20, "degC"), eps=0.5 * q.delta_degC, timeout=0 * q.s)
    with pytest.raises(WaitError):
        Oven()["temperature"].wait(q.Quantity(20, "degC"), eps=0.3 * q.K, timeout=0 * q.s)


def test_wait_takes_arrays(concert_clock):
    stage = Stage()
    stage["corner"].wait([0, 0] * q.mm, timeout=0 * q.s)
    with pytest.raises(WaitError):
        stage["corner"].wait([0, 0.5] * q.mm, eps=0.1 * q.mm, timeout=0 * q.s)


def test_changes_of_limits_are_told():
    device, heard = Axis(), []
    dispatcher.subscribe(device["x"], LIMITS, lambda value: heard.append(value.shown_limits()))
    device["x"].upper = 5 * q.mm
    until(lambda: heard == ["[none, 5 mm]"])
    with pytest.raises(ValueError, match="is not below"):
        device["x"].lower = 6 * q.mm
    device["x"].lower = 0 * q.mm
    until(lambda: heard[1:] == ["[0 mm, 5 mm]"])
