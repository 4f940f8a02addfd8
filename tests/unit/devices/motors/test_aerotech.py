"""Aerotech axes: their conversation, as the manual has it."""

import pytest

from concert.base import HardLimitError, StateError, TransitionNotAllowed
from concert.devices.motors.aerotech import ContinuousRotationMotor, LinearMotor
from concert.quantities import q
from concert.testing import expected_conversation

STANDBY = ("AXISSTATUS(X)", "%1")
READY = [STANDBY, STANDBY]  # the state is checked, then whether the axis is enabled


def test_position_is_read_in_degrees():
    with expected_conversation(ContinuousRotationMotor, [("PFBK(X)", "%1.5")]) as motor:
        assert motor.position == 1.5 * q.deg


def test_position_of_a_linear_axis_is_read_in_millimetres():
    with expected_conversation(LinearMotor, [("PFBK(X)", "%1.5")]) as motor:
        assert motor.position == 1.5 * q.mm


def test_a_set_waits_until_the_axis_stands_and_reads_back():
    moving = ("AXISSTATUS(X)", "%5")
    talk = [*READY, ("MOVEABS X 1.5", "%"), moving, moving, STANDBY, ("PFBK(X)", "%1.5")]
    with expected_conversation(ContinuousRotationMotor, talk) as motor:
        motor.position = 1.5 * q.deg


def test_values_arrive_in_the_controllers_unit():
    talk = [*READY, ("MOVEABS X 90", "%"), STANDBY, ("PFBK(X)", "%90")]
    with expected_conversation(ContinuousRotationMotor, talk) as motor:
        motor.position = q.Quantity(0.25, "turn")


def test_an_axis_that_is_off_is_enabled_first():
    off = ("AXISSTATUS(X)", "%0")
    talk = [off, off, ("ENABLE X", "%"), ("MOVEABS X 1", "%"), STANDBY, ("PFBK(X)", "%1")]
    with expected_conversation(ContinuousRotationMotor, talk) as motor:
        motor.position = 1 * q.deg


def test_running_into_a_limit_switch_is_an_error():
    limit = [("AXISSTATUS(X)", "%97"), ("AXISFAULT(X)", "%4")]
    talk = [*READY, ("MOVEABS X 500", "%"), *limit, ("PFBK(X)", "%180"), *limit]
    with expected_conversation(ContinuousRotationMotor, talk) as motor:
        with pytest.raises(HardLimitError, match=r"ContinuousRotationMotor.position is (180 deg|180°)"):
            motor.position = 500 * q.deg


def test_the_axis_leaves_a_limit_switch():
    limit = [("AXISSTATUS(X)", "%97"), ("AXISFAULT(X)", "%4")]
    talk = [
        *limit,
        *limit,
        ("FAULTACK X", "%"),
        ("MOVEABS X 1", "%"),
        STANDBY,
        ("PFBK(X)", "%1"),
    ]
    with expected_conversation(ContinuousRotationMotor, talk) as motor:
        motor.position = 1 * q.deg


def test_an_axis_with_a_fault_is_not_moved():
    fault = [("AXISSTATUS(X)", "%64"), ("AXISFAULT(X)", "%1")]
    with expected_conversation(ContinuousRotationMotor, fault) as motor:
        with pytest.raises(TransitionNotAllowed, match="not 'fault'"):
            motor.position = 1 * q.deg


def test_a_lost_axis_is_not_moved_out_of_its_limit_switch():
    lost = [("AXISSTATUS(X)", "%96"), ("AXISFAULT(X)", "%5")]
    with expected_conversation(ContinuousRotationMotor, lost) as motor:
        with pytest.raises(TransitionNotAllowed, match="not 'fault'"):
            motor.position = 1 * q.deg


def test_a_fault_that_comes_just_before_a_motion_is_not_acknowledged():
    fault = [("AXISSTATUS(X)", "%64"), ("AXISFAULT(X)", "%1")]
    with expected_conversation(ContinuousRotationMotor, [STANDBY, *fault, ("PFBK(X)", "%0.25")]) as motor:
        with pytest.raises(StateError, match=r"has a fault and stands at 0\.25.*; reset\(\) acknowledges it") as raised:
            motor.position = 1 * q.deg
        assert raised.value.state == "fault"


def test_a_fault_during_a_motion_is_an_error():
    fault = [("AXISSTATUS(X)", "%64"), ("AXISFAULT(X)", "%1")]
    talk = [*READY, ("MOVEABS X 1", "%"), *fault, ("PFBK(X)", "%0.25")]
    with expected_conversation(ContinuousRotationMotor, talk) as motor:
        with pytest.raises(StateError, match=r"has a fault and stands at 0\.25") as raised:
            motor.position = 1 * q.deg
        assert raised.value.state == "fault"


def test_reset_acknowledges_a_fault():
    fault = [("AXISSTATUS(X)", "%64"), ("AXISFAULT(X)", "%1")]
    with expected_conversation(ContinuousRotationMotor, [*fault, ("FAULTACK X", "%"), STANDBY]) as motor:
        motor.reset().join()


def test_a_refused_command_is_told_with_the_controllers_own_words():
    talk = [*READY, ("MOVEABS X 1", "!X is in motion")]
    with expected_conversation(ContinuousRotationMotor, talk) as motor:
        with pytest.raises(ValueError, match="refused 'MOVEABS X 1': X is in motion"):
            motor.position = 1 * q.deg


@pytest.mark.parametrize("stop", [lambda motor: motor.stop().join(), lambda motor: motor._cancel_position()])
def test_stop_waits_until_the_axis_stands(stop):
    braking = ("AXISSTATUS(X)", "%5")
    with expected_conversation(ContinuousRotationMotor, [("ABORT X", "%"), braking, braking, STANDBY]) as motor:
        stop(motor)


def test_an_axis_with_a_fault_can_be_stopped():
    fault = [("AXISSTATUS(X)", "%64"), ("AXISFAULT(X)", "%1")]
    with expected_conversation(ContinuousRotationMotor, [("ABORT X", "%"), *fault]) as motor:
        motor.stop().join()


def test_home_waits_for_the_reference():
    homing = ("AXISSTATUS(X)", "%13")
    with expected_conversation(ContinuousRotationMotor, [*READY, ("HOME X", "%"), homing, STANDBY]) as motor:
        motor.home().join()


def test_velocity_starts_a_motion_and_zero_ends_it():
    start = [STANDBY, ("ABORT X", "%"), STANDBY, STANDBY, ("FREERUN X 2.5", "%"), ("VFBK(X)", "%2.5")]
    end = [("AXISSTATUS(X)", "%5"), ("ABORT X", "%"), STANDBY]
    with expected_conversation(ContinuousRotationMotor, [*start, *end]) as motor:
        motor.velocity = 2.5 * q.deg / q.s
        assert motor.velocity == 2.5 * q.deg / q.s
        motor.velocity = 0 * q.deg / q.s
