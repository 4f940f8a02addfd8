"""Conditions: made by comparison, looked at when asked, and honest about what nobody can tell."""

import itertools
import math

import numpy as np
import pytest

from concert.async_ import async_
from concert.base import Condition, Parameter, Quantity, ReadAccessError, State, UnitError, Verdict
from concert.base._condition import condition_of
from concert.devices.base import Device
from concert.quantities import q


class Ring(Device):
    """A storage ring whose readings the test sets."""

    state = State(default="standby")
    current = Quantity(q.mA)
    temperature = Quantity(q.degC)
    orbit = Quantity(q.um)
    fill = Parameter()

    def __init__(self, name=None):
        super().__init__(name)
        self.reading = 100 * q.mA
        self.reads = 0

    def _get_current(self):
        self.reads += 1
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading

    def _get_temperature(self):
        return q.Quantity(25.0, q.degC)

    def _get_orbit(self):
        return [1, 2, 3] * q.um

    def _get_fill(self):
        return "uniform"


@pytest.fixture
def ring():
    return Ring("ring")


def answers(truth, error=None):
    """Return a condition that holds, does not hold, or cannot be told (None)."""

    def function():
        if truth is None:
            raise error or ValueError("nobody knows")
        return truth

    return Condition(function, str(truth))


@pytest.mark.parametrize(
    ("make", "holds"),
    [
        (lambda value: value > 80 * q.mA, True),
        (lambda value: value > 0.08 * q.A, True),
        (lambda value: value > 100 * q.mA, False),
        (lambda value: value >= 100 * q.mA, True),
        (lambda value: value < 100 * q.mA, False),
        (lambda value: value <= 100 * q.mA, True),
        (lambda value: value <= 99 * q.mA, False),
        (lambda value: value.equals(0.1 * q.A), True),
        (lambda value: value.equals(99 * q.mA), False),
        (lambda value: value.equals(99 * q.mA, eps=1 * q.mA), True),
        (lambda value: value.equals(98 * q.mA, eps=1000 * q.uA), False),
    ],
)
def test_comparisons_convert_units(ring, make, holds):
    assert bool(make(ring["current"])) is holds
    assert bool(~make(ring["current"])) is not holds


def test_it_is_looked_at_whenever_its_truth_is_asked_for(ring):
    beam = ring["current"] > 80 * q.mA
    assert ring.reads == 0
    assert beam
    ring.reading = 10 * q.mA
    assert not beam
    assert ring.reads == 2


def test_the_reason_names_what_is_and_what_was_wanted(ring):
    ring.reading = 0.012 * q.A
    assert (ring["current"] > 80 * q.mA).evaluate() == Verdict(False, "ring.current is 12 mA, wanted > 80 mA")
    assert (~(ring["current"] < 80 * q.mA)).evaluate().reason == "ring.current is 12 mA, wanted not < 80 mA"
    assert ring["state"].equals("moving").evaluate().reason == "ring.state is 'standby', wanted 'moving'"
    near = ring["current"].equals(80 * q.mA, eps=1 * q.mA)
    assert near.evaluate().reason == "ring.current is 12 mA, wanted 80 mA ± 1 mA"


def test_what_holds_has_no_reason(ring):
    assert (ring["current"] > 80 * q.mA).evaluate() == Verdict(True, "", None)


def test_temperatures_are_compared_as_temperatures(ring):
    assert ring["temperature"] < q.Quantity(299, q.kelvin)
    assert not ring["temperature"] < q.Quantity(298, q.kelvin)
    assert ring["temperature"].equals(q.Quantity(26, q.degC), eps=1 * q.delta_degC)


def test_of_an_array_every_element_counts(ring):
    assert ring["orbit"] < 4 * q.um
    assert not ring["orbit"] < 3 * q.um
    assert ~(ring["orbit"] < 3 * q.um)
    assert ring["orbit"].equals([1, 2, 3] * q.um)


def test_parameters_without_unit_are_compared_as_they_are(ring):
    assert ring["fill"].equals("uniform")
    assert not ring["fill"].equals("single bunch")
    verdict = (ring["fill"] > 3).evaluate()
    assert verdict.holds is None
    assert verdict.reason.startswith("ring.fill cannot be compared: TypeError")


