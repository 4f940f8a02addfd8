"""Servers and databases that die, hang and come back while they are used."""

import itertools
import logging
import os
import subprocess
import sys
import time

import gevent
import pytest

from concert import _cooperative
from concert.async_ import async_, wait
from concert.devices.tango import LinearMotor, TangoDevice
from concert.networking.tango import TangoConnectionError, TangoError, TangoTimeoutError, get_tango_device
from concert.quantities import q
from tests.tango_processes import Database, Server

pytest.importorskip("tango")

ON_HUB = pytest.mark.skipif(not _cooperative.state.cooperative, reason="there is no hub to keep running")
BACK = 30  # seconds that Tango gets to find what has come back
SPECIMEN = "test/specimen/1"


def eventually(call):
    """Return what *call* returns when the line is there again."""
    deadline = time.monotonic() + BACK
    while True:
        try:
            return call()
        except TangoError:
            assert time.monotonic() < deadline, "it has not come back"
            time.sleep(0.05)


@pytest.fixture
def beamline(start_server):
    """The simulated beamline in a process of the test's own; its motors are slow."""
    return start_server("concert.simulation.tango")


def test_same_object_works_after_a_restart(start_server):
    server = start_server()
    device = get_tango_device(server.uri(SPECIMEN))
    server.kill()
    for _ in range(3):
        with pytest.raises(
            TangoConnectionError, match=rf"^no connection to the server of {SPECIMEN} while reading Num"
        ):
            device.read_attribute("Number")
        with pytest.raises(TangoConnectionError):  # no AttributeError, as of a DeviceProxy
            device.Number
    server.start()
    assert eventually(lambda: device.Number) == 1.5
    device.Number = 2
    assert device.Number == 2


def test_same_object_works_after_the_server_has_moved(start_server, tango_database):
    server = start_server("tests.tango_server", "--name=TestSpecimen/moving", database=tango_database.host)
    device = get_tango_device(server.uri(SPECIMEN))
    server.kill()
    elsewhere = start_server("tests.tango_server", "--name=TestSpecimen/moving", database=tango_database.host)
    assert elsewhere.port != server.port
    assert eventually(lambda: device.Number) == 1.5


def test_server_that_dies_in_the_middle_of_a_read_is_told(start_server, until):
    server = start_server()
    device = get_tango_device(server.uri(SPECIMEN))
    reading = async_(lambda: device.read_attribute("Slow", timeout=30))()
    until(reading.running)
    time.sleep(0.2)  # it is on its way; whether it has got there or not, the outcome is the same
    server.kill()
    began = time.monotonic()
    with pytest.raises(TangoConnectionError, match=rf"^no connection to the server of {SPECIMEN} while reading Slow"):
        reading.result()
    assert time.monotonic() - began < 5


def test_server_that_dies_in_the_middle_of_a_move_is_told_and_works_again(beamline, until):
    stage = LinearMotor(beamline.uri("sim/motor/stage"), name="stage")
    move = stage.set_position(45 * q.mm)
    until(lambda: stage.state == "moving")
    beamline.kill()
    began = time.monotonic()
    with pytest.raises(TangoConnectionError, match=r"^no connection to the server of sim/motor/stage") as caught:
        move.result()
    assert time.monotonic() - began < 5
    assert caught.value.__notes__ == ["while setting stage.position"]
    beamline.start()
    assert eventually(lambda: stage.position) == 0 * q.mm
    stage.position = 1 * q.mm
    assert stage.position == 1 * q.mm


@ON_HUB
def test_frozen_server_is_a_timeout_and_nothing_else_stops(beamline):
    stage = LinearMotor(beamline.uri("sim/motor/stage"), name="stage", timeout=0.5 * q.s)
    ticks = []
    ticker = gevent.spawn(lambda: [ticks.append(time.monotonic()) or gevent.sleep(0.005) for _ in iter(int, 1)])
    with beamline.frozen():
        began = time.monotonic()
        with pytest.raises(
            TangoTimeoutError, match=r"^sim/motor/stage did not answer within 0.5 s while reading Posit"
        ):
            stage.position
        assert time.monotonic() - began < 5
    ticker.kill()
    assert max(later - tick for tick, later in itertools.pairwise(ticks)) < 0.5
    assert eventually(lambda: stage.position) == 0 * q.mm


def test_freeze_in_the_middle_of_a_move_ends_the_wait_for_it(beamline, until):
    stage = LinearMotor(beamline.uri("sim/motor/stage"), name="stage", timeout=0.5 * q.s)
    move = stage.set_position(45 * q.mm)
    until(lambda: stage.state == "moving")
    with beamline.frozen(), pytest.raises(TangoTimeoutError):
        move.result()
    eventually(lambda: stage.stop().result())
    assert stage.state == "standby"


