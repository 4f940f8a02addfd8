"""Verbs of scans as functions: going where a scan says and back, and telling scans in the background what to do."""

import re

import pytest

from concert.async_ import wait
from concert.base import LockError, SoftLimitError, ignore_sets
from concert.base._audit import listeners
from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor
from concert.processes import ScanError, _run, active_runs, describe, do, remember_moves, unsaid
from concert.processes._station import station
from concert.processes._undo import steps
from concert.quantities import q
from concert.session.futures import ended_by
from concert.session.prelude import *  # noqa: F403
from concert.session.scan_verbs import (
    abort,
    ascan,
    cen,
    goto,
    goto_cen,
    goto_com,
    goto_peak,
    mesh,
    pause,
    peak,
    redo,
    resume,
    undo,
)
from concert.session.verbs import VERBS, mv, mvr, stop
from tests.devices_for_tests import concurrent, until


@pytest.fixture(autouse=True)
def remembering(monkeypatch):
    monkeypatch.setattr(_run, "_ended", [])
    remember_moves()
    steps.clear()
    unsaid()
    yield
    for run in active_runs():
        run.abort()
        until(lambda run=run: run.over)
    steps.clear()
    unsaid()
    if steps.note in listeners:
        ignore_sets(steps.note)


@pytest.fixture
def x():
    device = DummyDevice(name="x")
    device.value
    return device


@pytest.fixture
def y():
    device = DummyDevice(name="y")
    device.value
    return device


@pytest.fixture
def slow(concert_clock):
    return DummyDevice(delay=1 * q.s, name="slow")


def hill(device, at=3 * q.mm):
    return lambda: max(0.0, 2 - abs((device.value - at).m_as(q.mm))) * q.V


def at(*devices):
    return [round(device.value.m_as(q.mm), 6) for device in devices]


def background(device, points=89, **options):
    scan = describe.ascan(device, 1 * q.mm, (points + 1) * q.mm, points, read=lambda: 7, **options)
    run = do(scan, background=True)
    until(lambda: run.points > 1)
    return run


def test_every_verb_is_there_for_session_files():
    assert [verb for verb in VERBS if verb not in globals()] == []


# -- going somewhere ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [goto_cen, goto_com, goto_peak])
def test_the_motor_goes_where_the_last_scan_says(x, verb, capsys):
    ascan(x, 0 * q.mm, 6 * q.mm, 12, read=hill(x), show=False)
    verb()
    assert at(x) == [3]
    assert capsys.readouterr().out == "x 6.0000 → 3.0000 mm\n"


def test_all_motors_of_a_mesh_go_together(x, y):
    mesh(y, 0 * q.mm, 2 * q.mm, 2, x, 2 * q.mm, 4 * q.mm, 2, read=lambda: hill(x)() * (3 - y.value.m), show=False)
    goto_peak()
    assert at(x, y) == [3, 0]
    goto(None, 5)
    assert at(x, y) == [4, 1]


def test_a_point_may_be_a_result_by_name_or_as_the_verb(x):
    data = ascan(x, 0 * q.mm, 6 * q.mm, 12, read=hill(x), show=False)
    for point in ("cen", cen, "peak", peak):
        mv(x, 0 * q.mm)
        goto(None, point)
        assert at(x) == [3]
    assert len(data) == 13


def test_all_motors_are_checked_before_the_first_one_moves(x, y):
    mesh(x, 0 * q.mm, 2 * q.mm, 2, y, 0 * q.mm, 2 * q.mm, 2, read=lambda: 7, show=False)
    y["value"].upper = 1 * q.mm
    wait([x["value"].set(0.5 * q.mm), y["value"].set(0.5 * q.mm)])
    with pytest.raises(SoftLimitError, match=r"y.value 2 mm is outside its soft limits"):
        goto(None, -1)
    assert at(x, y) == [0.5, 0.5]


def test_without_a_peak_nothing_moves(x):
    ascan(x, 0 * q.mm, 6 * q.mm, 12, read=lambda: 7, show=False)
    with pytest.raises(ValueError, match="has no peak with two flanks"):
        goto_cen()
    assert at(x) == [6]


def test_without_a_scan_there_is_nowhere_to_go():
    with pytest.raises(ScanError, match="no scan has been done yet"):
        goto_cen()


def test_a_motor_that_is_not_in_the_session_is_named(x, monkeypatch):
    data = ascan(x, 0 * q.mm, 6 * q.mm, 12, read=hill(x), show=False)
    monkeypatch.setattr(station, "devices", dict)
    with pytest.raises(ScanError, match="x, which the scan has moved, is not in this session"):
        goto_cen(data)


# -- going back -----------------------------------------------------------------------------------------------------


@concurrent
def test_a_set_that_a_scan_did_not_let_begin_is_nothing_to_undo(slow):
    mv(slow, 4 * q.mm)
    run = background(slow)
    waiting = slow.set_value(50 * q.mm)
    until(lambda: waiting.held_up)
    waiting.cancel()
    interrupt = KeyboardInterrupt()
    interrupt.ended = (waiting,)
    assert re.fullmatch(r"slow was not moved, it is held by .*ascan.*", ended_by(interrupt))
    run.abort()
    until(lambda: run.over)
    assert "ascan" in steps.last().label


