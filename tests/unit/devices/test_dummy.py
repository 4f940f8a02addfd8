"""The dummy device: one parameter of each kind, a set that takes its time."""

import threading

import pytest

from concert.async_ import KillException, wait
from concert.base import SoftLimitError, UnitError
from concert.devices.base import Device
from concert.devices.dummy import DummyDevice
from concert.quantities import q
from tests.devices_for_tests import LATE, concurrent, until


def test_it_is_a_device_with_one_parameter_of_each_kind():
    device = DummyDevice()
    assert isinstance(device, Device)
    assert [value.name for value in device] == ["comment", "mode", "state", "value"]
    assert device.main_parameter == "value"


def test_it_keeps_what_is_written():
    device = DummyDevice(1 * q.mm, name="dummy")
    assert (device.value, device.comment, device.mode, device.state) == (1 * q.mm, "", "slow", "standby")
    device.value, device.comment, device.mode = 2 * q.inch, "hello", "fast"
    assert (device.value, device.comment, device.mode) == (50.8 * q.mm, "hello", "fast")


@pytest.mark.parametrize("value", [q.Quantity(1, "inch") / 3, 0.7 * q.um, 1e9 * q.km], ids=str)
def test_it_arrives_exactly(value):
    device = DummyDevice()
    device.value = value
    assert device["value"].tolerance == 0 * q.mm


@pytest.mark.parametrize(("name", "value", "error"), [("value", 5, UnitError), ("mode", "medium", ValueError)])
def test_it_refuses_what_others_refuse(name, value, error):
    device = DummyDevice()
    with pytest.raises(error):
        setattr(device, name, value)


def test_it_has_limits_like_any_other():
    device = DummyDevice()
    device["value"].upper = 1 * q.mm
    with pytest.raises(SoftLimitError):
        device.value = 2 * q.mm


def test_a_set_takes_as_long_as_it_is_told(concert_clock):
    device = DummyDevice(delay=2 * q.s)
    device.value = 1 * q.mm
    assert concert_clock.now == pytest.approx(2)
    device.comment = "at once"
    assert concert_clock.now == pytest.approx(2)


def test_without_a_delay_no_time_passes(concert_clock):
    DummyDevice().value = 1 * q.mm
    assert concert_clock.now == 0


@concurrent
def test_devices_take_their_time_together(concert_clock):
    devices = [DummyDevice(delay=1 * q.s) for _ in range(10)]
    wait([device.set_value(1 * q.mm) for device in devices])
    assert concert_clock.now == pytest.approx(1)


@concurrent
def test_it_is_moving_meanwhile():
    device = DummyDevice(delay=0.02 * q.s)
    future = device.set_value(1 * q.mm)
    until(lambda: device.state == "moving")
    assert device.value == 0 * q.mm
    future.join(LATE)
    assert (device.state, device.value) == ("standby", 1 * q.mm)


@concurrent
def test_a_killed_set_leaves_it_in_standby():
    device, begun = DummyDevice(delay=0.05 * q.s), threading.Event()
    device["state"].subscribe(lambda state: begun.set())
    future = device.set_value(1 * q.mm)
    assert begun.wait(LATE)
    future.cancel()
    assert isinstance(future.exception(), KillException)
    until(lambda: device.state == "standby")
