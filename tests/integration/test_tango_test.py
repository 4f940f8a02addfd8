"""Debian's TangoTest, a device server in C++ that is nobody's friend in particular."""

import logging

import numpy as np
import pytest

from concert.base import Quantity, StateError
from concert.devices.tango import TangoDevice
from concert.networking.tango import NoEventsError, get_tango_device
from concert.quantities import q
from tests.tango_processes import TANGO_TEST, enter_device, tango_test

pytest.importorskip("tango")
pytestmark = pytest.mark.skipif(TANGO_TEST is None, reason="TangoTest (Debian: tango-test) is not installed")


@pytest.fixture(scope="module")
def without_database():
    with tango_test() as uri:
        yield uri


@pytest.fixture(scope="module")
def with_database(tango_database):
    enter_device(tango_database.host, "sys/tg_test/1", "TangoTest", "TangoTest/test")
    with tango_test(tango_database.host) as uri:
        yield uri


@pytest.fixture(params=["without_database", "with_database"])
def uri(request):
    """The name of the device, without and with a database."""
    return request.getfixturevalue(request.param)


def test_proxy_reads_writes_and_commands(uri):
    device = get_tango_device(uri)
    device.double_scalar_w = 2.5
    assert device.double_scalar_w == 2.5
    assert device.DevDouble(3.5) == 3.5
    assert device.DevString("text") == "text"
    assert device.Status().startswith("The device is in RUNNING state")


def test_every_attribute_that_can_be_read_is_read(uri, caplog):
    with caplog.at_level(logging.WARNING):
        device = TangoDevice(uri, name="tester")
    assert len(list(device)) > 40
    failed = {}
    for value in device:
        if value.readable:
            try:
                value.get().result()
            except StateError as error:
                failed[value.name] = str(error)
    assert set(failed) == {"throw_exception", "no_value"}, failed  # which say so on purpose
    device.close()


def test_what_is_written_is_read(uri):
    device = TangoDevice(uri, name="tester")
    assert isinstance(type(device).ampli, Quantity)
    device.double_scalar = 4.25
    device.long_scalar = 17
    device.boolean_scalar = True
    device.string_scalar = "crystal"
    device.double_spectrum = np.array([1.0, 2.0])
    device.short_image = np.array([[1, 2, 3], [4, 5, 6]])
    assert device.tango.read_attribute("double_scalar").w_value == 4.25
    assert device.tango.read_attribute("long_scalar").w_value == 17
    assert device.boolean_scalar is True
    assert device.string_scalar == "crystal"
    assert device.tango.read_attribute("double_spectrum").w_value.tolist() == [1, 2]
    assert device.tango.read_attribute("short_image").w_value.tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(ValueError, match=r"^tester.short_scalar must be between -32768 and 32767, not 40000$"):
        device.short_scalar = 40000


def test_state_commands_and_failures_are_as_elsewhere(uri):
    device = TangoDevice(uri, name="tester")
    assert device.state == "running"
    assert device.dev_long(5).result() == 5
    device.switch_states().join()
    assert device.state == "fault"
    device.switch_states().join()
    assert device.state == "running"


def test_polled_attribute_sends_events(with_database, until):  # without one this server does not poll
    device = get_tango_device(with_database)
    with pytest.raises(NoEventsError):
        device.subscribe("ampli", print)
    device.poll_attribute("State", 50)
    events = []
    with device.subscribe("State", events.append):
        device.SwitchStates()
        until(lambda: any(str(event.value) == "FAULT" for event in events))
        device.SwitchStates()
        until(lambda: str(events[-1].value) == "RUNNING")


def test_numbers_without_a_unit_are_plain(uri):
    device = TangoDevice(uri)
    assert device["double_scalar"].unit == q.dimensionless
    device.ampli = 3
    with pytest.raises(ValueError, match="must be given in numbers without a unit"):
        device.ampli = 3 * q.mm