@pytest.mark.parametrize("value", [80 * q.mm, 80, "80 mA", None])
def test_a_wrong_unit_is_refused_when_the_condition_is_made(ring, value):
    with pytest.raises(UnitError, match=r"conditions of ring.current must be in mA, not"):
        _ = ring["current"] > value
    with pytest.raises(UnitError):
        ring["current"].equals(value)


def test_nan_is_refused_when_the_condition_is_made(ring):
    with pytest.raises(ValueError, match=r"ring.current cannot be compared with nan mA"):
        _ = ring["current"] > math.nan * q.mA


def test_what_cannot_be_selected_or_read_is_refused(ring):
    from concert.devices.dummy import DummyDevice

    with pytest.raises(ValueError, match=r"device.mode must be one of 'slow', 'fast', not 'medium'"):
        DummyDevice(name="device")["mode"].equals("medium")

    class Lamp(Device):
        brightness = Quantity(q.percent, fset=lambda self, value: None)

    with pytest.raises(ReadAccessError, match=r"lamp.brightness cannot be read"):
        _ = Lamp("lamp")["brightness"] > 3 * q.percent


def test_two_parameters_are_not_compared(ring):
    with pytest.raises(TypeError, match="not supported"):
        _ = ring["current"] > Ring()["current"]


def test_a_value_first_is_an_error_not_a_wrong_answer(ring):
    with pytest.raises(ValueError, match="Cannot compare"):
        _ = 80 * q.mA < ring["current"]


def test_parameters_still_are_keys(ring):
    assert {ring["current"]: 1}[ring["current"]] == 1
    assert (ring["current"] == ring["current"]) is True
    assert ring["current"] != 100 * q.mA


@pytest.mark.parametrize("reading", [math.nan * q.mA, np.nan * q.A])
def test_nan_is_no_answer_whichever_way_one_asks(ring, reading):
    ring.reading = reading
    for condition in (ring["current"] > 80 * q.mA, ~(ring["current"] > 80 * q.mA)):
        assert condition.evaluate().holds is None
        assert "ring.current is nan mA" in condition.evaluate().reason
        assert not condition


def test_a_source_that_fails_is_no_answer_whichever_way_one_asks(ring):
    ring.reading = ConnectionError("no connection to 10.0.3.7:4001")
    for condition in (ring["current"] > 80 * q.mA, ~(ring["current"] > 80 * q.mA)):
        holds, reason, error = condition.evaluate()
        assert holds is None
        assert reason.startswith("ring.current cannot be read: ConnectionError: no connection to 10.0.3.7:4001, wanted")
        assert error is ring.reading
        with pytest.raises(ConnectionError):
            bool(condition)


TRUTHS = (True, False, None)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(TRUTHS, TRUTHS)))
def test_combinations_follow_the_logic_of_three_values(a, b):
    order = {False: 0, None: 1, True: 2}
    both, either = answers(a) & answers(b), answers(a) | answers(b)
    assert both.evaluate().holds is min(a, b, key=order.get)
    assert either.evaluate().holds is max(a, b, key=order.get)
    for condition in (both, either):
        expected = condition.evaluate().holds
        assert (~condition).evaluate().holds is (None if expected is None else not expected)
        assert bool(condition.evaluate().reason) is (expected is not True)
        assert bool((~condition).evaluate().reason) is (expected is not False)


@pytest.mark.parametrize("truths", list(itertools.product(TRUTHS, repeat=3)))
def test_de_morgan(truths):
    a, b, c = map(answers, truths)
    assert (~(a & (b | c))).evaluate().holds is (~a | (~b & ~c)).evaluate().holds
    assert (~~(a | ~b)).evaluate()[:2] == (a | ~b).evaluate()[:2]


