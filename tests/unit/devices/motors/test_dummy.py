"""Dummy motors: same base, same states, same limits, deterministic, and quick on the tests' clock."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from concert.async_ import KillException, wait
from concert.base import HardLimitError, SoftLimitError, StoppedError, TransitionNotAllowed
from concert.devices.motors import base, dummy
from concert.quantities import q
from tests.devices_for_tests import LATE, concurrent, is_free, until

KINDS = {
    dummy.LinearMotor: (base.LinearMotor, q.mm, 10),
    dummy.RotationMotor: (base.RotationMotor, q.deg, 30),
    dummy.ContinuousLinearMotor: (base.ContinuousLinearMotor, q.mm, 10),
    dummy.ContinuousRotationMotor: (base.ContinuousRotationMotor, q.deg, 30),
}
CONTINUOUS = [dummy.ContinuousLinearMotor, dummy.ContinuousRotationMotor]

kinds = pytest.mark.parametrize("kind", KINDS)
continuous = pytest.mark.parametrize("kind", CONTINUOUS)


def between_switches(kind=dummy.LinearMotor, **arguments):
    unit = KINDS[kind][1]
    return kind(hard_limits=(-5 * unit, 5 * unit), name="stage", **arguments)


@kinds
def test_each_is_a_motor_of_its_kind(kind):
    expected, unit, _speed = KINDS[kind]
    motor = kind(name="stage")
    assert isinstance(motor, expected)
    assert motor.name == "stage"
    assert motor["position"].unit == unit
    assert (motor.position, motor.state) == (0 * unit, "standby")


@kinds
def test_a_motion_takes_its_time_and_arrives(kind, concert_clock):
    _base, unit, speed = KINDS[kind]
    motor = kind()
    motor.position = 3 * speed * unit
    assert concert_clock.now == pytest.approx(3)
    assert motor.position == 3 * speed * unit
    assert motor.state == "standby"


def test_where_it_starts_and_how_fast_it_is_can_be_told(concert_clock):
    motor = dummy.LinearMotor(1 * q.m, speed=1 * q.cm / q.s)
    motor.position = 970 * q.mm
    assert concert_clock.now == pytest.approx(3)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(positions=st.lists(st.floats(-50, 50), max_size=3), speed=st.floats(10, 1e4))
def test_it_arrives_wherever_it_is_sent(concert_clock, positions, speed):
    motor = dummy.LinearMotor(speed=speed * q.mm / q.s)
    for position in positions:
        motor.position = position * q.mm
        assert motor.position == position * q.mm
        assert motor.state == "standby"


def test_it_takes_no_time_to_where_it_is(concert_clock):
    motor = dummy.LinearMotor(3 * q.mm)
    motor.position = 3 * q.mm
    assert concert_clock.now == 0


@concurrent
def test_on_its_way_it_is_moving_and_in_between(concert_clock):
    motor = dummy.LinearMotor()
    future = motor.set_position(10 * q.mm)
    concert_clock.advance(0.5)
    assert motor.state == "moving"
    assert motor.position.m_as(q.mm) == pytest.approx(5, abs=0.1)
    future.join()
    assert concert_clock.now == pytest.approx(1)


@concurrent
def test_motors_move_together(concert_clock):
    motors = [dummy.LinearMotor() for _ in range(5)]
    wait([motor.set_position(10 * q.mm) for motor in motors])
    assert concert_clock.now == pytest.approx(1)


@concurrent
def test_the_next_set_waits_for_the_one_before(concert_clock):
    motor = dummy.LinearMotor()
    wait([motor.set_position(10 * q.mm), motor.set_position(0 * q.mm)])
    assert concert_clock.now == pytest.approx(2)
    assert motor.position == 0 * q.mm


def test_move_is_relative(concert_clock):
    motor = dummy.LinearMotor(2 * q.mm)
    motor.move(-1 * q.cm).join()
    assert motor.position == -8 * q.mm


def test_home_is_zero(concert_clock):
    motor = dummy.RotationMotor(90 * q.deg)
    motor.home().join()
    assert motor.position == 0 * q.deg
    assert concert_clock.now == pytest.approx(3)


# -- stop and cancel ---------------------------------------------------------------------------------------------


BEGIN = {
    "position": lambda motor: motor.set_position(500 * q.mm),
    "move": lambda motor: motor.move(500 * q.mm),
    "home": lambda motor: motor.home(),
}


def begin(how, concert_clock):
    motor = dummy.LinearMotor(-500 * q.mm, name="stage")
    future = BEGIN[how](motor)
    until(lambda: motor.state == "moving")
    concert_clock.advance(0.1)
    return motor, future


def stands(motor, concert_clock):
    """Tell whether the motor stays where it is."""
    position = motor.position
    concert_clock.advance(1)
    return motor.position == position and motor.state == "standby" and -500 * q.mm < position < 0 * q.mm


@concurrent
@pytest.mark.parametrize("how", BEGIN)
def test_stop_really_stops(how, concert_clock):
    motor, future = begin(how, concert_clock)
    motor.stop().join()
    assert isinstance(future.exception(), StoppedError)
    assert "stage.position was stopped at -49" in str(future.exception())
    assert stands(motor, concert_clock)


@concurrent
@pytest.mark.parametrize("how", BEGIN)
def test_cancel_really_stops(how, concert_clock):
    motor, future = begin(how, concert_clock)
    future.cancel()
    assert isinstance(future.exception(), KillException)
    assert stands(motor, concert_clock)
    until(lambda: is_free(motor))


def test_stopping_what_stands_does_nothing(concert_clock):
    motor = between_switches()
    motor.stop().join()
    assert (motor.position, motor.state) == (0 * q.mm, "standby")
    with pytest.raises(HardLimitError):
        motor.position = 6 * q.mm
    motor.stop().join()
    assert motor.state == "hard-limit"


@concurrent
def test_after_a_stop_it_moves_again(concert_clock):
    motor, future = begin("position", concert_clock)
    motor.stop().join()
    future.exception()
    motor.position = 1 * q.mm
    assert motor.position == 1 * q.mm


# -- limits ------------------------------------------------------------------------------------------------------


@kinds
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("verified", [True, False])
def test_a_limit_switch_ends_the_motion(kind, sign, verified, concert_clock):
    unit = KINDS[kind][1]
    motor = between_switches(kind)
    if not verified:
        motor["position"].tolerance = None
    with pytest.raises(HardLimitError, match=r"stage\.position .*5"):
        motor.position = sign * 8 * unit
    assert (motor.position, motor.state) == (sign * 5 * unit, "hard-limit")
    assert motor.in_hard_limit


@kinds
def test_it_moves_out_of_a_limit_switch_and_not_farther_into_it(kind, concert_clock):
    unit = KINDS[kind][1]
    motor = between_switches(kind)
    for _ in range(2):
        with pytest.raises(HardLimitError):
            motor.position = 8 * unit
    assert motor.position == 5 * unit
    motor.position = 4 * unit
    assert (motor.position, motor.state) == (4 * unit, "standby")


def test_it_can_be_moved_out_by_home_and_by_move(concert_clock):
    motor = between_switches()
    with pytest.raises(HardLimitError):
        motor.move(8 * q.mm).join()
    motor.move(-1 * q.mm).join()
    assert motor.state == "standby"
    with pytest.raises(HardLimitError):
        motor.move(8 * q.mm).join()
    motor.home().join()
    assert (motor.position, motor.state) == (0 * q.mm, "standby")


def test_the_very_place_of_the_switch_can_be_reached(concert_clock):
    motor = between_switches()
    motor.position = 5 * q.mm
    assert motor.state == "standby"


def test_soft_limits_keep_it_from_the_switches(concert_clock):
    motor = between_switches()
    motor["position"].upper = 4 * q.mm
    with pytest.raises(SoftLimitError):
        motor.position = 8 * q.mm
    assert (concert_clock.now, motor.state) == (0, "standby")


# -- continuous motion -------------------------------------------------------------------------------------------


@continuous
def test_a_velocity_keeps_it_moving_until_it_is_zero(kind, concert_clock):
    unit = KINDS[kind][1]
    motor = kind()
    motor.velocity = -2 * unit / q.s
    assert (motor.state, concert_clock.now) == ("moving", 0)
    concert_clock.advance(3)
    assert motor.velocity == -2 * unit / q.s
    assert motor.position.m_as(unit) == pytest.approx(-6)
    motor.velocity = 0 * unit / q.s
    concert_clock.advance(3)
    assert motor.state == "standby"
    assert motor.velocity == 0 * unit / q.s
    assert motor.position.m_as(unit) == pytest.approx(-6)


@continuous
def test_a_velocity_can_be_changed_on_the_way(kind, concert_clock):
    unit = KINDS[kind][1]
    motor = kind()
    motor.velocity = 2 * unit / q.s
    concert_clock.advance(1)
    motor.velocity = -1 * unit / q.s
    concert_clock.advance(1)
    assert motor.position.m_as(unit) == pytest.approx(1)
    motor.stop().join()
    assert motor.state == "standby"


@continuous
def test_while_it_keeps_moving_it_cannot_be_sent_somewhere(kind, concert_clock):
    unit = KINDS[kind][1]
    motor = kind()
    motor.velocity = 1 * unit / q.s
    with pytest.raises(TransitionNotAllowed, match="'moving'"):
        motor.position = 1 * unit
    motor.stop().join()
    motor.position = 1 * unit


@continuous
def test_continuous_motion_ends_in_the_limit_switch(kind, concert_clock):
    unit = KINDS[kind][1]
    motor = between_switches(kind)
    motor.velocity = 1 * unit / q.s
    concert_clock.advance(100)
    assert (motor.state, motor.position, motor.velocity) == ("hard-limit", 5 * unit, 0 * unit / q.s)
    motor.velocity = 0 * unit / q.s  # that is no way out
    assert motor.state == "hard-limit"
    motor.velocity = 1 * unit / q.s
    assert (motor.state, motor.position) == ("hard-limit", 5 * unit)
    motor.velocity = -1 * unit / q.s
    concert_clock.advance(1)
    assert motor.state == "moving"
    assert motor.position.m_as(unit) == pytest.approx(4)
    motor.stop().join()


@continuous
def test_it_is_restored_to_where_it_was(kind, concert_clock):
    unit = KINDS[kind][1]
    motor = kind(5 * unit)
    motor.stash().join()
    motor.position = 0 * unit
    motor.restore().join()
    assert (motor.position, motor.state) == (5 * unit, "standby")


def test_two_motors_that_do_the_same_are_at_the_same_place(concert_clock):
    motors = [dummy.ContinuousLinearMotor() for _ in range(2)]
    for motor in motors:
        motor.velocity = math.pi * q.mm / q.s
    concert_clock.advance(1.2345)
    assert motors[0].position == motors[1].position
    wait([motor.stop() for motor in motors], LATE)
