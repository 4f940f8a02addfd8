"""Proxies of devices of real servers; what happens to them when servers come to grief is in tests/integration."""

import os
import subprocess
import sys

import gevent
import pytest

from concert.networking.base import get_tango_device
from concert.networking.tango import (
    TangoConnectionError,
    TangoDatabaseError,
    TangoDeviceError,
    TangoProxy,
    TangoRequestError,
    UnknownDeviceError,
)
from concert.quantities import q
from tests.servers import silent, unused_port

tango = pytest.importorskip("tango")

PATIENCE = 20  # seconds, where the time is not the point

RUNTIMES = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)


@pytest.fixture
def specimen(specimen_server):
    """The first device of the server."""
    device = get_tango_device(specimen_server.uri("test/specimen/1"), timeout=PATIENCE)
    device.Number, device.Label, device.Mode = 1.5, "sample", "IDLE"
    yield device
    device.close()


# -- as with a DeviceProxy ---------------------------------------------------------------------------------------------


@RUNTIMES
def test_attributes_are_read_and_written(specimen, concert_runtime):
    specimen.Number = 2.5
    assert specimen.Number == 2.5
    assert specimen.number == 2.5  # Tango does not tell a from A
    specimen.write_attribute("Number", -1)
    assert specimen.read_attribute("Number").value == -1


@RUNTIMES
def test_commands_are_methods(specimen, concert_runtime):
    assert specimen.Double(4) == 8
    assert specimen.command_inout("Total", [1, 2, 3]) == 6
    assert specimen.State() == specimen.state() == tango.DevState.ON


def test_arrays_are_arrays(specimen):
    assert specimen.Picture.tolist() == [[0, 1, 2], [3, 4, 5]]
    specimen.Spectrum = [1, 2, 3]
    assert specimen.Spectrum.tolist() == [1, 2, 3]


def test_enumerations_have_labels(specimen):
    specimen.Mode = "BURST"
    assert specimen.Mode.name == "BURST"
    assert specimen.Mode == 2
    specimen.Mode = 1
    assert specimen.Mode.name == "SINGLE"
    with pytest.raises(ValueError, match=r"^Mode must be one of IDLE, SINGLE, BURST, not 'LAZY'$"):
        specimen.Mode = "LAZY"


def test_methods_of_device_proxy_are_there(specimen):
    assert specimen.name() == "test/specimen/1"
    assert specimen.ping() > 0
    assert specimen.get_attribute_config("Number").unit == "mm"
    assert [each.value for each in specimen.read_attributes(["Number", "Label"])] == [1.5, "sample"]
    assert "Read value" not in specimen.read_attribute.__doc__
    assert specimen.ping.__doc__ == tango.DeviceProxy.ping.__doc__


def test_bare_proxy_is_there(specimen):
    assert isinstance(specimen.proxy, tango.DeviceProxy)
    assert specimen.proxy is specimen.proxy


def test_tab_knows_attributes_and_commands(specimen):
    assert {"Number", "Double", "read_attribute", "subscribe"} <= set(dir(specimen))


def test_names_that_the_device_does_not_have_are_attribute_errors(specimen):
    with pytest.raises(AttributeError, match=r"^test/specimen/1 has no attribute or command 'nothing'$"):
        specimen.nothing
    with pytest.raises(AttributeError, match=r"^test/specimen/1 has no attribute 'nothing' that could be set$"):
        specimen.nothing = 1
    with pytest.raises(AttributeError, match="that could be set"):
        specimen.Double = 1
    assert not hasattr(specimen, "_ipython_display_")


def test_timeout_can_be_given_as_device_proxy_does(specimen):
    specimen.set_timeout_millis(1500)
    assert specimen.timeout == 1.5 * q.s
    assert specimen.get_timeout_millis() == 1500


def test_source_holds_for_every_timeout(specimen):
    specimen.set_source("DEV")
    assert specimen.get_source() == specimen.get_source(timeout=20) == tango.DevSource.DEV
    specimen.set_source(tango.DevSource.CACHE_DEV)
    assert specimen.get_source(timeout=20) == tango.DevSource.CACHE_DEV


# -- names -------------------------------------------------------------------------------------------------------------


def test_environment_is_read_and_not_changed(tango_database, start_server, monkeypatch):
    server = start_server(database=tango_database.host)
    monkeypatch.setenv("TANGO_HOST", tango_database.host)
    assert get_tango_device("test/specimen/1").Double(1) == 2
    monkeypatch.setenv("TANGO_HOST", f"127.0.0.1:{unused_port()},{tango_database.host}")
    assert get_tango_device("test/specimen/1").Double(1) == 2
    monkeypatch.setenv("TANGO_HOST", "elsewhere:10000")
    before = dict(os.environ)
    assert get_tango_device("test/specimen/1", peer=tango_database.host).Double(1) == 2
    assert get_tango_device(server.uri("test/specimen/1")).Double(1) == 2
    assert dict(os.environ) == before


