"""Helpers: waiting on a clock of the test's own, arguments checked, results remembered, small classes."""

import argparse
import copy
import inspect
import pickle
import time

import numpy as np
import pytest

from concert.helpers import Bunch, Command, Numeric, WaitError, busy_wait, expects, memoize
from concert.quantities import q


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.now = 1000.0
        self.sleeps = []

    def monotonic(self):
        return self.now

    def sleep(self, duration):
        self.sleeps.append(duration)
        self.now += duration


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock.monotonic)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    return clock


class Camera:
    pass


class Motor:
    pass


class PcoCamera(Camera):
    pass


# busy_wait


def test_true_condition_does_not_wait(clock):
    busy_wait(lambda: True)
    assert clock.sleeps == []


def test_wait_ends_with_the_condition(clock):
    busy_wait(lambda: clock.now >= 1000.25)
    assert clock.sleeps == [0.1] * 3


@pytest.mark.parametrize("sleep_time", [2 * q.s, 2000 * q.ms, 2], ids=str)
def test_sleep_time_is_a_quantity_or_seconds(sleep_time, clock):
    busy_wait(lambda: clock.now >= 1004, sleep_time=sleep_time)
    assert clock.sleeps == [2, 2]


@pytest.mark.parametrize("timeout", [0 * q.s, 0], ids=str)
def test_timeout_of_zero_checks_once(timeout, clock):
    checks = []
    with pytest.raises(WaitError):
        busy_wait(lambda: checks.append(clock.now), timeout=timeout)
    assert checks == [1000]
    assert clock.sleeps == []


def test_wait_never_sleeps_past_the_deadline(clock):
    checks = []
    with pytest.raises(WaitError):
        busy_wait(lambda: checks.append(clock.now), sleep_time=0.4 * q.s, timeout=1 * q.s)
    assert clock.sleeps == pytest.approx([0.4, 0.4, 0.2])
    assert checks[-1] == 1001


def test_time_in_the_condition_counts(clock):
    with pytest.raises(WaitError):
        busy_wait(lambda: clock.sleep(5), timeout=1)
    assert clock.sleeps == [5]


def test_condition_that_is_true_at_the_deadline_is_no_timeout(clock):
    busy_wait(lambda: clock.now >= 1001, sleep_time=10, timeout=1)
    assert clock.sleeps == [1]


def test_infinite_timeout_is_none(clock):
    busy_wait(lambda: clock.now > 2000, sleep_time=500, timeout=float("inf"))
    assert clock.sleeps == [500] * 3


def test_timeout_says_what_was_waited_for_and_how_long(clock):
    def shutter_is_open():
        return False

    with pytest.raises(TimeoutError) as caught:
        busy_wait(shutter_is_open, timeout=1500 * q.ms)
    assert type(caught.value) is WaitError
    assert str(caught.value) == "shutter_is_open did not become true within 1.5 s"


def test_timeout_of_an_unnamed_condition(clock):
    with pytest.raises(WaitError) as caught:
        busy_wait(lambda: False, timeout=0)
    assert str(caught.value) == "the condition did not become true within 0 s"


def test_failing_condition_ends_the_wait(clock):
    with pytest.raises(ZeroDivisionError):
        busy_wait(lambda: 1 / 0)


@pytest.mark.parametrize("arguments", [{"sleep_time": 1 * q.mm}, {"timeout": -1}, {"timeout": 1 * q.mm}], ids=str)
def test_wait_refuses_what_is_no_time_before_it_checks(arguments, clock):
    checks = []
    with pytest.raises(ValueError, match="expected a time"):
        busy_wait(lambda: checks.append(1), **arguments)
    assert checks == []


def test_wait_refuses_what_cannot_be_called(clock):
    with pytest.raises(TypeError, match=r"expected a condition to call, such as lambda: .*, not False"):
        busy_wait(2 == 3)


# Numeric