def test_a_move_is_undone_and_done_again(x, y, capsys):
    mv(x, 4 * q.mm, y, 5 * q.mm)
    undo()
    assert at(x, y) == [0, 0]
    redo()
    assert at(x, y) == [4, 5]
    undone, redone = capsys.readouterr().out.splitlines()
    assert undone == "Undo mv: x 4.0000 → 0.0000 mm, y 5.0000 → 0.0000 mm"
    assert redone == "Redo mv: x 0.0000 → 4.0000 mm, y 0.0000 → 5.0000 mm"


def test_twice_goes_back_further(x):
    mv(x, 4 * q.mm)
    mvr(x, 1 * q.mm)
    undo()
    undo()
    assert at(x) == [0]


def test_a_scan_and_what_came_of_it_are_undone(x):
    mv(x, 1 * q.mm)
    ascan(x, 0 * q.mm, 6 * q.mm, 12, read=hill(x), show=False)
    goto_cen()
    undo()
    assert at(x) == [6]
    undo()
    assert at(x) == [1]


def test_an_undo_is_checked_before_anything_moves(x, y, capsys):
    mv(x, 4 * q.mm, y, 5 * q.mm)
    y["value"].lower = 1 * q.mm
    with pytest.raises(SoftLimitError):
        undo()
    assert at(x, y) == [4, 5]
    assert capsys.readouterr().out == ""


def test_what_nobody_knew_before_cannot_be_undone():
    fresh = DummyDevice(name="fresh")
    mv(fresh, 4 * q.mm)
    with pytest.raises(ScanError, match=r"mv cannot be undone: nobody knows what fresh.value was before"):
        undo()


def test_what_is_known_is_undone_and_the_rest_is_told(x, capsys):
    fresh = DummyDevice(name="fresh")
    mv(x, 4 * q.mm, fresh, 4 * q.mm)
    undo()
    assert at(x, fresh) == [0, 4]
    assert "(nobody knows what fresh.value was before: it stays)" in capsys.readouterr().out


@concurrent
def test_what_a_scan_holds_is_not_undone(slow):
    slow.value
    mv(slow, 4 * q.mm)
    run = background(slow)
    with pytest.raises(LockError, match=r"slow.value is held by ascan \(\d+/90.*\); wait, pause or stop it"):
        undo()
    run.abort()


# -- telling scans what to do ---------------------------------------------------------------------------------------


@concurrent
def test_the_only_scan_is_meant(slow, capsys):
    run = background(slow)
    pause()
    until(lambda: run.status == "paused")
    resume()
    until(lambda: run.status == "running")
    stop()
    assert run.status == "stopped"
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["ascan pauses before its next point; resume lets it go on", "ascan goes on"]
    assert re.match(r"Scan stopped after \d+ of 90 points", lines[2])
    assert unsaid() == []


@concurrent
def test_a_pause_has_the_reason_that_is_given(slow):
    run = background(slow)
    pause(reason="lunch")
    until(lambda: run.reason == "lunch")
    run.abort()


@concurrent
def test_abort_ends_it_now_and_says_how_far_it_was(slow, capsys):
    run = background(slow)
    abort(run)
    until(lambda: run.over)
    assert run.status == "aborted"
    assert "aborted after" in capsys.readouterr().out + "\n".join(unsaid())


@concurrent
def test_of_several_scans_one_has_to_be_named(slow):
    other = DummyDevice(delay=1 * q.s, name="other")
    runs = [background(slow), background(other)]
    for verb in (pause, resume, abort, stop):
        with pytest.raises(ScanError, match=r"2 scans are running, ascan \(.*\), ascan \(.*\); say which: \w+\(run\)"):
            verb()
    assert {run.status for run in runs} == {"running"}
    stop(runs[0])
    assert active_runs() == [runs[1]]
    runs[1].abort()


@pytest.mark.parametrize("verb", [pause, abort])
def test_without_a_scan_there_is_nothing_to_tell(verb):
    with pytest.raises(ScanError, match="no scan is running"):
        verb()
    with pytest.raises(ScanError, match="scan 7 is not running"):
        verb(7)


def test_stop_stops_devices_where_no_scan_runs(concert_clock, capsys):
    motor = LinearMotor(name="motor")
    stop(motor)
    assert "1 of 1 devices stopped" in capsys.readouterr().out


def test_resume_without_a_scan_to_go_on_with_says_so():
    with pytest.raises(ScanError, match="there is no stored scan to go on with"):
        resume()


@concurrent
def test_resume_of_a_scan_that_is_over_says_so(slow):
    run = background(slow)
    run.abort()
    until(lambda: run.over)
    with pytest.raises(ScanError, match="is over"):
        resume(run)


def test_resume_goes_on_with_a_stored_scan(x, tmp_path, monkeypatch, capsys):
    light = Light(x)
    monkeypatch.setattr(station, "where", lambda: tmp_path)
    monkeypatch.setattr(station, "devices", lambda: {"x": x, "light": light})
    with pytest.raises(RuntimeError, match="no light"):
        ascan(x, 1 * q.mm, 4 * q.mm, 3, read=light, show=False)
    assert station.catalogue.last.points == 2
    light.broken = False
    data = resume()
    assert data["x"].m_as(q.mm).tolist() == [1, 2, 3, 4]
    assert station.catalogue.last.status == "done"
    assert re.search(r"Scan 1 done in .* · .*/scan_0001.h5", capsys.readouterr().out)


class Light(DummyDevice):
    """Something to read that fails at the third point."""

    def __init__(self, device):
        super().__init__(name="light")
        self._device = device
        self.broken = True

    def _get_value(self):
        if self.broken and self._device.value > 2 * q.mm:
            raise RuntimeError("no light")
        return 7 * q.mm
