"""A device as a notebook shows it."""

import time

import pytest

from concert.async_ import runtime
from concert.base import Parameter
from concert.devices import _reading
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q


class Odd(Device):
    note = Parameter(help="<b>not</b> HTML")
    lost = Parameter()
    mute = Parameter()

    def _get_note(self):
        return "<script>"

    def _get_lost(self):
        raise ConnectionError("no answer from 10.0.3.9")

    def _set_mute(self, value):
        pass


def test_every_parameter_is_a_row_with_its_value():
    shown = LinearMotor(position=3 * q.mm, name="stage")._repr_html_()
    assert shown.startswith("<b>stage</b> LinearMotor<table>")
    for cell in ("position", "3 mm", "Position along the axis", "state", "standby"):
        assert f"<td>{cell}</td>" in shown


def test_what_a_device_says_stays_text(concert_runtime):
    shown = Odd(name="<i>odd</i>")._repr_html_()
    assert "<script>" not in shown
    assert "<i>" not in shown
    assert "<td>&lt;script&gt;</td>" in shown
    assert "<td>&lt;b&gt;not&lt;/b&gt; HTML</td>" in shown


def test_what_cannot_be_read_says_why_and_what_is_only_written_is_empty(concert_runtime):
    shown = Odd()._repr_html_()
    assert "<td>ConnectionError: no answer from 10.0.3.9</td>" in shown
    assert "<td>mute</td>\n            <td></td>" in shown


def test_a_device_that_hangs_holds_up_its_row_for_a_while_only(monkeypatch):
    if runtime() == "sync":
        pytest.skip("where every call runs to its end, there is nobody to look at the clock")
    answered = []

    class Slow(LinearMotor):
        def _get_position(self):
            while not answered:
                time.sleep(0.01)
            return 0 * q.mm

    monkeypatch.setattr(_reading, "ANSWER_TIME", 0.05)
    try:
        assert "<td>no answer within 0.05 s</td>" in Slow()._repr_html_()
    finally:
        answered.append(True)