@pytest.mark.parametrize(
    ("numeric", "value"),
    [
        (Numeric(1), 5),
        (Numeric(1), -1.5),
        (Numeric(1), np.float32(2)),
        (Numeric(1), np.uint8(2)),
        (Numeric(1), np.array(2.0)),
        (Numeric(1), [5]),
        (Numeric(2), [4, 5]),
        (Numeric(2), (4, 5.5)),
        (Numeric(3), np.arange(3)),
        (Numeric(1, q.mm), 5 * q.mm),
        (Numeric(1, q.mm), 5 * q.km),
        (Numeric(1, q.mm), [5] * q.mm),
        (Numeric(1, 1 * q.mm), 5 * q.um),
        (Numeric(1, "mm / s"), 5 * q.m / q.hour),
        (Numeric(1, q.degC), q.Quantity(20, q.degC)),
        (Numeric(1, q.degC), 300 * q.K),
        (Numeric(1, q.dimensionless), 5 * q.percent),
        (Numeric(1, q.dimensionless), 5),
        (Numeric(2, q.mm), [4, 5] * q.mm),
        (Numeric(2, q.mm), np.array([4, 5]) * q.m),
    ],
    ids=str,
)
def test_numeric_accepts(numeric, value):
    assert numeric.accepts(value) is True


@pytest.mark.parametrize(
    ("numeric", "value"),
    [
        (Numeric(1), "5"),
        (Numeric(1), True),
        (Numeric(1), np.True_),
        (Numeric(1), None),
        (Numeric(1), 1j),
        (Numeric(1), Camera()),
        (Numeric(1), {5}),
        (Numeric(1), [4, 5]),
        (Numeric(1), []),
        (Numeric(1), [[5]]),
        (Numeric(1), 5 * q.mm),
        (Numeric(1), 5 * q.dimensionless),
        (Numeric(2), 5),
        (Numeric(2), [4, 5, 6]),
        (Numeric(2), [[4, 5]]),
        (Numeric(2), [4, [5, 6]]),
        (Numeric(2), ["4", "5"]),
        (Numeric(2), [True, False]),
        (Numeric(2), [1, True]),
        (Numeric(2), np.array([True, False])),
        (Numeric(2), np.array(["4", "5"])),
        (Numeric(2), [4, 5] * q.mm),
        (Numeric(1, q.mm), 5),
        (Numeric(1, q.mm), "mm"),
        (Numeric(1, q.mm), q.mm),
        (Numeric(1, q.mm), 5 * q.s),
        (Numeric(1, q.mm), [4, 5] * q.mm),
        (Numeric(2, q.mm), [4, 5]),
        (Numeric(2, q.mm), [4 * q.mm, 5 * q.mm]),
        (Numeric(2, q.mm), 5 * q.mm),
        (Numeric(2, q.mm), [4, 5, 6] * q.mm),
    ],
    ids=str,
)
def test_numeric_refuses(numeric, value):
    assert numeric.accepts(value) is False


@pytest.mark.parametrize("dimension", [0, -1, 1.0, True, "1", q.mm], ids=str)
def test_dimension_is_a_count(dimension):
    with pytest.raises(ValueError, match="expected the dimension to be 1 or more numbers, not"):
        Numeric(dimension)


# expects


@expects(Camera, Motor, pixelsize=Numeric(2, q.mm))
def focus(camera, motor, pixelsize=None):
    """Focus *camera*."""
    return camera, motor, pixelsize


CAMERA, MOTOR, SIZE = Camera(), Motor(), [4, 5] * q.mm


@pytest.mark.parametrize(
    ("args", "kwargs", "result"),
    [
        ((CAMERA, MOTOR), {}, (CAMERA, MOTOR, None)),
        ((CAMERA, MOTOR, SIZE), {}, (CAMERA, MOTOR, SIZE)),
        ((CAMERA, MOTOR), {"pixelsize": SIZE}, (CAMERA, MOTOR, SIZE)),
        ((CAMERA, MOTOR), {"pixelsize": None}, (CAMERA, MOTOR, None)),
        ((), {"motor": MOTOR, "camera": CAMERA}, (CAMERA, MOTOR, None)),
    ],
)
def test_expected_arguments_pass_unchanged(args, kwargs, result):
    assert all(came is wanted for came, wanted in zip(focus(*args, **kwargs), result, strict=True))