def test_aliases_are_names(tango_database, start_server):
    start_server(database=tango_database.host)
    address, port = tango_database.host.split(":")
    tango.Database(address, int(port)).put_device_alias("test/specimen/2", "second")
    assert get_tango_device("second", peer=tango_database.host).Double(1) == 2


def test_nothing_is_asked_before_the_first_call():
    device = TangoProxy(f"tango://127.0.0.1:{unused_port()}/a/b/c#dbase=no")
    assert device.device_name == "a/b/c"
    with pytest.raises(TangoConnectionError):
        device.ping()


# -- errors: which, and whose fault ------------------------------------------------------------------------------------


def test_bad_name_is_the_callers_fault():
    with pytest.raises(ValueError, match=r"^expected a Tango device such as 'domain/family/member', not 'a/b'$"):
        get_tango_device("a/b")


def test_unknown_device_is_the_callers_fault(tango_database, specimen_server):
    message = rf"^the Tango database at {tango_database.host} has no device 'no/such/device'$"
    with pytest.raises(UnknownDeviceError, match=message) as caught:
        get_tango_device("no/such/device", peer=tango_database.host)
    assert isinstance(caught.value, ValueError)
    with pytest.raises(UnknownDeviceError, match=r"^the Tango database at \S+ has no device 'nobody'$"):
        get_tango_device("nobody", peer=tango_database.host)
    message = rf"^the Tango server at 127.0.0.1:{specimen_server.port} has no device 'no/such/device'$"
    with pytest.raises(UnknownDeviceError, match=message):
        get_tango_device(specimen_server.uri("no/such/device"))


def test_missing_database_is_the_lines_fault():
    port = unused_port()
    message = rf"^no connection to the Tango database at 127.0.0.1:{port}, which knows where a/b/c is$"
    with pytest.raises(TangoDatabaseError, match=message) as caught:
        get_tango_device("a/b/c", peer=f"127.0.0.1:{port}")
    assert isinstance(caught.value, ConnectionError)


def test_dead_server_is_the_lines_fault(tango_database):
    from tests.tango_processes import enter_device

    message = r"^no connection to the server of a/b/c while calling ping: it is not running or cannot be reached$"
    with pytest.raises(TangoConnectionError, match=message) as caught:
        get_tango_device(f"tango://127.0.0.1:{unused_port()}/a/b/c#dbase=no")
    assert not isinstance(caught.value, TangoDatabaseError)
    enter_device(tango_database.host, "a/b/c", "Specimen", "Never/started")
    with pytest.raises(TangoConnectionError, match=r"the server of a/b/c"):
        get_tango_device("a/b/c", peer=tango_database.host)


@RUNTIMES
@pytest.mark.parametrize(
    ("command", "text", "reason"),
    [
        ("Fail", "ValueError: the cryostat is warm", "PyDs_PythonError"),
        ("Throw", "the cryostat is warm", "Cryostat_Warm"),
    ],
)
def test_servers_own_words_reach_the_user(specimen, command, text, reason, concert_runtime):
    with pytest.raises(TangoDeviceError, match=rf"^test/specimen/1 failed while running {command}: {text}$") as caught:
        getattr(specimen, command)()
    assert (caught.value.device, caught.value.reason) == ("test/specimen/1", reason)
    assert isinstance(caught.value.__cause__, tango.DevFailed)


@pytest.mark.parametrize(
    ("act", "text"),
    [
        (lambda device: device.write_attribute("Number", 11), "failed while writing Number: .* above the maximum"),
        (lambda device: device.write_attribute("Number", "x"), "cannot begin writing Number: Expecting a num"),
        (lambda device: device.write_attribute("Shown", 1.0), "failed while writing Shown: Attribute Shown is not wri"),
        (lambda device: device.read_attribute("Nothing"), "failed while reading Nothing: Nothing attribute not found"),
        (lambda device: device.command_inout("Nothing"), "failed while running Nothing: Command Nothing not found"),
        (lambda device: device.Double("x"), "cannot begin running Double: Invalid input argument"),
        (lambda device: device.Double(), "failed while running Double: Incompatible argument type"),
    ],
)
def test_what_cannot_be_asked_for_is_the_callers_fault(specimen, act, text):
    with pytest.raises(TangoRequestError, match=rf"^test/specimen/1 {text}"):
        act(specimen)


def test_proxy_made_in_one_greenlet_serves_others(specimen):
    results = [gevent.spawn(specimen.Double, number) for number in range(20)]
    assert [result.get() for result in results] == [2 * number for number in range(20)]


TRY = """
import sys
from time import monotonic
from concert.networking.base import get_tango_device
began = monotonic()
try:
    get_tango_device(sys.argv[1], timeout=1)
except (ConnectionError, TimeoutError):
    print(monotonic() - began >= 1)
"""


def test_connection_is_tried_for_as_long_as_a_call_may_take():
    # In a process of its own: Tango remembers for a while where it has failed.
    with silent() as (host, port):
        arguments = [sys.executable, "-c", TRY, f"tango://{host}:{port}/a/b/c#dbase=no"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=3 * PATIENCE)
    assert done.stdout == "True\n", done.stderr
