"""Motors: what a driver has to write, and what it gets for that."""

import math
import threading
from typing import Any

import pytest

from concert.async_ import KillException
from concert.base import (
    AccessorNotImplementedError,
    HardLimitError,
    LimitError,
    LockError,
    ReadAccessError,
    SoftLimitError,
    StoppedError,
    TransitionNotAllowed,
    UnitError,
    WriteAccessError,
    refusing,
)
from concert.devices.motors.base import (
    ContinuousLinearMotor,
    ContinuousRotationMotor,
    LinearMotor,
    Motor,
    RotationMotor,
)
from concert.quantities import q
from tests.devices_for_tests import LATE, concurrent, elsewhere, is_free, until


class Driver(LinearMotor):
    """A driver as in a manual; *told* is what the controller was told. It stands there at once."""

    def __init__(self, name: Any = "stage"):
        super().__init__(name)
        self.told: list[str] = []
        self.at = 0.0
        self.says = "standby"

    def _get_position(self):
        return self.at * q.um

    def _set_position(self, position):
        self.told.append(f"to {position.magnitude:g}")
        self.at = position.m_as(q.um)

    def _get_state(self):
        return self.says

    def _stop(self):
        self.told.append("stop")


class Hanging(Driver):
    """It moves until it is stopped."""

    def __init__(self):
        super().__init__()
        self.begun, self.stopped = threading.Event(), threading.Event()

    def _set_position(self, position):
        self.told.append(f"to {position.magnitude:g}")
        self.says = "moving"
        self.begun.set()
        assert self.stopped.wait(LATE)
        self.says = "standby"


class StopsByStop(Hanging):
    """The driver has ``_stop``."""

    def _stop(self):
        self.told.append("stop")
        self.stopped.set()


class StopsByCancel(Hanging):
    """The driver has ``_cancel_position``."""

    _stop = Motor._stop

    def _cancel_position(self):
        self.told.append("stop")
        self.stopped.set()


@pytest.mark.parametrize(
    ("kind", "unit", "parameters"),
    [
        (LinearMotor, q.mm, ["position", "state"]),
        (RotationMotor, q.deg, ["position", "state"]),
        (ContinuousLinearMotor, q.mm, ["position", "state", "velocity"]),
        (ContinuousRotationMotor, q.deg, ["position", "state", "velocity"]),
    ],
)
def test_the_kinds_of_motors(kind, unit, parameters):
    motor = kind()
    assert [value.name for value in motor] == parameters
    assert motor["position"].unit == unit
    if "velocity" in motor:
        assert motor["velocity"].unit == unit / q.s
    assert (motor.main_parameter, motor["position"].tolerance, motor.name) == ("position", None, kind.__name__)


def test_a_driver_says_only_what_the_manual_says():
    motor = Driver()
    motor.position = 1500 * q.um
    assert motor.told == ["to 1.5"]
    assert motor.position == 1.5 * q.mm


def test_without_accessors_there_is_nothing_to_read_or_write():
    with pytest.raises(ReadAccessError):
        _ = LinearMotor().position
    with pytest.raises(WriteAccessError):
        LinearMotor().position = 1 * q.mm


@pytest.mark.parametrize("state", ["moving", "fault"])
@pytest.mark.parametrize(
    "act",
    [
        lambda motor: setattr(motor, "position", 1 * q.mm),
        lambda motor: motor.move(1 * q.mm).join(),
        lambda motor: motor.home().join(),
    ],
)
def test_only_a_motor_that_stands_can_be_sent_somewhere(state, act):
    motor = Driver()
    motor.says = state
    with pytest.raises(TransitionNotAllowed, match=rf"'standby' or 'hard-limit', not '{state}'"):
        act(motor)
    assert motor.told == []


# -- move --------------------------------------------------------------------------------------------------------


def test_a_move_adds_to_the_position():
    motor = Driver()
    for delta in (1 * q.mm, 500 * q.um, -0.1 * q.cm):
        motor.move(delta).join()
    assert motor.told == ["to 1", "to 1.5", "to 0.5"]


@pytest.mark.parametrize("delta", [1, "1 mm", None, 1 * q.s, q.mm], ids=repr)
def test_a_move_by_no_length_is_refused(delta):
    motor = Driver()
    with pytest.raises(UnitError, match=r"differences of stage\.position must be in mm, not"):
        motor.move(delta).join()
    assert motor.told == []


@pytest.mark.parametrize("delta", [2 * q.mm, float("nan") * q.mm], ids=str)
def test_a_move_out_of_the_limits_is_refused(delta):
    motor = Driver()
    motor["position"].upper = 1 * q.mm
    with pytest.raises(LimitError, match=r"stage\.position"):
        motor.move(delta).join()
    assert motor.told == []
    assert is_free(motor)


