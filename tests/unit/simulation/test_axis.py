import pytest
from hypothesis import given
from hypothesis import strategies as st

from concert.simulation._axis import Axis, Fault, FaultError, RefusedError, Status, braking, rest, trapezoid

positions = st.floats(-180, 180, allow_subnormal=False)
rates = st.floats(0.01, 1000)


@pytest.fixture
def axis():
    """An enabled axis that needs 1 s and 5 deg to reach its velocity of 10 deg/s, and as much to stop."""
    axis = Axis("X", -100.0, 100.0, velocity=10.0, acceleration=10.0)
    axis.enable(0.0)
    return axis


# -- motions --------------------------------------------------------------------------------------------------------


def test_long_motion_speeds_up_cruises_and_slows_down():
    motion = trapezoid(100.0, 0.0, 30.0, velocity=10.0, acceleration=10.0)
    assert motion.end == 104.0
    assert [motion.at(100.0 + time) for time in (0, 0.5, 1, 2, 3, 3.5, 4, 5)] == [
        (0.0, 0.0),
        (1.25, 5.0),
        (5.0, 10.0),
        (15.0, 10.0),
        (25.0, 10.0),
        (28.75, 5.0),
        (30.0, 0.0),
        (30.0, 0.0),
    ]


def test_short_motion_does_not_reach_the_velocity():
    motion = trapezoid(0.0, 0.0, -2.5, velocity=10.0, acceleration=10.0)
    assert motion.end == 1.0
    assert motion.at(0.5) == (-1.25, -5.0)


@given(positions, positions, rates, rates)
def test_motion_begins_and_ends_where_it_should(start, target, velocity, acceleration):
    motion = trapezoid(0.0, start, target, velocity, acceleration)
    # A way that is too short for floating point is done at once.
    assert motion.at(0.0) == (pytest.approx(start, abs=1e-12), 0.0)
    assert motion.at(max(motion.end, 0.0)) == (target, 0.0)


@given(positions, positions, rates, rates, st.floats(0, 1))
def test_motion_stays_on_its_way_and_within_its_velocity(start, target, velocity, acceleration, part):
    motion = trapezoid(0.0, start, target, velocity, acceleration)
    position, speed = motion.at(part * max(motion.end, 0.0))
    assert min(start, target) - 1e-9 <= position <= max(start, target) + 1e-9
    assert abs(speed) <= velocity * (1 + 1e-9)


@given(positions, positions, rates, rates, st.floats(0, 1))
def test_motion_does_not_jump(start, target, velocity, acceleration, part):
    motion = trapezoid(0.0, start, target, velocity, acceleration)
    time, step = part * max(motion.end, 0.0), 1e-6
    distance = abs(motion.at(time + step)[0] - motion.at(time)[0])
    assert distance <= velocity * step + 1e-9


def test_braking_takes_as_long_as_speeding_up():
    motion = braking(2.0, trapezoid(0.0, 0.0, 30.0, velocity=10.0, acceleration=10.0), acceleration=10.0)
    assert motion.at(2.0) == (15.0, 10.0)
    assert motion.at(2.5) == (18.75, 5.0)
    assert motion.end == 3.0
    assert motion.at(3.0) == (20.0, 0.0)


def test_braking_at_rest_changes_nothing():
    assert braking(1.0, rest(5.0), acceleration=10.0) == rest(5.0)


# -- what an axis does ----------------------------------------------------------------------------------------------


def test_axis_moves_to_its_target(axis):
    axis.move(0.0, 30.0)
    assert axis.position(2.0) == 15.0
    assert axis.actual_velocity(2.0) == 10.0
    assert axis.position(4.0) == 30.0
    assert axis.actual_velocity(4.0) == 0.0


def test_axis_moves_by_a_distance(axis):
    axis.move(0.0, 30.0)
    axis.move_by(10.0, -40.0)
    assert axis.position(100.0) == -10.0