def test_instance_of_a_subclass_is_expected_too():
    camera = PcoCamera()
    assert focus(camera, MOTOR)[0] is camera


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((MOTOR, CAMERA), {}, "focus expects camera to be of class Camera, not of class Motor"),
        ((CAMERA, 5), {}, "focus expects motor to be of class Motor, not 5"),
        ((CAMERA,), {"motor": None}, "focus expects motor to be of class Motor, not None"),
        ((CAMERA, Motor), {}, "focus expects motor to be of class Motor, not the class Motor"),
        ((CAMERA, MOTOR, 5 * q.mm), {}, "focus expects pixelsize to be 2 numbers in millimeter, not 5 mm"),
        ((CAMERA, MOTOR, [4, 5]), {}, "focus expects pixelsize to be 2 numbers in millimeter, not [4, 5]"),
        (
            (CAMERA, MOTOR),
            {"pixelsize": [4, 5] * q.s},
            "focus expects pixelsize to be 2 numbers in millimeter, not [4 5] s",
        ),
        ((CAMERA, MOTOR), {"pixelsize": "4 mm"}, "focus expects pixelsize to be 2 numbers in millimeter, not '4 mm'"),
    ],
)
def test_unexpected_argument_is_named(args, kwargs, message):
    with pytest.raises(TypeError) as caught:
        focus(*args, **kwargs)
    assert str(caught.value) == message


def test_unexpected_argument_never_reaches_the_function():
    calls = []
    with pytest.raises(TypeError):
        expects(int)(lambda number: calls.append(number))("5")
    assert calls == []


def test_self_of_a_method_is_not_counted():
    class Scan:
        @expects(Motor, count=Numeric(1))
        def run(self, motor, count=1):
            return self, motor, count

        @classmethod
        @expects(Motor)
        def of(cls, motor):
            return cls, motor

    scan = Scan()
    assert scan.run(MOTOR, count=2) == (scan, MOTOR, 2)
    assert Scan.of(MOTOR) == (Scan, MOTOR)
    with pytest.raises(TypeError, match="run expects motor to be of class Motor, not of class Camera"):
        scan.run(CAMERA)


def test_choice_of_classes():
    @expects(Camera | Motor | None)
    def show(device):
        return device

    assert [show(device) for device in (CAMERA, MOTOR, None)] == [CAMERA, MOTOR, None]
    with pytest.raises(TypeError, match="to be of class Camera or Motor or NoneType, not 5"):
        show(5)


def test_further_arguments_are_not_checked():
    @expects(int, step=int)
    def count(start, *others, step=1, **options):
        return start, others, step, options

    assert count(1, "a", step=2, b="c") == (1, ("a",), 2, {"b": "c"})


def test_default_is_not_checked():
    @expects(Numeric(1))
    def count(start="the beginning"):
        return start

    assert count() == "the beginning"


@pytest.mark.parametrize("args", [(), (CAMERA, MOTOR, None, 1)])
def test_wrong_call_fails_as_undecorated(args):
    with pytest.raises(TypeError) as wanted:
        focus.__wrapped__(*args)
    with pytest.raises(TypeError) as caught:
        focus(*args)
    assert str(caught.value) == str(wanted.value)
    assert caught.value.__context__ is None


