import logging
import time

import pytest

from concert.base import (
    AccessorNotImplementedError,
    HardLimitError,
    SoftLimitError,
    StateError,
    StoppedError,
    ToleranceError,
    TransitionNotAllowed,
)
from concert.devices.motors import base
from concert.devices.motors.tango import ContinuousRotationMotor, LinearMotor, RotationMotor, TangoMotor
from concert.devices.tango import _motors
from concert.networking.tango import TangoConnectionError
from concert.quantities import q
from tests.servers import unused_port

pytest.importorskip("tango")

CONCURRENT = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
RUNTIMES = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)


@pytest.fixture
def stage(simulated_tango):
    """A linear motor at 0 mm."""
    motor = LinearMotor(simulated_tango.uri("sim/motor/stage"), name="stage", timeout=20)
    _bring_home(motor)
    yield motor
    motor.close()


@pytest.fixture
def bragg(simulated_tango):
    """A rotation motor that can keep turning, at 0 deg."""
    motor = ContinuousRotationMotor(simulated_tango.uri("sim/motor/bragg"), name="bragg", timeout=20)
    _bring_home(motor)
    yield motor
    motor.stop().join()
    motor.close()


def _bring_home(motor):
    motor.stop().join()
    motor.position = 0 * motor["position"].unit


def test_motors_are_motors(stage, bragg):
    assert isinstance(stage, base.LinearMotor)
    assert isinstance(bragg, base.ContinuousRotationMotor)
    assert (stage.main_parameter, stage["position"].unit, bragg["position"].unit) == ("position", q.mm, q.deg)


@RUNTIMES
def test_set_is_over_when_the_motor_stands_there(stage, concert_runtime):
    stage.position = 2 * q.mm
    assert stage.state == "standby"
    assert stage.position == 2 * q.mm
    stage.move(-500 * q.um).join()
    assert stage.position == 1.5 * q.mm


@RUNTIMES
def test_time_of_motions_is_reckoned_from_the_speed(stage, bragg, concert_runtime):
    speed = stage.tango.read_attribute("Speed").value  # in mm/s
    times = stage["position"].estimate([0, 5] * q.mm, [10, 0] * q.mm)
    assert times.m_as(q.s) == pytest.approx([10 / speed, 5 / speed])
    assert bragg["position"].estimate(0 * q.deg, 10 * q.deg).check("[time]")


def test_time_of_motions_is_not_reckoned_from_what_is_no_speed(simulated_tango):
    motor = LinearMotor(simulated_tango.uri("sim/motor/stage"), name="stage", timeout=20, speed="Position")
    assert motor["position"].estimate(0 * q.mm, 10 * q.mm) is None
    motor.close()


@CONCURRENT
def test_state_is_moving_meanwhile(stage, until, concert_runtime):
    future = stage.set_position(40 * q.mm)
    until(lambda: stage.state == "moving")
    assert not future.done()
    future.join()
    assert stage.state == "standby"


def test_limits_are_the_servers(stage):
    assert (stage["position"].lower, stage["position"].upper) == (-60 * q.mm, 60 * q.mm)
    with pytest.raises(SoftLimitError, match=r"^stage.position 61 mm is outside its soft limits \[-60 mm, 60 mm\]$"):
        stage.position = 61 * q.mm


def test_alarm_is_a_hard_limit(stage):
    with pytest.raises(HardLimitError, match=r"^stage.position is 50 mm and not within 0.01 mm of 55 mm: it ran into"):
        stage.position = 55 * q.mm
    assert stage.state == "hard-limit"
    assert stage.in_hard_limit
    stage.position = 45 * q.mm  # out of it
    assert stage.state == "standby"


def test_alarm_is_a_hard_limit_where_nothing_is_verified(stage):
    stage["position"].tolerance = None
    with pytest.raises(HardLimitError, match=r"^stage.position ran into a limit switch at 50 mm on the way to 55 mm$"):
        stage.position = 55 * q.mm


@RUNTIMES
def test_stop_stops_and_the_set_fails(stage, until, concert_runtime):
    if concert_runtime == "sync":
        stage.tango.Position = 40.0
        stage.stop().join()
    else:
        future = stage.set_position(40 * q.mm)
        until(lambda: stage.state == "moving")
        stage.stop().join()
        with pytest.raises(StoppedError, match=r"^stage.position was stopped at .* on the way to 40 mm$"):
            future.result()
    assert stage.state == "standby"
    assert stage.position < 40 * q.mm


@CONCURRENT
def test_cancel_stops_the_motor(stage, until, concert_runtime):
    future = stage.set_position(40 * q.mm)
    until(lambda: stage.state == "moving")
    future.cancel()
    assert stage.state == "standby"
    assert 0 * q.mm < stage.position < 40 * q.mm