def test_motion_may_bring_its_own_velocity(axis):
    axis.move(0.0, 30.0, 5.0)
    assert axis.actual_velocity(2.0) == 5.0
    axis.move(10.0, 0.0)
    assert axis.actual_velocity(12.0) == -10.0


def test_velocity_is_for_the_motions_to_come(axis):
    axis.set_velocity(0.0, 5.0)
    axis.move(0.0, 30.0)
    axis.set_velocity(0.0, 1.0)
    assert axis.actual_velocity(2.0) == 5.0


@pytest.mark.parametrize("velocity", [0.0, -1.0])
def test_velocity_is_positive(axis, velocity):
    with pytest.raises(RefusedError, match=r"^expected a velocity above 0, not "):
        axis.set_velocity(0.0, velocity)
    with pytest.raises(RefusedError, match=r"^expected a velocity above 0, not "):
        axis.move(0.0, 30.0, velocity)
    assert axis.status(0.0) == Status.ENABLED


def test_status_follows_the_motion(axis):
    axis.move(0.0, 30.0)
    assert axis.status(3.9) == Status.ENABLED | Status.MOVING
    assert axis.status(4.0) == Status.ENABLED


def test_second_motion_is_refused_while_the_first_goes_on(axis):
    axis.move(0.0, 30.0)
    with pytest.raises(RefusedError, match=r"^X is in motion$"):
        axis.move(1.0, 0.0)
    with pytest.raises(RefusedError, match=r"^X is in motion$"):
        axis.home(1.0)
    axis.move(4.0, 0.0)


def test_axis_moves_only_when_enabled(axis):
    axis.disable(0.0)
    with pytest.raises(RefusedError, match=r"^X is not enabled$"):
        axis.move(0.0, 30.0)


def test_disabled_axis_stops_at_once(axis):
    axis.move(0.0, 30.0)
    axis.disable(2.0)
    assert axis.position(3.0) == 15.0
    assert axis.status(2.0) == Status(0)


def test_aborted_axis_slows_down_and_stops(axis):
    axis.move(0.0, 30.0)
    axis.abort(2.0)
    assert axis.status(2.9) == Status.ENABLED | Status.MOVING
    assert axis.position(3.0) == 20.0
    assert axis.status(3.0) == Status.ENABLED


def test_abort_at_rest_does_nothing(axis):
    axis.abort(1.0)
    assert axis.status(1.0) == Status.ENABLED


def test_running_axis_keeps_its_velocity_until_it_is_stopped(axis):
    axis.run(0.0, -2.0)
    assert axis.actual_velocity(10.0) == -2.0
    axis.run(10.0, 0.0)
    assert axis.actual_velocity(11.0) == 0.0
    assert axis.status(11.0) == Status.ENABLED


def test_running_axis_stops_at_the_end_of_its_travel(axis):
    axis.run(0.0, 10.0)
    assert axis.position(11.0) == 100.0
    assert axis.faults(11.0) == Fault.UPPER_LIMIT


def test_axis_without_end_runs_for_ever():
    axis = Axis("X", float("-inf"), float("inf"), velocity=10.0, acceleration=10.0)
    axis.enable(0.0)
    axis.run(0.0, 10.0)
    assert axis.position(1000.0) == 9995.0
    assert axis.status(1000.0) == Status.ENABLED | Status.MOVING
    axis.abort(1000.0)
    assert axis.position(2000.0) == 10000.0


def test_homing_ends_at_the_reference(axis):
    axis.move(0.0, 30.0)
    axis.home(10.0)
    assert axis.status(11.0) == Status.ENABLED | Status.MOVING | Status.HOMING
    assert axis.status(14.0) == Status.ENABLED | Status.HOMED
    assert axis.position(14.0) == 0.0


def test_homing_at_the_reference_ends_at_once(axis):
    axis.home(0.0)
    assert axis.status(0.0) == Status.ENABLED | Status.HOMED


