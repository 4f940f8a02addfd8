import random
import statistics

import pytest

from concert.simulation._axis import Axis
from concert.simulation._rocking_curve import RockingCurve
from concert.simulation.aerotech import Controller, main

CURVE = RockingCurve(centre=11.0, fwhm=0.014, height=1.0, background=0.01, lorentzian=0.3)


class Bench:
    """A controller with two axes on a desk whose time passes only when told to."""

    def __init__(self, **options):
        self.now = 0.0
        axes = [Axis(name, -100.0, 100.0, velocity=10.0, acceleration=10.0) for name in "XY"]
        self._controller = Controller(axes, lambda: self.now, CURVE, **options)

    def say(self, *lines):
        """Return the reply to the last of *lines*."""
        return [self._controller.reply(line) for line in lines][-1]


@pytest.fixture
def bench():
    bench = Bench()
    bench.say("ENABLE X", "ENABLE Y")
    return bench


def test_motion_is_acknowledged_at_once_and_takes_its_time(bench):
    assert bench.say("MOVEABS X 30") == "%"
    assert bench.say("PFBK(X)") == "%0.000000"
    bench.now = 2.0
    assert bench.say("PFBK(X)") == "%15.000000"
    assert bench.say("VFBK(X)") == "%10.000000"
    assert bench.say("AXISSTATUS(X)") == "%5"
    bench.now = 4.0
    assert bench.say("PFBK(X)") == "%30.000000"
    assert bench.say("AXISSTATUS(X)") == "%1"


def test_axes_are_independent(bench):
    bench.say("MOVEABS X 30", "MOVEINC Y -30")
    bench.now = 4.0
    assert bench.say("PFBK(X)") == "%30.000000"
    assert bench.say("PFBK(Y)") == "%-30.000000"


def test_motion_takes_a_velocity(bench):
    assert bench.say("MOVEABS X 30 5") == "%"
    bench.now = 2.0
    assert bench.say("VFBK(X)") == "%5.000000"


def test_axis_runs_freely(bench):
    assert bench.say("FREERUN X -2.5") == "%"
    bench.now = 10.0
    assert bench.say("VFBK(X)") == "%-2.500000"
    assert bench.say("FREERUN X 1") == "!X is in motion"
    assert bench.say("FREERUN X 0") == "%"
    bench.now = 11.0
    assert bench.say("AXISSTATUS(X)") == "%1"


def test_velocity_is_set_and_told(bench):
    assert bench.say("VELOCITY X 2.5") == "%"
    assert bench.say("VELOCITY(X)") == "%2.500000"
    assert bench.say("VELOCITY(Y)") == "%10.000000"


def test_abort_stops_a_motion(bench):
    bench.say("MOVEABS X 30")
    bench.now = 2.0
    assert bench.say("ABORT X") == "%"
    bench.now = 3.0
    assert bench.say("PFBK(X)") == "%20.000000"
    assert bench.say("AXISSTATUS(X)") == "%1"


def test_homing_is_told(bench):
    bench.say("MOVEABS X 30")
    bench.now = 4.0
    assert bench.say("HOME X") == "%"
    assert bench.say("AXISSTATUS(X)") == "%13"
    bench.now = 8.0
    assert bench.say("AXISSTATUS(X)") == "%3"


def test_end_of_the_travel_is_a_fault(bench):
    bench.say("MOVEABS X 500")
    bench.now = 11.0
    assert bench.say("PFBK(X)") == "%100.000000"
    assert bench.say("AXISSTATUS(X)") == "%97"
    assert bench.say("AXISFAULT(X)") == "%4"
    assert bench.say("MOVEABS X 0") == "#X has a fault: upper limit"
    assert bench.say("FAULTACK X") == "%"
    assert bench.say("MOVEABS X 101") == "!X stands at its limit 100, 101 is out of its travel"
    assert bench.say("MOVEABS X 0") == "%"