def test_decorated_function_keeps_name_docstring_and_signature():
    assert (focus.__name__, focus.__doc__) == ("focus", "Focus *camera*.")
    assert str(inspect.signature(focus)) == "(camera, motor, pixelsize=None)"


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((int, int, int), {}, "expected at most 2 expectations by position for move, not 3"),
        ((), {"speed": int}, "move has no parameter 'speed'; it has motor, to, unit"),
        ((), {"self": int}, "move has no parameter 'self'; it has motor, to, unit"),
        ((), {"others": int}, "move has no parameter 'others'; it has motor, to, unit"),
        ((Motor,), {"motor": Motor}, "two expectations came for motor of move, by position and by name"),
        ((5,), {}, "expected a class or Numeric(...) as expectation for motor of move, not 5"),
        ((), {"to": Numeric}, None),
    ],
)
def test_expectation_that_does_not_match_is_refused_when_decorating(args, kwargs, message):
    def move(self, motor, to=None, *others, unit="mm"):
        pass

    if message is None:
        expects(*args, **kwargs)(move)
        return
    with pytest.raises(TypeError) as caught:
        expects(*args, **kwargs)(move)
    assert str(caught.value) == message


# memoize


@pytest.fixture
def computed():
    return []


@pytest.fixture
def multiply(computed):
    @memoize
    def multiply(a, b=2, *more, scale=1, **options):
        """Multiply."""
        computed.append((a, b))
        return a, b, more, scale, options

    return multiply


@pytest.mark.parametrize(
    "calls",
    [
        [((1,), {}), ((1, 2), {}), ((1,), {"b": 2}), ((), {"b": 2, "a": 1}), ((1,), {"scale": 1})],
        [((1, 2), {"x": 1, "y": 2}), ((1, 2), {"y": 2, "x": 1})],
        [((1 * q.mm,), {}), ((1 * q.mm,), {})],
        [((CAMERA,), {}), ((CAMERA,), {})],
    ],
)
def test_same_call_computes_once(calls, multiply, computed):
    results = [multiply(*args, **kwargs) for args, kwargs in calls]
    assert len(computed) == 1
    assert all(result is results[0] for result in results)


@pytest.mark.parametrize(
    "values",
    [
        [1, 1.0, True, np.int64(1)],
        [1 * q.m, 100 * q.cm, 1.0 * q.m, 1],
        [q.m, 1 * q.m],
        [Camera(), Camera()],
        ["1", b"1"],
        [(1,), (1.0,), (True,), ((1,),), ((True,),)],
        [(1 * q.m,), (100 * q.cm,)],
        [frozenset([1]), frozenset([True]), frozenset([(1.0,)])],
    ],
    ids=str,
)
def test_different_values_are_different_calls(values, multiply, computed):
    results = [multiply(value) for value in values]
    assert len(computed) == len(values)
    assert all(result[0] is value for result, value in zip(results, values, strict=True))


def test_keyword_is_not_taken_for_another(multiply, computed):
    multiply(1, x=1)
    multiply(1, y=1)
    multiply(1, 2, 1)
    assert len(computed) == 3


@pytest.mark.parametrize("value", [[1], {"a": 1}, np.arange(2), [4, 5] * q.mm, ([],)], ids=str)
def test_what_cannot_be_hashed_is_computed_each_time(value, multiply, computed):
    assert multiply(value)[0] is value
    assert multiply(value)[0] is value
    assert len(computed) == 2


def test_failure_is_not_remembered():
    outcomes = [OSError("no answer"), 5]

    @memoize
    def ask():
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with pytest.raises(OSError, match="no answer"):
        ask()
    assert [ask(), ask()] == [5, 5]


def test_type_error_of_the_function_is_its_own(computed):
    @memoize
    def fail(value):
        computed.append(value)
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        fail(1)
    assert computed == [1]


def test_none_is_remembered(computed):
    @memoize
    def nothing():
        computed.append(1)

    nothing()
    nothing()
    assert computed == [1]


def test_callers_at_the_same_time_get_the_same_result():
    inner = []

    @memoize
    def answer():
        if not inner:
            inner.append(None)
            inner[0] = answer()  # as another greenlet would, while this one waits
        return object()

    assert answer() is inner[0]
    assert answer() is inner[0]


def test_wrong_call_of_a_remembering_function_fails_as_undecorated(multiply):
    with pytest.raises(TypeError, match=r"multiply\(\) missing 1 required positional argument: 'a'"):
        multiply()