def test_the_reasons_of_combinations_name_every_part_that_fails(ring):
    ring.reading = 12 * q.mA
    beam, shutter = ring["current"] > 80 * q.mA, ring["state"].equals("open")
    low, closed = "ring.current is 12 mA, wanted > 80 mA", "ring.state is 'standby', wanted 'open'"
    assert (beam & shutter).evaluate().reason == f"{low}; {closed}"
    assert (beam | shutter).evaluate().reason == f"{low}, and {closed}"
    assert (beam & answers(True)).evaluate().reason == low


def test_what_does_not_matter_may_be_out_of_reach():
    assert answers(True) | answers(None)
    assert not answers(False) & answers(None)
    with pytest.raises(ValueError, match="nobody knows"):
        bool(answers(True) & answers(None))


def test_text_of_conditions(ring):
    beam, shutter = ring["current"] > 80 * q.mA, ring["state"].equals("open")
    rain = Condition(lambda: False, "rain")
    assert str(beam & shutter | ~rain) == "(ring.current > 80 mA and ring.state is 'open') or not rain"
    assert str(beam & shutter & rain) == str(beam & (shutter & rain)) == f"{beam} and {shutter} and rain"
    assert str(~(beam | rain)) == f"not ({beam} or rain)"
    assert repr(beam) == "<Condition ring.current > 80 mA>"


def test_the_parameters_of_a_combination_are_those_of_its_parts(ring):
    condition = ~((ring["current"] > 80 * q.mA) & ring["state"].equals("open")) | answers(True)
    assert condition.parameters == (ring["current"], ring["state"])


def hutch_is_searched():
    return False


def test_functions_are_conditions_and_parts_of_them(ring):
    beam = ring["current"] > 80 * q.mA
    for condition in (beam & hutch_is_searched, hutch_is_searched & beam):
        assert condition.evaluate() == Verdict(False, "hutch_is_searched is not true")
    for condition in (beam | hutch_is_searched, hutch_is_searched | beam):
        assert condition
    assert (~condition_of(hutch_is_searched)).evaluate() == Verdict(True)
    assert (~Condition(lambda: True, "rain")).evaluate() == Verdict(False, "rain is true")


def test_a_lambda_is_named_by_its_line():
    assert str(condition_of(lambda: True)).startswith("the lambda in line ")


def test_a_function_that_fails_is_no_answer():
    condition = Condition(lambda: 1 / 0, "the answer")
    assert condition.evaluate()[:2] == (None, "the answer cannot be told: ZeroDivisionError: division by zero")


@pytest.mark.parametrize("answer", ["yes", None, 0.5, [1], object()])
def test_an_answer_that_is_neither_yes_nor_no_is_no_answer(answer):
    verdict = Condition(lambda: answer, "the answer").evaluate()
    assert verdict.holds is None
    assert "the answer cannot be told: TypeError: it answered" in verdict.reason


@pytest.mark.parametrize("answer", [True, np.True_, 1, np.int64(1)])
def test_numbers_of_digital_inputs_are_answers(answer):
    assert Condition(lambda: answer)
    assert not Condition(lambda: 1 - answer if not isinstance(answer, np.bool_) else ~answer)


def test_a_function_may_be_asynchronous_or_give_a_condition(ring):
    assert Condition(async_(lambda: True))
    nested = Condition(lambda: ring["current"] > 80 * q.mA)
    assert nested
    ring.reading = math.nan * q.mA
    assert (~nested).evaluate().holds is None


@pytest.mark.parametrize("truth", [True, False, np.True_])
def test_a_comparison_of_a_value_that_was_read_is_refused_with_advice(ring, truth):
    with pytest.raises(TypeError, match=r"is no condition: .* write ring\['current'\] > 80 \* q.mA, in brackets"):
        condition_of(truth)
    with pytest.raises(TypeError, match="is no condition"):
        (ring["current"] > 80 * q.mA) & truth


@pytest.mark.parametrize("what", [None, 5 * q.mA, "beam"])
def test_other_things_are_no_conditions(what):
    with pytest.raises(TypeError, match="expected a condition, such as"):
        condition_of(what)
    with pytest.raises(TypeError, match="expected a function"):
        Condition(what)


def test_a_parameter_alone_is_no_condition(ring):
    with pytest.raises(TypeError, match="expected a condition, such as"):
        condition_of(ring["fill"])
