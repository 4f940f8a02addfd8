"""How long a scan takes and how much it stores, from what drivers, times and earlier scans tell."""

import time

import pytest

from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor
from concert.processes import Region, Scan, describe, station
from concert.processes._amounts import shown_size, shown_time
from concert.processes._points import Together
from concert.quantities import q
from tests.devices_for_tests import concurrent, until


@pytest.fixture
def stored(tmp_path, monkeypatch):
    monkeypatch.setattr(station, "where", lambda: tmp_path / "data")
    yield tmp_path / "data"
    station._catalogue = None


def seconds(scan):
    duration = scan.check().duration
    return None if duration is None else duration.m_as(q.s)


def took(scan):
    run = scan.start()
    run.join()
    return run.elapsed


SCANS = {
    "ascan": lambda x, y, read: describe.ascan(x, 5 * q.mm, 10 * q.mm, 10, 0.2 * q.s, read=read),
    "two motors": lambda x, y, read: describe.ascan(x, 0 * q.mm, 1 * q.mm, y, 0 * q.mm, 9 * q.mm, 3, read=read),
    "there and back": lambda x, y, read: describe.listscan(x, [5, 0, 5, 5, 0] * q.mm, read=read),
    "mesh": lambda x, y, read: describe.mesh(y, 0 * q.mm, 3 * q.mm, 3, x, 0 * q.mm, 4 * q.mm, 4, read=read),
    "snake": lambda x, y, read: describe.mesh(
        y, 0 * q.mm, 3 * q.mm, 3, x, 0 * q.mm, 4 * q.mm, 4, read=read, snake=True
    ),
    "timescan": lambda x, y, read: describe.timescan(2 * q.s, 5, read=read),
    "loopscan": lambda x, y, read: describe.loopscan(5, 0.5 * q.s, read=read),
    "other unit": lambda x, y, read: describe.ascan(x, 0 * q.um, 7000 * q.um, 10, read=read),
}


@concurrent  # otherwise motors do not move at the same time
@pytest.mark.parametrize("kind", SCANS)
def test_the_estimate_is_what_it_takes(kind, concert_clock):
    x, y = LinearMotor(speed=1 * q.mm / q.s, name="x"), LinearMotor(speed=2 * q.mm / q.s, name="y")
    scan = SCANS[kind](x, y, lambda: 1)
    estimated = seconds(scan)
    assert estimated == pytest.approx(took(scan), rel=0.05, abs=0.01)


def test_it_depends_on_where_the_motor_is(stage, diode):
    scan = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 1, read=diode)
    assert seconds(scan) == pytest.approx(1)
    stage.position = 100 * q.mm
    assert seconds(scan) == pytest.approx(11)


def test_every_step_of_a_device_counts_that_takes_a_while(concert_clock):
    slits = DummyDevice(delay=1 * q.s, name="slits")
    assert seconds(describe.ascan(slits, 0 * q.mm, 3 * q.mm, 3, read=lambda: 1)) == pytest.approx(3)  # it is at 0 mm


def test_a_driver_that_says_nothing_is_not_guessed(diode):
    ring = DummyDevice(name="device")
    assert seconds(Scan(Together([Region(ring["mode"], ["slow", "fast"])]), read=diode)) is None


def test_without_an_end_there_is_no_time(diode):
    scan = describe.timescan(1 * q.s, read=diode)
    assert seconds(scan) is None
    assert scan.check().size is None


def test_a_failing_estimate_of_a_driver_prevents_nothing(caplog):
    class Odd(LinearMotor):
        def _estimate_position(self, begin, end):
            raise ZeroDivisionError

    check = describe.ascan(Odd(name="odd"), 0 * q.mm, 1 * q.mm, 1, read=lambda: 1).check()
    assert check
    assert check.duration is None
    assert "how long odd.position takes to move could not be told" in caplog.text


def test_what_earlier_scans_took_is_learned(stored, monkeypatch):
    monkeypatch.delattr(DummyDevice, "_estimate_value")
    slits = DummyDevice(delay=0.05 * q.s, name="slits")
    scan = describe.ascan(slits, 0 * q.mm, 1 * q.mm, 10, read=lambda: 1)
    assert seconds(scan) is None
    took_s = took(scan)  # at least 0.05 s a point
    assert 0.04 * 11 < seconds(scan) < 1.5 * took_s
    more = describe.ascan(slits, 0 * q.mm, 1 * q.mm, 100, read=lambda: 1)
    assert seconds(more) == pytest.approx(seconds(scan) / 11 * 101)


def test_what_took_long_for_another_reason_is_not_taken(stored):
    slits = DummyDevice(delay=0.01 * q.s, name="slits")
    describe.ascan(slits, 0 * q.mm, 1 * q.mm, 5, 0.2 * q.s, read=lambda: 1).start().result()
    assert seconds(describe.ascan(slits, 1 * q.mm, 2 * q.mm, 4, read=lambda: 1)) == pytest.approx(0.04)


@pytest.mark.parametrize(("points", "readings"), [(20, 1), (5000, 1), (5000, 4)])
def test_the_size_is_about_what_is_stored(points, readings, stored):
    devices = [DummyDevice(name=f"device{number}") for number in range(readings + 1)]
    scan = describe.ascan(devices[0], 0 * q.mm, 1 * q.mm, points, read=devices[1:], gather=True)
    estimated = scan.check().size
    scan.start().result()
    written = sum(file.stat().st_size for file in stored.glob("scan_*.h5"))
    assert written < estimated < 6 * written


@pytest.mark.parametrize(
    ("time_s", "text"),
    [(0, "0 s"), (0.0512, "0.051 s"), (3.14, "3.1 s"), (11, "11 s"), (150, "2 min 30 s"), (90061, "25 h 1 min")],
)
def test_times_as_people_say_them(time_s, text):
    assert shown_time(time_s) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(12, "12 B"), (1234, "1.2 kB"), (40_200, "40 kB"), (999_700, "1.0 MB"), (812e9, "812 GB"), (3.2e13, "32 TB")],
)
def test_sizes_as_people_say_them(size, text):
    assert shown_size(size) == text


def test_what_measuring_costs_that_nothing_is_known_of_is_learned(stored):
    def slow():
        time.sleep(0.002)
        return 1

    began = time.monotonic()
    scan = describe.loopscan(200, read=slow)
    scan.start().join()
    assert seconds(scan) > 0.5 * (time.monotonic() - began)


@concurrent
def test_the_way_back_of_a_relative_scan_counts(concert_clock):
    x = LinearMotor(speed=1 * q.mm / q.s, position=5 * q.mm, name="x")
    scan = describe.dscan(x, -1 * q.mm, 4 * q.mm, 5, read=lambda: 1)
    assert seconds(scan) == pytest.approx(1 + 5 + 4)
    assert seconds(scan) == pytest.approx(took(scan), abs=0.1)


@concurrent
def test_what_remains_is_reckoned_before_the_first_point_and_not_taken_from_the_way_to_it(concert_clock):
    x = LinearMotor(speed=1 * q.mm / q.s, position=20 * q.mm, name="x")
    run = describe.ascan(x, 0 * q.mm, 10 * q.mm, 10, read=lambda: 1).start()
    until(lambda: run.began is not None)
    assert run.remaining == pytest.approx(30, abs=0.1)
    points = iter(run)
    next(points), next(points), next(points)
    assert run.remaining == pytest.approx(8, abs=0.3)
    run.abort()
