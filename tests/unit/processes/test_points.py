"""The points of scans, and which parameters are set for each."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concert.base import SoftLimitError
from concert.devices.dummy import DummyDevice
from concert.processes import Region
from concert.processes._points import Generated, Grid, Repeated, Together
from concert.quantities import q

slow, fast, third = DummyDevice(name="slow"), DummyDevice(name="fast"), DummyDevice(name="third")


def numbers(points):
    return [tuple(value.magnitude for value in step.values) for step in points.steps()]


def test_together_all_parameters_take_their_next_value():
    points = Together([Region(slow, [1, 2] * q.mm), Region(fast, [3, 4] * q.mm)])
    assert numbers(points) == [(1, 3), (2, 4)]
    assert [step.changed for step in points.steps()] == [(0, 1), (0, 1)]


def test_together_needs_as_many_values_of_each():
    with pytest.raises(ValueError, match=r"as many values each, not slow.value 2, fast.value 1"):
        Together([Region(slow, [1, 2] * q.mm), Region(fast, [3] * q.mm)])


def test_a_parameter_moves_only_once():
    with pytest.raises(ValueError, match=r"slow.value can be moved only once in a scan"):
        Grid([Region(slow, [1] * q.mm), Region(slow, [2] * q.mm)])


def test_in_a_grid_the_last_region_is_the_fastest_and_only_what_changes_is_set():
    points = Grid([Region(slow, [1, 2] * q.mm), Region(fast, [3, 4] * q.mm)])
    assert numbers(points) == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert [step.changed for step in points.steps()] == [(0, 1), (1,), (0, 1), (1,)]


def test_a_snake_never_flies_back():
    regions = [Region(third, [0, 1, 2] * q.mm), Region(slow, [0, 1, 2] * q.mm), Region(fast, [0, 1, 2, 3] * q.mm)]
    points = numbers(Grid(regions, snake=True))
    steps = [sum(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in itertools.pairwise(points)]
    assert set(steps) == {1}
    assert len(set(points)) == 36


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.booleans(), st.data())
def test_a_grid_goes_on_from_any_point(counts, snake, data):
    devices = (third, slow, fast)
    grid = Grid([Region(each, np.arange(n) * q.mm) for each, n in zip(devices, counts, strict=False)], snake)
    begin = data.draw(st.integers(0, len(grid)))
    assert [step.values for step in grid.steps(begin)] == [step.values for step in grid.steps()][begin:]


def test_relative_regions_are_placed_where_the_parameter_is():
    device = DummyDevice(10 * q.mm, name="slits")
    points = Together([Region(device, [-1, 1] * q.mm, relative=True)])
    assert points.relative == [device["value"]]
    assert numbers(points.placed()) == [(9,), (11,)]
    assert numbers(points.placed_at({device["value"]: 20 * q.mm})) == [(19,), (21,)]


def test_the_first_point_that_is_refused_is_named():
    device = DummyDevice(name="slits")
    device["value"].upper = 5 * q.mm
    with pytest.raises(SoftLimitError, match=r"slits.value 6 mm is outside"):
        Together([Region(device, [1, 6, 9] * q.mm)]).check()


def test_generated_points_are_checked_before_anything_moves():
    fast["value"].upper = 5 * q.mm
    steps = Generated([slow, fast], lambda begin, measured: [(1 * q.mm, 1 * q.mm), (2 * q.mm, 9 * q.mm)]).steps()
    assert next(steps).values == (1 * q.mm, 1 * q.mm)
    with pytest.raises(SoftLimitError, match=r"fast.value 9 mm"):
        next(steps)
    fast["value"].upper = None


def test_generated_points_need_a_value_for_each():
    with pytest.raises(ValueError, match=r"a value for each of slow.value, fast.value"):
        list(Generated([slow, fast], lambda begin, measured: [1 * q.mm]).steps())


def test_nobody_knows_how_many_points_are_generated():
    with pytest.raises(TypeError, match="not known before"):
        len(Generated([slow], lambda begin, measured: []))


def test_repeated_points_move_nothing():
    assert [step.values for step in Repeated(2).steps()] == [(), ()]
    assert len(Repeated(2)) == 2