def test_events_come_again_after_a_restart_and_the_gap_is_told(start_server, until, caplog):
    server = start_server()
    device = get_tango_device(server.uri(SPECIMEN))
    events = []
    with caplog.at_level(logging.WARNING), device.subscribe("Number", events.append):
        until(lambda: events)
        server.kill()
        server.start()
        until(lambda: any(event.error for event in events), timeout=60)
        until(lambda: events[-1].gap, timeout=60)
        eventually(lambda: device.write_attribute("Number", 3.0))
        until(lambda: events[-1].value == 3)
    assert [bool(event.error) for event in events].count(True) == 1  # told once
    error = next(event.error for event in events if event.error)
    assert isinstance(error, TangoError)
    assert f"no events of {SPECIMEN}/Number: " in caplog.text
    assert f"events of {SPECIMEN}/Number come again after " in caplog.text


def test_subscribers_hear_of_a_change_that_fell_into_the_gap(start_server, until):
    server = start_server()
    device = TangoDevice(server.uri(SPECIMEN))
    device.number = 4 * q.mm
    seen = []
    device["number"].subscribe(lambda value: seen.append(value.get().result()))
    server.kill()
    server.start()  # where it is 1.5 mm again
    until(lambda: seen and seen[-1] == 1.5 * q.mm, timeout=60)
    device.close()


def test_subscription_to_a_server_that_does_not_run_begins_with_it(start_server, until):
    server = start_server()
    device = get_tango_device(server.uri(SPECIMEN))
    server.kill()
    events = []
    subscription = device.subscribe("Number", events.append)
    until(lambda: events)
    assert isinstance(events[0].error, TangoConnectionError)
    server.start()
    until(lambda: events[-1].value == 1.5, timeout=60)
    subscription.close()


def test_database_may_be_restarted(tmp_path, start_server):
    with Database(tmp_path) as database:
        server = start_server(database=database.host)
        device = get_tango_device(SPECIMEN, peer=database.host)
        database.kill()
        assert device.Number == 1.5  # whoever has found it needs no database
        with pytest.raises(TangoConnectionError, match=r"^no connection to the Tango database at "):
            get_tango_device("test/specimen/2", peer=database.host)
        database.start()
        other = eventually(lambda: get_tango_device("test/specimen/2", peer=database.host))
        assert other.Number == 1.5
        server.kill()
        server.start()
        assert eventually(lambda: device.Number) == 1.5


def test_frozen_database_is_told(tmp_path):
    with Database(tmp_path) as database, database.frozen():
        message = rf"^the Tango database at {database.host} did not tell within 0.5 s where a/b/c is$"
        with pytest.raises(TangoTimeoutError, match=message):
            get_tango_device("a/b/c", peer=database.host, timeout=0.5)


def test_fifty_futures_survive_a_restart(start_server):
    server = start_server()
    device = get_tango_device(server.uri(SPECIMEN))
    done = []

    @async_
    def read():
        outcomes = []
        while not done:
            try:
                outcomes.append(device.Number)
            except TangoError as error:
                outcomes.append(error)
                time.sleep(0.05)
        return [*outcomes, eventually(lambda: device.Number)]

    reads = [read() for _ in range(50)]
    time.sleep(0.2)
    server.kill()
    time.sleep(0.2)
    server.start()
    done.append(True)
    wait(reads)
    for future in reads:
        assert {each for each in future.result() if not isinstance(each, TangoError)} == {1.5}


PROGRAM = """
import sys, time
import concert
from concert.async_ import async_
from concert.networking.tango import get_tango_device
device = get_tango_device(sys.argv[1])
subscription = device.subscribe("Number", lambda event: None)
waiting = async_(device.Wait)(float(sys.argv[2]), timeout=60)
time.sleep(0.2)
print("at the end", flush=True)
"""


@pytest.mark.parametrize("gevent_enabled", ["1", "0"])
@pytest.mark.parametrize(
    ("duration", "status", "said"),
    [("2", 0, ""), ("50", 1, "ended at once, for test/specimen/1 has not answered while running Wait")],
)
def test_process_ends_with_subscriptions_and_calls_under_way(start_server, gevent_enabled, duration, status, said):
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, start_server().uri(SPECIMEN), duration],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"CONCERT_ENABLE_GEVENT": gevent_enabled},
    )
    assert (ended.returncode, ended.stdout) == (status, "at the end\n"), ended.stderr
    assert said in ended.stderr
    assert time.monotonic() - began < 30


def test_simulated_beamline_ends_with_who_started_it():
    with Server("concert.simulation.tango") as server:
        pid = server.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
