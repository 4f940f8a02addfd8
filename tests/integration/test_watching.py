"""wa(watch=True): a live table that any key ends, and a terminal as it was before."""

import pytest

from tests.terminal import PROMPT, SessionTerminal

SESSION = """
from concert.devices.motors.dummy import LinearMotor
from concert.session.prelude import *

stage = LinearMotor(speed=1 * q.mm / q.s)
others = [globals().setdefault(f"axis_{number}", LinearMotor()) for number in range(30)]
"""


@pytest.fixture
def terminal(tmp_path):
    terminal = SessionTerminal(tmp_path, SESSION, size=(20, 60))
    terminal.see(PROMPT)
    yield terminal
    terminal.close()


@pytest.mark.parametrize("key", [" ", "q", "\r", "\x03"])
def test_any_key_ends_it_and_leaves_the_terminal_as_it_was(terminal, key):
    before = terminal.settings()
    terminal.answer("moving = stage.set_position(500 * q.mm)")
    terminal.type("wa(watch=True)")
    terminal.see("stage", "moving", "any key ends", "stage", "moving", "any key ends")
    terminal.process.send(key)
    terminal.see("\x1b[?25h", PROMPT)  # the cursor is back
    assert terminal.alive()
    assert terminal.settings() == before


def test_it_is_never_higher_than_the_terminal(terminal):
    terminal.type("wa(watch=True)")
    terminal.see("any key ends")
    shown = terminal.process.before
    terminal.process.send("q")
    terminal.see(PROMPT)
    assert "… and 14 more" in shown
    assert "axis_29" not in shown


def test_the_key_is_not_typed_at_the_prompt(terminal):
    terminal.type("wa watch=True")
    terminal.see("any key ends")
    terminal.process.send("7")
    terminal.see(PROMPT)
    assert "4242" in terminal.answer("print(2121 * 2)")