@CONCURRENT
def test_stop_of_another_client_is_noticed(stage, simulated_tango, until, concert_runtime):
    other = LinearMotor(simulated_tango.uri("sim/motor/stage"))
    future = stage.set_position(40 * q.mm)
    until(lambda: other.state == "moving")
    other.stop().join()
    with pytest.raises(ToleranceError, match=r"^stage.position is .* and not within 0.01 mm of 40 mm$"):
        future.result()


def test_home_goes_to_the_reference(stage):
    stage.position = 5 * q.mm
    stage.home().join()
    assert stage.position == 0 * q.mm


def test_move_to_where_it_stands_is_over_soon(stage):
    began = time.monotonic()
    for _ in range(5):
        stage.position = 0 * q.mm
    assert time.monotonic() - began < 2


def test_motion_is_refused_while_it_moves(stage):
    stage.tango.Position = 40.0
    with pytest.raises(TransitionNotAllowed, match=r"^setting stage.position to 1 mm needs state .* not 'moving'$"):
        stage.position = 1 * q.mm


def test_continuous_motor_keeps_turning(bragg, until):
    bragg.velocity = 30 * q.deg / q.s
    assert bragg.state == "moving"
    until(lambda: bragg.position > 3 * q.deg)
    bragg.velocity = -30 * q.deg / q.s
    until(lambda: bragg.velocity < 0 * q.deg / q.s)
    bragg.velocity = 0 * q.deg / q.s
    assert bragg.state == "standby"


def test_position_is_fed_by_events(stage, until):
    seen = []
    stage["position"].subscribe(lambda value: seen.append(value.get().result()))
    stage.tango.Position = 10.0
    until(lambda: 10 * q.mm in seen)


def test_any_motor_takes_the_servers_unit(simulated_tango):
    motor = TangoMotor(simulated_tango.uri("sim/motor/bragg"), tolerance=1 * q.mrad)
    assert motor["position"].unit == q.deg
    assert motor["position"].tolerance == 1 * q.mrad
    assert (motor["position"].lower, motor["position"].upper) == (-200 * q.deg, 200 * q.deg)


def test_limits_of_ones_own_stay(start_server):
    server = start_server("concert.simulation.tango")
    server.kill()
    stage = LinearMotor(server.uri("sim/motor/stage"))
    stage["position"].upper = 20 * q.mm
    server.start()
    _wait_until_it_answers(stage)
    assert (stage["position"].lower, stage["position"].upper) == (None, 20 * q.mm)


def _wait_until_it_answers(motor):
    deadline = time.monotonic() + 30
    while True:
        try:
            return motor.position
        except TangoConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_unit_has_to_come_from_somewhere(specimen_server):
    uri = specimen_server.uri("test/specimen/1")
    with pytest.raises(ValueError, match=r"^test/specimen/1 has no unit of Whole: give unit=q.mm, or whatever it is$"):
        LinearMotor(uri, position="Whole")
    with pytest.raises(ValueError, match=r"^test/specimen/1 tells the unit of Crates as 'crates of ale': give unit="):
        LinearMotor(uri, position="Crates")
    motor = LinearMotor(uri, position="Whole", unit=q.um)
    motor.tango.Whole = 7
    assert motor.position == 7 * q.um
    assert motor["position"].upper == 100 * q.um


def test_motor_without_commands_says_so(specimen_server):
    motor = LinearMotor(specimen_server.uri("test/specimen/1"), position="Number", name="m")
    with pytest.raises(AccessorNotImplementedError, match=r"^m cannot be stopped: it has none of the commands Stop, "):
        motor.stop().result()
    with pytest.raises(AccessorNotImplementedError, match=r"^m cannot be homed: it has none of the commands Home, "):
        motor.home().result()


def test_server_that_takes_the_value_at_once_is_arrived(specimen_server):
    motor = LinearMotor(specimen_server.uri("test/specimen/1"), position="Number", name="m")
    motor.tango.Become("ON")
    motor.position = 2 * q.mm
    assert motor.position == 2 * q.mm


@CONCURRENT
def test_fault_is_told_with_the_status(specimen_server, until, monkeypatch, concert_runtime):
    monkeypatch.setattr(_motors, "START_TIME", 60)
    motor = LinearMotor(specimen_server.uri("test/specimen/1"), position="Number", name="m")
    motor.tango.Become("ON")
    motor.tango.Number = 0.0
    motor["position"].tolerance = None
    future = motor.set_position(1 * q.mm)
    until(lambda: motor.tango.Number == 1)
    motor.tango.Become("FAULT")
    with pytest.raises(StateError, match=r"^m has a fault and stands at 1 mm: The device is in FAULT state.$"):
        future.result()
    motor.tango.Become("ON")


def test_motor_can_be_made_while_its_server_does_not_run(caplog):
    with caplog.at_level(logging.WARNING):
        motor = RotationMotor(f"tango://127.0.0.1:{unused_port()}/a/b/c#dbase=no", name="omega")
    assert "no connection to the server of a/b/c" in caplog.text
    with pytest.raises(TangoConnectionError) as caught:
        motor.position
    assert caught.value.__notes__ == ["while reading omega.position"]
