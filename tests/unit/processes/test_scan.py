"""scan(): futures of points, the last region fastest."""

import numpy as np
import pytest

from concert.async_ import resolve, runtime
from concert.base import SoftLimitError
from concert.devices.dummy import DummyDevice
from concert.processes import Region, scan
from concert.quantities import q


@pytest.fixture
def device():
    return DummyDevice(name="slits")


def test_every_point_gives_its_values_and_the_reading(device):
    points = resolve(scan(lambda: device.value * 2, Region(device["value"], [1, 2] * q.mm)))
    assert points == [(1 * q.mm, 2 * q.mm), (2 * q.mm, 4 * q.mm)]


def test_the_last_region_varies_fastest(device):
    slow = DummyDevice()
    points = resolve(scan(lambda: 0, Region(slow, [1 * q.mm, 2 * q.mm]), Region(device, [3 * q.mm, 4 * q.mm])))
    assert [tuple(each.magnitude for each in point[:2]) for point in points] == [(1, 3), (1, 4), (2, 3), (2, 4)]


def test_only_what_changes_is_set_again(device):
    slow = DummyDevice()
    sets = []
    slow["value"].subscribe(sets.append)
    resolve(scan(lambda: 0, Region(slow, [1 * q.mm, 2 * q.mm]), Region(device, [3, 4, 5] * q.mm)))
    resolve([slow["value"].get()])
    assert len(sets) == 2


def test_a_callback_is_called_whenever_its_region_was_set(device):
    slow = DummyDevice()
    outer, inner = Region(slow, [1 * q.mm, 2 * q.mm]), Region(device, [3, 4] * q.mm)
    seen = []
    callbacks = {outer: lambda: seen.append(("slow", slow.value.magnitude)), inner: lambda: seen.append("fast")}
    resolve(scan(lambda: 0, outer, inner, callbacks=callbacks))
    assert seen == [("slow", 1), "fast", "fast", ("slow", 2), "fast", "fast"]


def test_a_feedback_may_give_a_future(device):
    assert resolve(scan(device["value"].get, Region(device, [1] * q.mm))) == [(1 * q.mm, 1 * q.mm)]


def test_points_are_visited_one_after_the_other(device):
    order = []

    def feedback():
        order.append(device.value.magnitude)
        return order[-1]

    assert [y for _, y in resolve(scan(feedback, Region(device, np.arange(20) * q.mm)))] == list(range(20))
    assert order == list(range(20))


def test_a_refused_value_fails_before_anything_moves(device):
    device["value"].upper = 5 * q.mm
    with pytest.raises(SoftLimitError, match=r"slits.value 9 mm is outside"):
        resolve(scan(lambda: 0, Region(device, [1, 2, 9] * q.mm)))
    assert device.value == 0 * q.mm


def test_after_a_point_that_failed_no_other_is_begun(device):
    def feedback():
        if device.value == 2 * q.mm:
            raise RuntimeError("no light")

    with pytest.raises(RuntimeError, match="no light"):
        resolve(scan(feedback, Region(device, [1, 2, 3, 4] * q.mm)))
    assert device.value == 2 * q.mm


def test_the_futures_come_one_by_one(device):
    points = scan(lambda: 0, Region(device, [1, 2] * q.mm))
    next(points).join()
    assert device.value == 1 * q.mm
    next(points).join()
    assert device.value == 2 * q.mm


@pytest.mark.parametrize("regions", [(), ("value",), (5 * q.mm,)])
def test_what_is_no_region_is_refused(regions):
    with pytest.raises((TypeError, ValueError), match=r"Region|region"):
        scan(lambda: 0, *regions)


def test_relative_regions_are_refused_with_advice(device):
    with pytest.raises(ValueError, match=r"the region of slits.value must not be relative.*use dscan"):
        scan(lambda: 0, Region(device, [-1, 1] * q.mm, relative=True))


def test_a_parameter_in_two_regions_is_refused_at_once(device):
    with pytest.raises(ValueError, match=r"slits.value can be moved only once"):
        scan(lambda: 0, Region(device, [1] * q.mm), Region(device, [2] * q.mm))


def test_a_device_without_main_parameter_is_refused_with_advice():
    class Camera(DummyDevice):
        main_parameter = None

    with pytest.raises(TypeError, match=r"cam has no main parameter: say which one is meant, cam\[...\] of comment"):
        Region(Camera(name="cam"), [])


def test_a_cancelled_point_stops_the_scan(device, concert_clock):
    if runtime() == "sync":
        pytest.skip("nothing can be cancelled where every call runs to its end")
    device = DummyDevice(delay=3600 * q.s)
    futures = list(scan(lambda: 0, Region(device, [1, 2] * q.mm)))
    futures[0].cancel()
    assert futures[1].exception() is not None
    assert device.value == 0 * q.mm