@pytest.mark.parametrize(
    ("begin", "delta", "limits", "end"),
    [
        (0.1 * q.mm, 0.2 * q.mm, (0 * q.mm, 0.3 * q.mm), 0.3),
        (0.1 * q.mm, 200 * q.um, (None, 0.3 * q.mm), 0.3),
        (0.3 * q.mm, -0.2 * q.mm, (0.1 * q.mm, None), 0.1),
        (0.1 * q.mm, 0.2 * q.mm, (None, None), 0.1 + 0.2),
    ],
)
def test_a_move_to_the_limit_is_not_refused_for_its_rounding(begin, delta, limits, end):
    class Exact(Driver):
        def _get_position(self):
            return begin

        def _set_position(self, position):
            self.sent = position.magnitude

    motor = Exact()
    motor["position"].lower, motor["position"].upper = limits
    motor.move(delta).join()
    assert motor.sent == end


@pytest.mark.parametrize("delta", [1e-9, 1e-12, math.inf])
def test_a_move_beyond_the_limit_is_refused_however_small(delta):
    motor = Driver()
    motor.at = 300.0
    motor["position"].upper = 0.3 * q.mm
    with pytest.raises(LimitError):
        motor.move(delta * q.mm).join()
    assert motor.told == []


def test_an_angle_is_not_moved_by_a_number():
    class Goniometer(RotationMotor):
        def _get_position(self):
            return 0 * q.deg

        def _set_position(self, position):
            raise AssertionError

    with pytest.raises(UnitError):
        Goniometer().move(5).join()


@concurrent
def test_moves_at_the_same_time_add_up():
    motor = Driver()
    for future in [motor.move(1 * q.mm) for _ in range(20)]:
        future.join(LATE)
    assert motor.position == 20 * q.mm


@concurrent
def test_a_move_that_waits_for_its_turn_does_not_begin_after_a_stop():
    motor = StopsByStop()
    futures = [motor.move(1 * q.mm) for _ in range(2)]
    assert motor.begun.wait(LATE)
    until(lambda: motor._exclusion.requests)
    motor.stop().join(LATE)
    assert [type(future.exception(LATE)) for future in futures] == [StoppedError, StoppedError]
    assert motor.told == ["to 1", "stop"]


# -- stop and cancel ---------------------------------------------------------------------------------------------


@concurrent
@pytest.mark.parametrize("kind", [StopsByStop, StopsByCancel])
@pytest.mark.parametrize("begin", [lambda motor: motor.set_position(1 * q.mm), lambda motor: motor.move(1 * q.mm)])
def test_stop_stops_with_whatever_the_driver_has(kind, begin):
    motor = kind()
    future = begin(motor)
    assert motor.begun.wait(LATE)
    motor.stop().join(LATE)
    assert isinstance(future.exception(LATE), StoppedError)
    assert motor.told == ["to 1", "stop"]
    assert motor.state == "standby"


@concurrent
@pytest.mark.parametrize("kind", [StopsByStop, StopsByCancel])
@pytest.mark.parametrize("begin", [lambda motor: motor.set_position(1 * q.mm), lambda motor: motor.move(1 * q.mm)])
def test_cancel_stops_with_whatever_the_driver_has(kind, begin):
    motor = kind()
    future = begin(motor)
    assert motor.begun.wait(LATE)
    future.cancel()
    assert motor.told == ["to 1", "stop"]
    assert isinstance(future.exception(), KillException)
    until(lambda: is_free(motor))


@pytest.mark.parametrize("stop", [lambda motor: motor.stop().join(), lambda motor: motor._cancel_position()])
def test_a_driver_that_cannot_stop_says_what_it_needs(stop):
    with pytest.raises(AccessorNotImplementedError, match=r"stage cannot be stopped: its driver needs a method _stop"):
        stop(LinearMotor("stage"))


def test_a_stop_passes_whatever_is_held_and_locked():
    motor = Driver()
    motor.lock(permanent=True)
    with motor, motor["position"]:
        elsewhere(lambda: motor.stop().join(LATE)).join(LATE)
    assert motor.told == ["stop"]


@concurrent
def test_a_held_motor_is_not_moved_by_others():
    motor = Driver()

    def use():
        with refusing():
            motor.move(1 * q.mm).join()

    with motor:
        assert isinstance(elsewhere(use).exception(LATE), LockError)
        motor.move(2 * q.mm).join()
        motor.position = 3 * q.mm
    assert motor.told == ["to 2", "to 3"]


# -- home --------------------------------------------------------------------------------------------------------


def test_a_driver_that_cannot_home_says_so():
    with pytest.raises(AccessorNotImplementedError, match="stage cannot be homed: its driver has no method _home"):
        Driver().home().join()


