"""Asynchronous methods as Tango commands: what their arguments say."""

import pytest
from tango import CmdArgType

from concert.quantities import q
from concert.session.serving._methods import arguments, method_command


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("1.5 mm", 1.5 * q.mm),
        ("-2mm", -2 * q.mm),
        ("1e-3 mm/s", 1e-3 * q.mm / q.s),
        ("25 degC", q.Quantity(25, q.degC)),
        ("3", 3),
        ("3.0", 3.0),
        ("dark", "dark"),
        ("3 nonsense", "3 nonsense"),
        ("2 (", "2 ("),
        (" dark ", "dark"),
    ],
)
def test_arguments_are_numbers_quantities_or_texts(text, argument):
    (got,) = arguments([text])
    assert got == argument
    assert type(got) is type(argument)


def test_empty_arguments_are_none():
    assert arguments(["", " "]) == []


def nothing():
    """Do it."""


def one(delta):
    pass


def several(time, frames=1):
    pass


@pytest.mark.parametrize(
    ("method", "given", "type_", "passed"),
    [
        (nothing, [], CmdArgType.DevVoid, []),
        (one, ["2 mm"], CmdArgType.DevString, [2 * q.mm]),
        (several, [["2 ms", "3"]], CmdArgType.DevVarStringArray, [2 * q.ms, 3]),
    ],
)
def test_commands_take_as_many_texts_as_the_method_arguments(method, given, type_, passed):
    calls = []
    command = method_command("expose", "expose_", method, lambda *call: calls.append(call))
    assert command.__tango_command__[0] == "expose_"
    assert command.__tango_command__[1][0][0] == type_
    command("device", *given)
    assert calls == [("device", "expose", passed)]
