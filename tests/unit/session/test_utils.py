"""What a user asks a session."""

import pytest

from concert.async_ import async_
from concert.base import Parameter
from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q
from concert.session.utils import code_of, ddoc, dstate, get_default_table, pdoc


class Broken(DummyDevice):
    """A device whose plug was pulled."""

    temperature = Parameter()

    def _get_temperature(self):
        raise ConnectionError("no answer from 10.0.3.9:4002 within 2 s")


def shown(capsys):
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_the_state_of_every_device_is_shown(capsys):
    dstate({"stage": LinearMotor(position=1.25 * q.mm), "number": 5, "_hidden": DummyDevice()})
    assert shown(capsys) == [
        ["device", "parameter", "value"],
        ["stage", "position", "1.25", "mm"],
        ["state", "standby"],
    ]


def test_a_device_that_cannot_be_read_hides_no_other(capsys):
    dstate({"broken": Broken(), "stage": LinearMotor()})
    lines = capsys.readouterr().out.splitlines()
    assert any("temperature  ConnectionError: no answer from 10.0.3.9:4002 within 2 s" in line for line in lines)
    assert any("0 mm" in line for line in lines)


def test_a_device_is_shown_once_whatever_it_is_called(capsys):
    stage = LinearMotor()
    dstate({"stage": stage, "alias": stage})
    assert [line[0] for line in shown(capsys)][1:] == ["stage", "state"]


def test_without_argument_the_callers_names_are_taken(capsys):
    lift = LinearMotor()  # noqa: F841  # found by name
    dstate()
    assert shown(capsys)[1][0] == "lift"


def test_documentation_tells_units_limits_and_access(capsys):
    stage = LinearMotor(name="stage")
    stage["position"].lower = 0 * q.mm
    stage["position"].lock()
    ddoc(stage)
    text = capsys.readouterr().out
    assert "A linear motor." in text
    assert "rw (locked)  mm [0 mm, none]  Position along the axis" in text


def test_selections_show_what_can_be_selected(capsys):
    ddoc(DummyDevice())
    assert "'slow', 'fast'" in capsys.readouterr().out


def park():
    """Drive the *stage* out of the ``beam``.

    Carefully.
    """


@async_
def search(step, limit=5):
    """Look for the beam."""


def test_functions_are_documented_in_a_line(capsys):
    pdoc({"park": park, "search": search, "undocumented": lambda: None, "stage": LinearMotor()})
    assert [" ".join(line) for line in shown(capsys)] == [
        "function meaning",
        "park() Drive the stage out of the beam.",
        "search(step, limit=5) Look for the beam.",
    ]


def test_the_methods_of_a_device_are_documented(capsys):
    pdoc(LinearMotor())
    assert "move(self, delta)" in capsys.readouterr().out


def test_the_code_of_a_decorated_function_is_its_own(capsys):
    code_of(search)
    assert capsys.readouterr().out.startswith("@async_\ndef search(step, limit=5):")


def test_code_that_cannot_be_shown_says_so():
    with pytest.raises(TypeError, match="the code of <built-in function len> cannot be shown"):
        code_of(len)


def test_what_has_no_names_is_refused():
    with pytest.raises(TypeError, match="expected a device, a module or a dictionary of names, not 5"):
        dstate(5)


def test_tables_have_the_columns_asked_for():
    table = get_default_table(["name", "value"], widths=[4, None])
    table.add_row(["a longer name", "1"])
    assert all(len(line) <= 13 for line in table.get_string().splitlines())


def test_widths_need_one_for_each_column():
    with pytest.raises(ValueError, match="expected 2 widths, one for each column, not 1"):
        get_default_table(["name", "value"], widths=[4])


def test_in_a_terminal_tables_are_not_wider_than_it(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    table = get_default_table(["name", "value"])
    table.add_row(["x", "long " * 40])
    assert max(map(len, table.get_string().splitlines())) <= 41