def test_remembering_function_keeps_name_docstring_and_signature(multiply):
    assert (multiply.__name__, multiply.__doc__) == ("multiply", "Multiply.")
    assert str(inspect.signature(multiply)) == "(a, b=2, *more, scale=1, **options)"


# Bunch


def test_bunch_of_a_dictionary():
    bunch = Bunch({"foo": 123, "bar": "baz"})
    assert (bunch.foo, bunch.bar) == (123, "baz")


def test_bunch_of_a_list():
    bunch = Bunch(["foo", "bar"])
    assert (bunch.foo, bunch.bar) == ("foo", "bar")


def test_bunch_tells_what_it_has():
    bunch = Bunch({"foo": 123, "bar": "baz"})
    assert list(bunch) == ["foo", "bar"]
    assert "foo" in bunch
    assert repr(bunch) == "Bunch(foo=123, bar='baz')"
    assert repr(Bunch([])) == "Bunch()"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["foo", "bar"], "there is no 'baz' in this bunch; there are foo, bar"),
        ([], "there is no 'baz' in this bunch; there are no names"),
    ],
)
def test_missing_name_is_refused_and_the_others_named(values, message):
    with pytest.raises(AttributeError) as caught:
        Bunch(values).baz
    assert str(caught.value) == message


def test_bunches_compare_by_their_values():
    assert Bunch({"foo": "foo"}) == Bunch(["foo"])
    assert Bunch({"foo": 1}) != Bunch({"foo": 2})
    assert Bunch({"foo": 1}) != Bunch({"foo": 1, "bar": 1})
    assert Bunch({"foo": 1}) != {"foo": 1}


@pytest.mark.parametrize("name", ["two words", "1st", "", "a-b", "lambda", "__class__", "__eq__", 5, None])
def test_name_that_cannot_follow_a_dot_is_refused(name):
    with pytest.raises(ValueError, match="expected a name that can follow a dot") as caught:
        Bunch({name: 1})
    assert str(caught.value).endswith(f", not {name!r}")


def test_bunch_of_a_string_is_refused():
    with pytest.raises(TypeError, match="expected a dictionary or a list of names, not 'foo'"):
        Bunch("foo")


def test_bunch_leaves_the_dictionary_alone():
    values = {"foo": 1}
    Bunch(values).foo = 2
    assert values == {"foo": 1}


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda bunch: pickle.loads(pickle.dumps(bunch))])
def test_bunch_can_be_copied(duplicate):
    bunch = Bunch({"foo": [1]})
    assert duplicate(bunch) == bunch


# Command


class StartCommand(Command):
    """Start a session, 100 % of it.

    And more about it.
    """

    def __init__(self):
        super().__init__("start", {"session": {"help": "its name"}, "--force": {"action": "store_true"}})

    def run(self, session, force):
        return session, force


def parsed(command, *words):
    parser = argparse.ArgumentParser("concert")
    command.attach(parser.add_subparsers())
    return vars(parser.parse_args(words))


def test_command_runs_with_what_was_parsed():
    arguments = parsed(StartCommand(), "start", "optics", "--force")
    assert arguments.pop("_command").run(**arguments) == ("optics", True)


@pytest.mark.parametrize("words", [["--help"], ["start", "--help"]], ids=" ".join)
def test_help_of_a_command_is_the_first_line_of_its_docstring(words, capsys):
    assert StartCommand().help == "Start a session, 100 % of it."
    with pytest.raises(SystemExit):
        parsed(StartCommand(), *words)
    assert "Start a session, 100 % of it." in capsys.readouterr().out


def test_command_without_docstring_has_no_help():
    class Bare(Command):
        pass

    assert Bare("bare", {}).help == ""


def test_command_that_defines_no_run_says_so():
    with pytest.raises(NotImplementedError, match=r"Command does not say what to run; define run\(\) in it"):
        Command("idle", {}).run()
