"""What is mistyped is said in a line; programs keep their tracebacks."""

import sys

import pytest

from concert.devices.motors.dummy import LinearMotor
from concert.session.mistakes import mistake

VERBS = ("ascan", "goto", "mv")


def goto(scan, point):
    pass


def told(typed, python=None):
    names = {"stage": LinearMotor(), "slit": LinearMotor(), "goto": goto, "ascan": print, "__name__": "__main__"}
    try:
        exec(compile(typed if python is None else python, "<typed>", "exec"), names)
    except Exception as error:
        return mistake(error, sys.exc_info()[2], typed, VERBS, names)
    pytest.fail("nothing was wrong")


GOTO = "goto() missing 1 required positional argument: 'point'"


@pytest.mark.parametrize(
    ("typed", "python", "said"),
    [
        ("ascan stge", "ascan(stge)", "NameError: name 'stge' is not defined; did you mean stage"),
        ("nothing_like_it", None, "NameError: name 'nothing_like_it' is not defined"),
        (
            "slit.positon",
            None,
            "AttributeError: 'LinearMotor' object has no attribute 'positon'; did you mean position",
        ),
        ("goto 3", "goto(3)", f"TypeError: {GOTO}; goto? tells what it takes"),
        ("ascan stage 3 +", None, "SyntaxError: invalid syntax; ascan? tells what it takes"),
        ("asacn stage 3", None, "SyntaxError: invalid syntax; did you mean ascan instead of asacn"),
        ("stge.position = 3 mm", None, "SyntaxError: invalid syntax; did you mean stage instead of stge"),
    ],
)
def test_a_mistake_in_a_line_is_said_in_a_line(typed, python, said):
    assert told(typed, python) == said


@pytest.mark.parametrize(
    "typed",
    [
        "def align():\n    stge\nalign()",
        "for i in range(3):\n    stge",
        "(lambda: int('three'))()",
        "len(3, 4)",
        "1 / 0",
        "stage 3",
        "for 3",
    ],
)
def test_other_errors_are_shown_as_python_does(typed):
    assert told(typed) is None


def test_errors_of_users_functions_are_shown_as_python_does():
    assert told("align()", "def align():\n    stge\nalign()") is None