def test_fault_can_be_provoked(bench):
    bench.say("MOVEABS X 30")
    assert bench.say("SIMFAULT X") == "%"
    assert bench.say("AXISFAULT(X)") == "%1"
    assert bench.say("AXISSTATUS(X)") == "%64"
    assert bench.say("ENABLE X") == "#X has a fault: position error"
    assert bench.say("AXISFAULT(Y)") == "%0"
    assert bench.say("FAULTACK X", "ENABLE X") == "%"


def test_disabled_axis_refuses_to_move(bench):
    assert bench.say("DISABLE X") == "%"
    assert bench.say("MOVEABS X 30") == "!X is not enabled"


@pytest.mark.parametrize("line", ["moveabs x 30", "  MOVEABS   X  30 \r", "MoveAbs X +3e1"])
def test_case_and_blanks_do_not_matter(bench, line):
    assert bench.say(line) == "%"
    bench.now = 4.0
    assert bench.say(" pfbk ( x ) ") == "%30.000000"


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("", "!expected a command, not ''"),
        ("GO X", "!expected a command, not 'GO X'"),
        ("50\xb5", "!expected a command, not '50\\u039c'"),
        ("ENABLE", "!expected ENABLE <axis>"),
        ("ENABLE X Y", "!expected ENABLE <axis>"),
        ("ENABLE Z", "!expected one of the axes X, Y, not 'Z'"),
        ("MOVEABS X", "!expected MOVEABS <axis> <position> [<velocity>]"),
        ("MOVEABS X 1 2 3", "!expected MOVEABS <axis> <position> [<velocity>]"),
        ("MOVEABS X far", "!expected a number, not 'FAR'"),
        ("MOVEABS X nan", "!expected a number, not 'NAN'"),
        ("MOVEABS X inf", "!expected a number, not 'INF'"),
        ("MOVEABS X 1 0", "!expected a velocity above 0, not 0"),
        ("VELOCITY X -1", "!expected a velocity above 0, not -1"),
        ("PFBK X", "!expected a command, not 'PFBK X'"),
        ("PFBK()", "!expected one of the axes X, Y, not ''"),
        ("PFBK(X,Y)", "!expected PFBK, VFBK, VELOCITY, AXISSTATUS, AXISFAULT of (<axis>) or AIN(<axis>,0)"),
        ("WHAT(X)", "!expected PFBK, VFBK, VELOCITY, AXISSTATUS, AXISFAULT of (<axis>) or AIN(<axis>,0)"),
        ("AIN(X,1)", "!expected analogue input 0, not '1'"),
        ("AIN(Z,0)", "!expected one of the axes X, Y, not 'Z'"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(bench, line, reply):
    assert bench.say(line) == reply
    assert bench.say("AXISSTATUS(X)") == "%1"
    assert bench.say("VELOCITY(X)") == "%10.000000"


def test_analogue_input_shows_the_rocking_curve_of_the_first_axis(bench):
    bench.say("MOVEABS X 11", "MOVEABS Y 50")
    bench.now = 10.0
    assert bench.say("AIN(X,0)") == "%1.010000"
    assert bench.say("AIN(Y,0)") == "%1.010000"
    bench.say("MOVEINC X 0.007")
    bench.now = 20.0
    assert bench.say("AIN(X,0)") == "%0.510000"


def test_noise_is_that_of_the_generator():
    def voltages(seed):
        bench = Bench(noise=0.002, generator=random.Random(seed))
        return [float(bench.say("AIN(X,0)")[1:]) for _ in range(1000)]

    assert voltages(1) == voltages(1) != voltages(2)
    assert statistics.fmean(voltages(1)) == pytest.approx(0.01, abs=0.0003)
    assert statistics.stdev(voltages(1)) == pytest.approx(0.002, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--axes", "X"], "expected axes such as X:-180:180, not 'X'"),
        (["--axes", "X:1:2"], "expected a travel of axis X around 0 deg, not 1 to 2 deg"),
        (["--time-scale", "0"], "expected a number above 0, not '0'"),
        (["--velocity", "fast"], "argument --velocity: invalid"),
    ],
)
def test_options_are_checked(options, message, capsys):
    with pytest.raises(SystemExit):
        main(options)
    assert message in capsys.readouterr().err