def test_a_driver_homes_in_its_own_way():
    class Homing(Driver):
        def _home(self):
            self.told.append("home")

    motor = Homing()
    motor.home().join()
    assert motor.told == ["home"]


class HomesItself(StopsByStop):
    """Its controller looks for the reference by itself."""

    def _home(self):
        self._set_position(0 * q.mm)


@concurrent
def test_cancelling_home_stops_the_motor():
    motor = HomesItself()
    future = motor.home()
    assert motor.begun.wait(LATE)
    future.cancel()
    assert motor.told == ["to 0", "stop"]
    assert isinstance(future.exception(), KillException)
    until(lambda: is_free(motor))


@concurrent
def test_home_fails_when_somebody_stops_the_motor():
    motor = HomesItself()
    future = motor.home()
    assert motor.begun.wait(LATE)
    motor.stop().join(LATE)
    assert isinstance(future.exception(LATE), StoppedError)
    assert str(future.exception()) == "stage was stopped on the way to its reference"
    assert motor.told == ["to 0", "stop"]


def test_a_driver_may_stop_the_motor_before_it_homes():
    class Homing(Driver):
        def _home(self):
            self.stop().join()
            self.told.append("home")

    motor = Homing()
    motor.home().join()
    motor.home().join()
    assert motor.told == ["stop", "home"] * 2
    assert not motor._exclusion.excused


@concurrent
def test_a_move_that_waits_for_a_set_that_stops_the_motor_itself_goes_on():
    class Stopping(StopsByStop):
        def _set_position(self, position):
            super()._set_position(position)
            self.stop().join()
            self.at = position.m_as(q.um)

    motor = Stopping()
    first = motor.set_position(1 * q.mm)
    assert motor.begun.wait(LATE)
    second = motor.move(1 * q.mm)
    until(lambda: motor._exclusion.requests)
    motor.stopped.set()
    first.join(LATE)
    second.join(LATE)
    assert motor.position == 2 * q.mm


# -- limits ------------------------------------------------------------------------------------------------------


class InSwitch(Driver):
    """It ends in a limit switch."""

    def _set_position(self, position):
        self.at = 700.0
        self.says = "hard-limit"


@pytest.mark.parametrize("tolerance", [None, 1 * q.um])
def test_running_into_a_limit_switch_is_an_error(tolerance):
    motor = InSwitch()
    motor["position"].tolerance = tolerance
    with pytest.raises(HardLimitError, match=r"stage\.position .*0\.7 mm.* 1 mm") as raised:
        motor.position = 1 * q.mm
    assert raised.value.state == motor.state == "hard-limit"
    assert motor.in_hard_limit


def test_a_motor_in_a_limit_switch_can_be_moved_out():
    class Leaving(Driver):
        def _set_position(self, position):
            self.says = "standby"

    motor = Leaving()
    motor.says = "hard-limit"
    motor.position = 0 * q.mm
    assert not motor.in_hard_limit


def test_soft_limits_come_first():
    motor = InSwitch()
    motor["position"].upper = 0.5 * q.mm
    with pytest.raises(SoftLimitError):
        motor.position = 1 * q.mm
    assert motor.state == "standby"


# -- continuous --------------------------------------------------------------------------------------------------


class Spindle(ContinuousRotationMotor):
    """A motor that keeps turning."""

    def __init__(self):
        super().__init__("spindle")
        self.turning = 0 * q.deg / q.s
        self.says = "standby"

    def _get_velocity(self):
        return self.turning

    def _set_velocity(self, velocity):
        self.turning = velocity

    def _get_state(self):
        return self.says

    def _stop(self):
        self.turning = 0 * q.deg / q.s


@pytest.mark.parametrize("state", ["standby", "moving", "hard-limit"])
def test_a_velocity_can_be_set_whether_it_moves_or_not(state):
    motor = Spindle()
    motor.says = state
    motor.velocity = 1 * q.rad / q.s
    assert motor.velocity.m_as(q.deg / q.s) == pytest.approx(57.3, rel=1e-3)


def test_a_broken_motor_takes_no_velocity():
    motor = Spindle()
    motor.says = "fault"
    with pytest.raises(TransitionNotAllowed, match=r"setting spindle\.velocity to 1 .* not 'fault'"):
        motor.velocity = 1 * q.deg / q.s


def test_stop_ends_continuous_motion():
    motor = Spindle()
    motor.velocity = 1 * q.deg / q.s
    motor.stop().join()
    assert motor.velocity == 0 * q.deg / q.s


@pytest.mark.parametrize("kind", [ContinuousLinearMotor, ContinuousRotationMotor])
def test_cancelling_a_velocity_stops(kind):
    stopped = []
    motor = type("Stopping", (kind,), {"_stop": lambda self: stopped.append(self)})()
    motor._cancel_velocity()
    assert stopped == [motor]
