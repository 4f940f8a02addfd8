"""Selections: one of several values and nothing else."""

import numpy as np
import pytest

from concert.base import Parameterizable, Selection
from concert.quantities import q
from tests.devices_for_tests import Stage


def device_with(*values):
    class Camera(Parameterizable):
        written = None
        choice = Selection(values)

        def _get_choice(self):
            return self.written

        def _set_choice(self, value):
            self.written = value

    return Camera()


def test_a_selection_takes_its_values():
    stage = Stage()
    for mode in stage["mode"].values:
        stage.mode = mode
        assert stage.mode == mode
    assert stage["mode"].values == ("slow", "fast")


@pytest.mark.parametrize("value", ["medium", "SLOW", "", None, 0, ["slow"], b"slow"], ids=repr)
def test_anything_else_is_refused_and_what_would_do_is_named(value):
    stage = Stage("stage")
    with pytest.raises(ValueError, match=r"stage\.mode must be one of 'slow', 'fast', not "):
        stage.mode = value
    assert stage.written == []


@pytest.mark.parametrize(
    ("choices", "value"),
    [
        ((1, 2, 4), np.int64(2)),
        (("slow", "fast"), np.str_("fast")),
        ((1, 2), 1.0),
        ((1 * q.mm, 1 * q.cm), 10 * q.mm),
        ((True, False), np.bool_(False)),
        ((None, "on"), None),
    ],
    ids=repr,
)
def test_an_equal_value_selects_the_one_declared(choices, value):
    device = device_with(*choices)
    device.choice = value
    assert type(device.written) in {type(choice) for choice in choices}
    assert device.written == value


@pytest.mark.parametrize(
    ("choices", "value"),
    [((1, 0), True), ((True, False), 1), ((1, 2), "1"), ((1, 2), np.array([1, 2])), ((1 * q.mm,), 1), ((1,), 1 * q.mm)],
    ids=repr,
)
def test_what_only_looks_equal_is_refused(choices, value):
    device = device_with(*choices)
    with pytest.raises(ValueError, match="must be one of"):
        device.choice = value
    assert device.written is None


def test_there_has_to_be_something_to_select_from():
    with pytest.raises(ValueError, match="needs something to select from"):
        Selection([])


def test_the_values_may_come_from_anywhere():
    assert Selection(name for name in ("a", "b")).values == ("a", "b")
