"""Moves that are watched in a terminal: shown, interrupted, and gone again."""

import io
import time
from contextlib import redirect_stderr

import pytest
from tqdm import tqdm

from concert.async_ import Event
from concert.async_._interrupts import foreground
from concert.base import Quantity
from concert.devices.base import Device
from concert.devices.dummy import DummyDevice
from concert.quantities import q
from concert.session import moving
from concert.session.futures import ended_by
from concert.session.moving import distance, move
from concert.session.verbs import mvr
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


class Oven(Device):
    """An oven that is warmer whenever it is looked at."""

    main_parameter = "temperature"
    temperature = Quantity(q.degC, tolerance=0.1 * q.delta_degC)
    _temperature = 20.0
    _wanted = 20.0

    def _get_temperature(self):
        self._temperature = min(self._temperature + 1, self._wanted)
        return q.Quantity(self._temperature, q.degC)

    def _set_temperature(self, temperature):
        self._wanted = temperature.m_as(q.degC)
        while self._temperature < self._wanted:
            time.sleep(0.001)


@concurrent
@pytest.mark.parametrize(
    "delta", [q.Quantity(5, q.degC), 5 * q.delta_degC, 5 * q.K, q.Quantity(9, q.delta_degF)], ids=str
)
def test_a_temperature_moves_by_a_difference(terminal, delta):
    oven = Oven()
    with redirect_stderr(terminal):
        mvr(oven, delta)
    assert oven.temperature.m == pytest.approx(25)
    assert "Oven 20.0 → 25.0 °C" in terminal.getvalue()
    assert "arrived (±0.1 Δ°C)" in terminal.getvalue()


def test_what_has_no_distances_has_no_way():
    device = DummyDevice()
    assert distance(device["comment"], "here", "there") is None
    assert distance(device["value"], [1, 2] * q.mm, [2, 3] * q.mm) is None
    assert distance(device["value"], 1 * q.cm, 2 * q.mm) == pytest.approx(8)


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
