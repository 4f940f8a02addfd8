"""Knowing before going: everything that is wrong, at once, in words and as data, and nothing moved."""

import os
import shutil
import threading
import time
from collections import namedtuple

import numpy as np
import pytest

from concert.base import LockError, Quantity, State, check
from concert.devices.base import Device
from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor
from concert.processes import (
    Check,
    Finding,
    Region,
    Scan,
    ScanRefused,
    active_runs,
    ascan,
    describe,
    interlock,
    mesh,
    station,
)
from concert.processes import _foreground as verbs
from concert.processes._interlocks import installed
from concert.processes._points import Grid, Together
from concert.quantities import q
from tests.devices_for_tests import LATE, Stage, concurrent, elsewhere, until
from tests.unit.processes.conditions import Ring


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Let scans be stored; the value is where."""
    monkeypatch.setattr(station, "where", lambda: tmp_path / "data")
    yield tmp_path / "data"
    station._catalogue = None


class Camera(Device):
    """A detector, which answers, or raises its *trouble*."""

    main_parameter = "mean"
    state = State(fget=lambda self: self.answer("standby"))
    mean = Quantity(q.count, fget=lambda self: self.answer(5 * q.count))
    integration_time = Quantity(q.s, upper=10 * q.s, fset=lambda self, value: None, fget=lambda self: 1 * q.s)

    def __init__(self):
        super().__init__("camera")
        self.trouble = None

    def answer(self, value):
        if self.trouble is not None:
            raise self.trouble
        return value


@pytest.fixture
def camera():
    return Camera()


def texts(check):
    return [(each.subject, each.text) for each in check.findings]


def test_nothing_is_wrong(stage, diode):
    check = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 20, 0.1 * q.s, read=diode).check()
    assert check
    assert isinstance(check, Check)
    assert (check.points, check.findings, check.size, check.free) == (21, (), None, None)
    assert check.duration.m_as(q.s) == pytest.approx(1 + 2.1)
    assert str(check) == "ascan stage 0–10 mm, 21 points, 0.1 s, about 3.1 s\nno problems; nothing was moved"


def test_everything_that_is_wrong_is_told_at_once(stage, camera):
    stage["position"].lower = 0 * q.mm
    camera.trouble = ConnectionError("no connection to 10.0.3.9:4002")
    check = describe.ascan(stage, -1 * q.mm, 10 * q.mm, 20, 20 * q.s, read=camera).check()
    assert not check
    assert str(check).splitlines() == [
        "ascan stage -1–10 mm, 21 points, 20 s, about 7 min 1 s",
        "  point 0–1   stage -1 mm, -0.45 mm are below its soft limit 0 mm",
        "  camera      camera.integration_time 20 s is outside its soft limits [none, 10 s]",
        "  camera      state cannot be read: ConnectionError: no connection to 10.0.3.9:4002",
        "3 problems; nothing was moved",
    ]
    assert repr(check) == str(check)


def test_findings_are_data(stage, diode):
    stage["position"].lower, stage["position"].upper = 1 * q.mm, 8 * q.mm
    below, above = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 10, read=diode).check().findings
    assert isinstance(below, Finding)
    assert (below.points.tolist(), above.points.tolist()) == ([0], [9, 10])
    assert below.prevents


def test_a_scan_that_fails_its_check_moves_nothing(stage, diode):
    stage["position"].upper = 8 * q.mm
    scan = describe.ascan(stage, 1 * q.mm, 10 * q.mm, 9, read=diode)
    scan.hooks.before_scan.append(lambda: pytest.fail("it was begun"))
    run = scan.start()
    error = run.exception()
    assert isinstance(error, ScanRefused)
    assert str(error) == "point 8–9: stage 9 mm, 10 mm are above its soft limit 8 mm; nothing was moved"
    assert not error.check
    assert (run.status, active_runs()) == ("failed", [])
    assert stage.position == 0 * q.mm


def test_an_error_about_several_things_carries_the_table(stage, diode):
    stage["position"].lower, stage["position"].upper = 1 * q.mm, 8 * q.mm
    error = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 10, read=diode).start().exception()
    assert str(error).splitlines() == [
        "2 problems, nothing was moved",
        "  point 0      stage 0 mm is below its soft limit 1 mm",
        "  point 9–10   stage 9 mm, 10 mm are above its soft limit 8 mm",
    ]


def test_a_dry_run_of_a_verb_moves_nothing(stage, diode):
    check = ascan(stage, 0 * q.mm, 10 * q.mm, 20, read=diode, dry_run=True)
    assert isinstance(check, Check)
    assert check
    assert stage.position == 0 * q.mm


@pytest.mark.parametrize("name", verbs.SCANS)
def test_every_verb_has_a_dry_run(name, stage, lift, diode):
    span = 1 * q.mm, 2 * q.mm
    single = {
        "mesh": (stage, *span, 2),
        "amesh": (stage, *span, 2),
        "dmesh": (stage, *span, 2),
        "listscan": (stage, [1, 2] * q.mm),
        "timescan": (1 * q.s, 3),
        "loopscan": (3,),
        "adaptive": (stage, lambda data: None),
        "fscan": (stage, [1 * q.mm]),
    }
    others = [LinearMotor(name=each) for each in ("a", "b")]
    motors = [stage, lift, *others][: int(name[1])] if name[1].isdigit() else [stage]
    given = single.get(name) or (*(each for motor in motors for each in (motor, *span)), 2)
    check = getattr(verbs, name)(*given, read=diode, dry_run=True)
    assert check
    assert stage.position == 0 * q.mm


# -- points -------------------------------------------------------------------------------------------------------


def test_relative_scans_are_checked_where_they_would_go(stage, diode):
    stage["position"].upper = 10 * q.mm
    stage.position = 9 * q.mm
    assert describe.dscan(stage, -1 * q.mm, 1 * q.mm, 2, read=diode).check()
    check = describe.dscan(stage, -2 * q.mm, 2 * q.mm, 4, read=diode).check()
    assert texts(check) == [("point 4", "stage 11 mm is above its soft limit 10 mm")]


def test_a_relative_scan_must_be_able_to_go_back(stage, diode):
    stage.position = 9 * q.mm
    stage["position"].upper = 8 * q.mm
    check = describe.dscan(stage, -5 * q.mm, -4 * q.mm, 2, read=diode).check()
    assert texts(check) == [("stage", "could not go back: stage.position 9 mm is outside its soft limits [none, 8 mm]")]


@pytest.mark.parametrize("snake", [False, True])
def test_of_a_mesh_every_point_is_told(stage, lift, diode, snake):
    stage["position"].lower, lift["position"].upper = 1 * q.mm, 1 * q.mm
    scan = describe.mesh(lift, 0 * q.mm, 2 * q.mm, 2, stage, 0 * q.mm, 2 * q.mm, 2, read=diode, snake=snake)
    above, below = scan.check().findings
    points = list(scan)
    assert above.points.tolist() == [index for index, (y, _) in enumerate(points) if y > 1 * q.mm]
    assert below.points.tolist() == [index for index, (_, x) in enumerate(points) if x < 1 * q.mm]


def test_wrong_units_are_told(stage, diode):
    check = describe.ascan(stage, 0 * q.s, 1 * q.s, 1, read=diode).check()
    assert texts(check) == [("point 0–1", "stage.position must be given in mm, not 0 s")]
    relative = describe.dscan(stage, 0 * q.s, 1 * q.s, 1, read=diode).check()
    assert not relative


def test_a_selection_takes_what_it_knows():
    device = DummyDevice(name="device")
    scan = Scan(Together([Region(device["mode"], ["slow", "medium", "fast", "medium"])]), read=lambda: 1)
    text = "device.mode must be one of 'slow', 'fast', not 'medium'"
    assert texts(scan.check()) == [("point 1, 3", text)]


def test_shapes_are_checked():
    stage = Stage("stage")
    good = Scan(Together([Region(stage["corner"], np.zeros((3, 2)) * q.mm)]), read=lambda: 1)
    assert good.check()
    outside = Scan(Together([Region(stage["corner"], [[0, 0], [0, 2]] * q.mm)]), read=lambda: 1)
    assert texts(outside.check()) == [("point 1", "stage.corner [0 2] mm is outside its soft limits [-1 mm, 1 mm]")]
    wrong = Scan(Together([Region(stage["corner"], [0, 1] * q.mm)]), read=lambda: 1)
    assert texts(wrong.check()) == [("point 0–1", "stage.corner must be an array of shape (2,), not 0 mm")]


def test_nan_is_told(stage, diode):
    check = describe.listscan(stage, [1, np.nan, 3] * q.mm, read=diode).check()
    assert texts(check) == [("point 1", "stage nan mm is no number")]


def test_a_locked_parameter_and_one_that_cannot_be_written_are_told(stage, diode):
    stage["position"].lock()
    lamp = Ring()
    scan = Scan(Together([Region(stage, [1] * q.mm), Region(lamp["current"], [1] * q.mA)]), read=diode)
    assert texts(scan.check()) == [("stage.position", "is locked")]

    class Gauge(Device):
        pressure = Quantity(q.Pa, fget=lambda self: 1 * q.Pa)

    scan = Scan(Together([Region(Gauge("gauge")["pressure"], [1] * q.Pa)]), read=diode)
    assert texts(scan.check()) == [("gauge.pressure", "cannot be written")]


def test_generated_points_are_checked_while_it_runs(stage, diode):
    stage["position"].upper = 2 * q.mm
    scan = describe.fscan(stage, [1 * q.mm, 3 * q.mm], read=diode)
    check = scan.check()
    assert check
    assert texts(check) == [("points", "are decided on while it runs, and checked then")]
    assert check.points is None
    assert check.duration is None


def test_a_million_points_take_no_time(stage, lift, diode):
    lift["position"].upper = 5 * q.mm
    scan = describe.mesh(lift, 0 * q.mm, 6 * q.mm, 999, stage, 0 * q.mm, 1 * q.mm, 999, read=diode)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        check = scan.check()
        times.append(time.perf_counter() - began)
    assert min(times) < 1  # usually 0.07
    assert check.findings[0].points.tolist() == list(range(833_000, 1_000_000))


def test_points_beyond_a_million_are_checked_as_well(stage, lift, diode):
    lift["position"].upper = 5.9999 * q.mm
    scan = describe.mesh(lift, 0 * q.mm, 6 * q.mm, 999, stage, 0 * q.mm, 1 * q.mm, 9999, read=diode)
    assert texts(scan.check()) == [("beyond point 1000000", "lift 6 mm is above its soft limit 5.9999 mm")]


# -- devices ------------------------------------------------------------------------------------------------------


@concurrent
def test_a_device_that_hangs_is_told_and_holds_up_no_other(stage, camera, monkeypatch):
    monkeypatch.setattr("concert.processes._answers.ANSWER_TIME", 0.1)

    class Hanging(LinearMotor):
        def _get_position(self):
            gate.wait(LATE)
            return 0 * q.mm

    gate = threading.Event()
    hanging = Hanging(name="hanging")
    camera.trouble = ConnectionError("gone")
    points = Together([Region(hanging, [1] * q.mm), Region(stage, [1] * q.mm)])
    try:
        check = Scan(points, read=camera).check()
    finally:
        gate.set()
    assert texts(check) == [
        ("hanging", "no answer within 0.1 s"),
        ("camera", "state cannot be read: ConnectionError: gone"),
    ]


@concurrent
def test_all_devices_are_asked_at_the_same_time(concert_clock):
    class Slow(DummyDevice):
        def _get_value(self):
            time.sleep(1)
            return super()._get_value()

    devices = [Slow(name=f"slow{number}") for number in range(20)]
    check = Scan(Together([Region(each, [1] * q.mm) for each in devices]), read=lambda: 1).check()
    assert check
    assert concert_clock.now == pytest.approx(1)


def test_functions_are_not_called(stage):
    assert describe.ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=lambda: pytest.fail("it was called")).check()


def test_a_detector_that_integrates_is_not_read(stage, camera):
    camera.__class__ = type(
        "Mean", (Camera,), {"mean": Quantity(q.count, fget=lambda self: pytest.fail("it was read"))}
    )
    assert describe.ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=camera).check()


def test_a_state_in_which_it_cannot_be_set_is_told(diode):
    class Valve(Device):
        state = State(default="fault")
        opening = Quantity(q.percent, check=check(source=["open", "closed"]), fset=lambda self, value: None)

    check_ = Scan(Together([Region(Valve("valve")["opening"], [1] * q.percent)]), read=lambda: 1).check()
    assert texts(check_) == [("valve", "its opening can be set in state 'open' or 'closed', and it is 'fault'")]


def test_what_cannot_be_read_is_told(stage):
    class Lamp(Device):
        brightness = Quantity(q.percent, fset=lambda self, value: None)

    lamp = Lamp("lamp")
    check = describe.ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=lamp["brightness"]).check()
    assert texts(check) == [("lamp.brightness", "cannot be read")]
    relative = Scan(Together([Region(lamp["brightness"], [1] * q.percent, relative=True)]), read=stage).check()
    assert texts(relative) == [("lamp.brightness", "cannot be read, so nothing is relative to it")]


# -- locks --------------------------------------------------------------------------------------------------------


@concurrent
def test_who_holds_a_device_is_told(stage, lift, diode):
    running = describe.ascan(stage, 0 * q.mm, 100 * q.mm, 10, read=diode).start()
    until(lambda: running.points)
    scan = describe.ascan(stage, 0 * q.mm, 1 * q.mm, lift, 0 * q.mm, 1 * q.mm, 1, read=diode)
    ((subject, text),) = [each for each in texts(scan.check()) if each[1].startswith("held")]
    assert subject == "stage"
    assert text.startswith("held by ascan (")
    assert not scan.check()
    running.abort()


@concurrent
def test_a_scan_that_waits_for_who_holds_its_device_is_checked_afterwards(stage, diode):
    with stage:
        waiting = elsewhere(lambda: describe.ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=diode).start().result())
        stage["position"].upper = 0.5 * q.mm
    assert isinstance(waiting.exception(LATE), ScanRefused)


@concurrent
def test_what_is_held_is_refused_together_with_everything_else(stage, diode):
    scan = describe.ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=diode)
    with stage:
        assert isinstance(elsewhere(lambda: scan.start(refuse=True).result()).exception(LATE), LockError)
        stage["position"].upper = 0.5 * q.mm
        error = elsewhere(lambda: scan.start(refuse=True).result()).exception(LATE)
    assert isinstance(error, ScanRefused)
    assert [each.subject for each in error.check.problems] == ["point 1", "stage"]


def test_what_one_holds_oneself_is_no_problem(stage, diode):
    with stage:
        assert describe.ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=diode).check()


# -- interlocks, time and room ------------------------------------------------------------------------------------


def test_a_tripped_interlock_is_told_but_prevents_nothing(stage, diode):
    ring = Ring()
    ring.stored = 12 * q.mA
    try:
        interlock(ring["current"] > 80 * q.mA)
        scan = describe.ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=diode, interlocks=[ring["shutter"].equals("closed")])
        check = scan.check()
    finally:
        installed.clear()
    assert check
    assert texts(check) == [
        ("interlock", "ring.shutter is 'open', wanted 'closed'; the scan waits"),
        ("interlock", "ring.current is 12 mA, wanted > 80 mA; the scan waits"),
    ]
    assert not any(each.prevents for each in check.findings)


Usage = namedtuple("Usage", "total used free")


def test_room_on_the_disk(stage, diode, stored, monkeypatch):
    scan = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 1_000_000, read=diode)
    check = scan.check()
    assert check
    assert check.free == pytest.approx(shutil.disk_usage(stored.parent).free, rel=0.1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 10**6, 10**6))
    assert texts(scan.check()) == [("disk", f"76 MB are needed, and 1.0 MB are free in {stored}")]
    assert "76 MB of 1.0 MB" in str(scan.check())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written(stage, diode, stored):
    stored.mkdir(mode=0o500)
    check = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 10, read=diode).check()
    assert texts(check) == [("disk", f"{stored} cannot be written")]


def test_a_file_in_the_place_of_the_directory(stage, diode, stored):
    stored.write_text("")
    check = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 10, read=diode).check()
    assert texts(check) == [("disk", f"{stored} cannot be written")]


def test_a_check_makes_no_scan(stage, diode, stored):
    describe.ascan(stage, 0 * q.mm, 10 * q.mm, 10, read=diode).check()
    assert len(station.catalogue) == 0


def test_a_mesh_without_fitting_points_names_both(stage, lift, diode):
    stage["position"].upper = lift["position"].upper = -1 * q.mm
    with pytest.raises(ScanRefused, match="2 problems, nothing was moved"):
        mesh(lift, 0 * q.mm, 1 * q.mm, 1, stage, 0 * q.mm, 1 * q.mm, 1, read=diode, show=False)


def test_a_snake_needs_no_flying_back(stage, lift, diode):
    regions = [Region(lift, [0, 1, 2] * q.mm), Region(stage, [0, 10] * q.mm)]
    fly = Scan(Grid(regions), read=diode).check().duration.m_as(q.s)
    snake = Scan(Grid(regions, snake=True), read=diode).check().duration.m_as(q.s)
    assert fly == pytest.approx(3 * 1 + 2 * 1)  # at 10 mm/s: three lines, and back twice
    assert snake == pytest.approx(3 * 1 + 2 * 0.1)