def test_aborted_homing_does_not_count(axis):
    axis.move(0.0, 30.0)
    axis.home(10.0)
    axis.abort(11.0)
    assert axis.status(20.0) == Status.ENABLED


def test_homed_axis_stays_homed(axis):
    axis.home(0.0)
    axis.move(0.0, 30.0)
    axis.disable(10.0)
    assert axis.status(10.0) == Status.HOMED


# -- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "limit", "fault", "bit"),
    [
        (500.0, 100.0, Fault.UPPER_LIMIT, Status.UPPER_LIMIT),
        (100.0, 100.0, Fault.UPPER_LIMIT, Status.UPPER_LIMIT),
        (-500.0, -100.0, Fault.LOWER_LIMIT, Status.LOWER_LIMIT),
        (-100.0, -100.0, Fault.LOWER_LIMIT, Status.LOWER_LIMIT),
    ],
)
def test_motion_to_a_limit_stops_there_with_a_fault(axis, target, limit, fault, bit):
    axis.move(0.0, target)
    assert axis.faults(10.0) == Fault(0)
    assert axis.position(11.0) == limit
    assert axis.faults(11.0) == fault
    assert axis.status(11.0) == Status.ENABLED | Status.FAULT | bit


def test_axis_at_its_limit_moves_only_away_from_it(axis):
    axis.move(0.0, 500.0)
    axis.acknowledge(20.0)
    assert axis.status(20.0) == Status.ENABLED | Status.UPPER_LIMIT
    with pytest.raises(RefusedError, match=r"^X stands at its limit 100, 101 is out of its travel$"):
        axis.move_by(20.0, 1.0)
    axis.move_by(20.0, -30.0)
    assert axis.status(30.0) == Status.ENABLED


def test_fault_keeps_the_axis_from_moving_until_it_is_acknowledged(axis):
    axis.move(0.0, 500.0)
    for action in (axis.enable, axis.home, lambda now: axis.move(now, 0.0)):
        with pytest.raises(FaultError, match=r"^X has a fault: upper limit$"):
            action(20.0)
    axis.acknowledge(20.0)
    axis.home(20.0)


def test_lost_axis_stops_and_is_switched_off(axis):
    axis.move(0.0, 30.0)
    axis.fail(2.0)
    assert axis.position(3.0) == 15.0
    assert axis.faults(3.0) == Fault.POSITION_ERROR
    assert axis.status(3.0) == Status.FAULT
    axis.acknowledge(3.0)
    axis.enable(3.0)
    assert axis.status(3.0) == Status.ENABLED


def test_faults_add_up(axis):
    axis.move(0.0, 500.0)
    axis.fail(20.0)
    with pytest.raises(FaultError, match=r"^X has a fault: position error, upper limit$"):
        axis.enable(20.0)


def test_state_does_not_depend_on_how_often_one_looks():
    def state_after(times):
        axis = Axis("X", -100.0, 100.0, velocity=10.0, acceleration=10.0)
        axis.enable(0.0)
        axis.move(0.0, 500.0)
        for time in times:
            axis.status(time)
        return axis.position(50.0), axis.status(50.0), axis.faults(50.0)

    assert state_after([]) == state_after([1.0, 5.0, 11.0, 30.0])


# -- making one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lower", "upper"), [(0.0, 1.0), (-1.0, 0.0), (1.0, -1.0), (1.0, 2.0), (float("nan"), 1.0)])
def test_reference_is_within_the_travel(lower, upper):
    with pytest.raises(ValueError, match=r"^expected a travel of axis X around 0 deg, not "):
        Axis("X", lower, upper, 10.0, 10.0)


@pytest.mark.parametrize(("velocity", "acceleration"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_velocity_and_acceleration_are_positive(velocity, acceleration):
    with pytest.raises(ValueError, match=r"^expected velocity and acceleration above 0, not "):
        Axis("X", -10.0, 10.0, velocity, acceleration)
