"""Snapshots and how they differ: as data, and as tables."""

import threading

import pytest

from concert.base import Quantity
from concert.devices.base import Device
from concert.devices.dummy import DummyDevice
from concert.processes import ScanError, ascan, diff, snapshot
from concert.processes._diff import MISSING
from concert.processes._station import station
from concert.quantities import q
from tests.devices_for_tests import LATE, concurrent


@pytest.fixture
def slits():
    return DummyDevice(1 * q.mm, name="slits")


@pytest.fixture
def session(slits, monkeypatch, tmp_path):
    devices = {"slits": slits}
    monkeypatch.setattr(station, "devices", lambda: devices)
    monkeypatch.setattr(station, "where", lambda: tmp_path)
    return devices


def scan(slits, start):
    return ascan(slits, start * q.mm, (start + 1) * q.mm, 1, read=lambda: 0, show=False)


def test_a_snapshot_has_every_parameter_and_prints_as_a_table(slits):
    taken = snapshot({"slits": slits})
    assert taken["slits"]["value"] == 1 * q.mm
    lines = str(taken).splitlines()
    assert lines[0].split() == ["device", "parameter", "value"]
    assert "slits" in lines[1]
    assert any(line.split() == ["value", "1", "mm"] for line in lines)


def test_a_snapshot_tells_why_something_is_not_in_it():
    class Broken(DummyDevice):
        def _get_value(self):
            raise ConnectionError("no answer from 10.0.3.9")

    assert snapshot({"lamp": Broken()})["lamp"]["value"] == "unavailable: no answer from 10.0.3.9"


@concurrent
def test_a_snapshot_does_not_wait_for_a_device_that_hangs(slits, monkeypatch):
    class Hanging(DummyDevice):
        def _get_value(self):
            gate.wait(LATE)
            return 0 * q.mm

    monkeypatch.setattr("concert.processes._answers.ANSWER_TIME", 0.1)
    gate = threading.Event()
    try:
        taken = snapshot({"hanging": Hanging(), "slits": slits})
    finally:
        gate.set()
    assert taken["hanging"]["value"] == "no answer within 0.1 s"
    assert taken["slits"]["value"] == 1 * q.mm


@pytest.mark.parametrize("detects", [True, False])
def test_a_snapshot_has_the_settings_of_a_detector_and_does_not_wait_for_what_it_measures(detects):
    class Detector(Device):
        main_parameter = "counts"
        counts = Quantity(q.count)
        integration_time = Quantity(q.s)

        def _get_counts(self):
            raise AssertionError("nobody is to measure now")

        def _get_integration_time(self):
            return 3 * q.s

    Detector.detects = detects
    assert snapshot({"detector": Detector()}) == {"detector": {"integration_time": 3 * q.s}}


def test_a_detector_that_has_nothing_to_set_is_still_there(session, slits, diode):
    session["diode"] = diode
    scan(slits, 1)
    stored = station.catalogue.last
    assert stored.snapshot_before["diode"] == stored.snapshot_after["diode"] == {}
    assert diff(1) == [("slits", "value", 1 * q.mm, 2 * q.mm)]


def test_two_snapshots_differ_where_something_was_set(slits):
    before = snapshot({"slits": slits})
    slits.value = 3 * q.mm
    slits.comment = "wide"
    changes = diff(before, snapshot({"slits": slits}))
    assert [tuple(change) for change in changes] == [
        ("slits", "comment", "", "wide"),
        ("slits", "value", 1 * q.mm, 3 * q.mm),
    ]
    assert [change.difference for change in changes] == [None, 2 * q.mm]
    assert str(changes).splitlines()[2].split() == ["value", "1", "mm", "3", "mm", "+2", "mm"]


def test_the_same_in_another_unit_is_the_same():
    assert diff({"x": {"p": 1 * q.mm}}, {"x": {"p": 1000.0 * q.um}}) == []


def test_within_its_tolerance_a_value_is_the_same(session, slits):
    slits["value"].tolerance = 2 * q.um
    before = {"slits": {"value": 1 * q.mm}}
    assert diff(before, {"slits": {"value": 1.001 * q.mm}}) == []
    assert len(diff(before, {"slits": {"value": 1.003 * q.mm}})) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [(1 * q.mm, 1 * q.s), (1 * q.mm, "gone"), ([1, 2] * q.mm, [1, 2, 3] * q.mm), (1 * q.mm, 1)],
)
def test_what_cannot_be_compared_is_different(before, after):
    (change,) = diff({"x": {"p": before}}, {"x": {"p": after}})
    assert change.difference is None


def test_what_there_was_not_is_missing():
    (change,) = diff({}, {"x": {"p": 1 * q.mm}})
    assert change.before is MISSING
    assert "–" in str(diff({}, {"x": {"p": 1 * q.mm}}))


def test_no_difference_is_a_sentence():
    assert str(diff({}, {})) == "nothing is different between first and second"


def test_temperatures_differ_by_a_difference():
    (change,) = diff({"x": {"p": q.Quantity(20.0, q.degC)}}, {"x": {"p": q.Quantity(25.0, q.degC)}})
    assert change.difference == q.Quantity(5, q.delta_degC)


def test_scans_stand_for_what_they_were_done_with(session, slits):
    scan(slits, 1)
    slits.comment = "wide"
    scan(slits, 5)
    changes = diff(1, 2)
    assert [(change.parameter, change.before, change.after) for change in changes] == [
        ("comment", "", "wide"),
        ("value", 1 * q.mm, 2 * q.mm),
    ]
    assert "scan 1" in str(changes)


def test_one_scan_stands_for_what_it_has_changed(session, slits):
    scan(slits, 5)
    for changes in (diff(), diff(1)):
        assert [(change.parameter, change.after) for change in changes] == [("value", 6 * q.mm)]


def test_a_snapshot_is_compared_with_now(session, slits):
    then = snapshot()
    slits.value = 9 * q.mm
    assert [change.after for change in diff(then)] == [9 * q.mm]


@pytest.mark.parametrize("arguments", [(), (1,), (1, 2)])
def test_without_stored_scans_there_is_nothing_to_compare(arguments):
    with pytest.raises(ScanError, match=r"no scan has been stored yet|scans are not stored here"):
        diff(*arguments)


def test_a_scan_that_there_is_not_is_refused(session, slits):
    scan(slits, 5)
    with pytest.raises(ScanError, match="there is no scan 7"):
        diff(1, 7)
