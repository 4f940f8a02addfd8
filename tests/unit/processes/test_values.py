"""The values of a region: an array where that is possible."""

import numpy as np
import pytest

from concert.processes._values import BLOCK, Values
from concert.quantities import q


def test_quantities_of_one_dimension_become_an_array_in_the_unit_of_the_first():
    values = Values([1 * q.mm, 2 * q.cm])
    assert values.numbers.tolist() == [1, 20]
    assert list(values) == [1 * q.mm, 20 * q.mm]


def test_an_array_is_taken_as_it_is_at_that_moment():
    array = np.linspace(0, 1, 3) * q.mm
    values = Values(array)
    array *= 2
    assert values.numbers.tolist() == [0, 0.5, 1]


def test_other_values_stay_what_they_are():
    assert list(Values(["open", "closed"])) == ["open", "closed"]
    assert list(Values([1 * q.mm, 2 * q.s])) == [1 * q.mm, 2 * q.s]


def test_temperatures_keep_their_scale():
    assert list(Values(np.array([20.0, 21.0]) * q.kelvin)) == [20 * q.kelvin, 21 * q.kelvin]
    assert Values(q.Quantity([20.0, 21.0], q.degC))[1] == q.Quantity(21.0, q.degC)


def test_a_single_quantity_is_a_value_by_itself():
    assert list(Values([[1, 2] * q.mm, [3, 4] * q.mm])[1]) == [3 * q.mm, 4 * q.mm]


def test_many_values_come_in_their_order():
    assert [each.magnitude for each in Values(np.arange(2 * BLOCK + 1) * q.mm)] == list(range(2 * BLOCK + 1))


@pytest.mark.parametrize("numbers", [[3.0, 1.0, 2.0], [1.0], []])
def test_a_range_accepts_the_extremes_only_if_it_accepts_all(numbers):
    values = Values(np.asarray(numbers) * q.mm)
    assert {each.magnitude for each in values.extremes()} == ({min(numbers), max(numbers)} if numbers else set())


def test_what_is_no_number_is_among_the_extremes():
    assert any(np.isnan(each.magnitude) for each in Values(np.asarray([1, np.nan, 2]) * q.mm).extremes())
