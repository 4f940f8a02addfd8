"""Moves that are watched in a terminal: shown, interrupted, and gone again."""

import io
from contextlib import redirect_stderr

import pytest
from tqdm import tqdm

from concert.async_ import Event
from concert.async_._interrupts import foreground
from concert.devices.dummy import DummyDevice
from concert.quantities import q
from concert.session import moving
from concert.session.futures import ended_by
from concert.session.moving import move
from tests.devices_for_tests import concurrent, elsewhere


class Terminal(io.StringIO):
    """A terminal without Ctrl-C: what is shown in it is its value."""

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(moving, "REFRESH", 0.001)
    return Terminal()


class Watched(DummyDevice):
    """A device that moves until it is stopped, and while it moves does *meanwhile* instead of an answer."""

    def __init__(self, meanwhile=None, name="stage"):
        super().__init__(name=name)
        self._meanwhile = meanwhile
        self._moves = False
        self.stops = 0

    def _get_value(self):
        if self._moves and self._meanwhile is not None:
            meanwhile, self._meanwhile = self._meanwhile, None
            elsewhere(meanwhile)
            Event().wait()
        return self._value

    def _set_value(self, value):
        self._moves = True
        Event().wait()

    def _cancel_value(self):
        self.stops += 1


@concurrent
def test_ctrl_c_stops_the_move_also_while_only_the_line_waits(terminal):
    stage, lift = Watched(foreground.press), Watched(name="lift")
    with pytest.raises(KeyboardInterrupt) as interrupt, redirect_stderr(terminal):
        move([(stage["value"], 5 * q.mm), (lift["value"], 5 * q.mm)])
    assert (stage.stops, lift.stops) == (1, 1)
    assert ended_by(interrupt.value) == "lift stopped at 0.0000 mm, stage stopped at 0.0000 mm"
    assert "at 0.0000 mm" in terminal.getvalue()


@concurrent
def test_nothing_is_said_to_be_stopped_that_was_only_read(terminal):
    stage = Watched(foreground.press)
    stage._moves = True
    with pytest.raises(KeyboardInterrupt) as interrupt:
        stage["value"].get().join()
    assert ended_by(interrupt.value) == ""


@concurrent
def test_no_line_is_left_behind_by_an_interrupted_move(terminal):
    with pytest.raises(KeyboardInterrupt), redirect_stderr(terminal):
        move([(Watched(foreground.press)["value"], 5 * q.mm), (Watched()["value"], 5 * q.mm)], leave=False)
    assert not tqdm._instances
    assert terminal.getvalue().endswith("\r")
