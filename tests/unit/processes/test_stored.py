"""Scans that are stored: numbered, described, and gone on with after they ended before their time."""

import json
import sqlite3
from functools import partial

import numpy as np
import pytest

from concert.async_ import Event, async_
from concert.async_._scope import begin_command
from concert.base import refusing
from concert.devices.dummy import DummyDevice
from concert.helpers import busy_wait
from concert.processes import Hooks, ScanError, _recording, describe, resumed, station, unfinished, watch
from concert.processes import snapshot as read_snapshot
from concert.quantities import q
from concert.storage import Catalogue, Record, StorageError
from tests.devices_for_tests import after, concurrent, until


class Interruption:
    """Something to read that fails at the reading of a given number, once."""

    def __init__(self):
        self.fails_at = None
        self.readings = 0

    def __call__(self):
        self.readings += 1
        if self.readings == self.fails_at:
            raise RuntimeError("no light")
        return self.readings * q.V


light = Interruption()


def close():
    """A hook that the session has a name for."""


@pytest.fixture
def session(slits, tmp_path, monkeypatch):
    """A session with a device and two functions, whose scans are stored."""
    names = {"slits": slits, "light": light, "close": close}
    monkeypatch.setattr(light, "readings", 0)
    monkeypatch.setattr(light, "fails_at", None)
    monkeypatch.setattr(station, "session", "imaging")
    monkeypatch.setattr(station, "names", lambda: names)
    monkeypatch.setattr(station, "devices", lambda: {"slits": names["slits"]})
    monkeypatch.setattr(station, "where", lambda: tmp_path / "data")
    yield names
    station._catalogue = None


def interrupted(scan, at):
    light.fails_at = light.readings + at
    with pytest.raises(RuntimeError, match="no light"):
        scan.start().result()


def go_on():
    stored = unfinished()
    return resumed(stored).start(number=stored.number)


@concurrent
@pytest.mark.parametrize("at", [1, 3, 5], ids=["first", "middle", "last"])
def test_a_scan_waits_for_a_directory_that_is_gone_and_loses_nothing(session, tmp_path, at):
    data, away = tmp_path / "data", tmp_path / "away"

    def reading():
        light.readings += 1
        if light.readings == at:
            data.rename(away)
        return light.readings * q.V

    session["reading"] = reading
    run = describe.ascan(session["slits"], 0 * q.mm, 4 * q.mm, 4, read=reading).start()
    until(lambda: run.status == "paused")
    assert "is gone" in run.reason
    away.rename(data)
    assert run.result()["reading"].m_as(q.V).tolist() == [1, 2, 3, 4, 5]
    assert (run.status, len(station.catalogue.last.data)) == ("done", 5)


def positions(data):
    return data["slits"].m_as(q.mm).tolist()


def test_a_stored_scan_has_a_number_and_everything_about_it(session):
    begin_command("ascan slits 0 mm 3 mm 3")
    run = describe.ascan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=light, metadata={"sample": "Fe"}).start()
    assert positions(run.result()) == [0, 1, 2, 3]
    stored = station.catalogue.last
    assert (stored.number, stored.status, stored.session, stored.kind) == (run.number, "done", "imaging", "ascan")
    assert stored.command == "ascan slits 0 mm 3 mm 3"
    assert stored.metadata == {"sample": "Fe"}
    assert [(column.name, column.role, column.device) for column in stored.columns] == [
        ("slits", "positioner", "slits"),
        ("light", "detector", ""),
    ]
    begin_command()


def test_what_all_devices_were_set_to_before_and_after_is_kept(session):
    describe.ascan(session["slits"], 1 * q.mm, 3 * q.mm, 2, read=light).start().join()
    stored = station.catalogue.last
    assert stored.snapshot_before["slits"]["value"] == 0 * q.mm
    assert stored.snapshot_after["slits"]["value"] == 3 * q.mm


def test_a_snapshot_says_what_cannot_be_read():
    class Broken(DummyDevice):
        def _get_comment(self):
            raise OSError("no answer")

    taken = read_snapshot({"slits": Broken(name="slits")})
    assert taken["slits"]["comment"] == "unavailable: no answer"
    assert taken["slits"]["mode"] == "slow"


def test_points_are_reported_when_they_are_durable(session):
    run = describe.ascan(session["slits"], 0 * q.mm, 9 * q.mm, 9, read=light, gather=True).start()
    for point, _ in enumerate(run, 1):
        assert len(station.catalogue[run.number].rows()) >= point


def test_a_scan_that_is_refused_gets_no_number(session):
    session["slits"]["value"].upper = 1 * q.mm
    with pytest.raises(ScanError, match="above its soft limit"):
        describe.ascan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=light).start().result()
    assert len(station.catalogue) == 0


@pytest.mark.parametrize("at", [1, 3, 4], ids=["first", "middle", "last"])
def test_a_scan_goes_on_behind_its_last_point(session, at):
    interrupted(describe.ascan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=light), at)
    assert station.catalogue.last.points == at - 1
    run = go_on()
    assert positions(run.result()) == [0, 1, 2, 3]
    assert (run.number, station.catalogue.last.status, len(station.catalogue)) == (1, "done", 1)


SCANS = {
    "mesh": lambda slits: describe.mesh(slits["value"], 0 * q.mm, 3 * q.mm, 3, snake=True, read=light),
    "list of texts": lambda slits: describe.listscan(slits["mode"], ["slow", "fast", "slow", "fast"], read=light),
    "time": lambda slits: describe.timescan(0.001 * q.s, 4, read=light),
    "loop": lambda slits: describe.loopscan(4, read=light),
    "relative": lambda slits: describe.dscan(slits, -1 * q.mm, 2 * q.mm, 3, read=[light, slits["comment"]]),
    "hooks": lambda slits: describe.ascan(
        slits, 0 * q.mm, 3 * q.mm, 3, 0.001 * q.s, read=light, hooks=Hooks(cleanup=[close, slits["value"].stash])
    ),
}


@pytest.mark.parametrize("kind", SCANS)
def test_every_kind_of_scan_can_go_on(session, kind):
    interrupted(SCANS[kind](session["slits"]), 3)
    json.dumps(station.catalogue.last.plan)
    data = go_on().result()
    assert len(data) == 4
    assert data["light"].m_as(q.V).tolist() == [1, 2, 4, 5]


def test_points_are_exactly_those_of_an_uninterrupted_scan(session):
    def scan():
        return describe.ascan(session["slits"], 0.1 * q.mm, 1.3 * q.mm, 7, read=light)

    whole = positions(scan().start().result())
    interrupted(scan(), 5)
    assert positions(go_on().result()) == whole


def test_a_relative_scan_goes_back_to_where_it_began(session):
    session["slits"].value = 10 * q.mm
    interrupted(describe.dscan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=light), 3)
    session["slits"].value = 50 * q.mm  # somebody has moved it since
    assert positions(go_on().result()) == [10, 11, 12, 13]
    assert session["slits"].value == 10 * q.mm


def double(data):
    """Decide by what was measured, as the session's function."""
    return None if len(data) == 4 else (2 ** len(data)) * q.mm


def steps():
    """Give points, as the session's generator function."""
    yield from np.arange(4) * q.mm


@pytest.mark.parametrize(("describes", "function"), [(describe.adaptive, double), (describe.fscan, steps)])
def test_points_that_a_function_decides_on_go_on(session, describes, function):
    session["function"] = function
    interrupted(describes(session["slits"], function, read=light), 3)
    data = go_on().result()
    assert positions(data) == ([1, 2, 4, 8] if function is double else [0, 1, 2, 3])


def test_what_has_no_name_in_the_session_is_said_when_it_is_to_go_on(session):
    interrupted(describe.ascan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=[light, lambda: 1]), 2)
    with pytest.raises(ScanError, match=r"<lambda> has no name in the session; give it one there"):
        resumed(unfinished())


def test_a_session_that_has_lost_a_device_says_so(session):
    interrupted(describe.ascan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=light), 2)
    station.devices = dict
    with pytest.raises(ScanError, match="needs the device slits, which the session does not have; it has none"):
        resumed(unfinished())


def test_a_scan_that_is_done_does_not_go_on(session):
    with pytest.raises(ScanError, match=r"there is no stored scan in .* to go on with"):
        unfinished()
    describe.loopscan(1, read=light).start().join()
    with pytest.raises(ScanError, match="scan 1 is done, there is nothing to go on with"):
        unfinished()
    with pytest.raises(ScanError, match="there is no scan 7"):
        unfinished(7)


class Refusing:
    """Lets the end of a scan fail to be stored, as with a full disk, as long as *full*."""

    def __init__(self, monkeypatch, full=True):
        self.full = full
        finish = Record.finish

        def refuse(record, *args):
            if self.full:
                raise StorageError("there is no room left")
            finish(record, *args)

        monkeypatch.setattr(Record, "finish", refuse)
        monkeypatch.setattr(_recording, "RETRY", 0.01)


@concurrent
@pytest.mark.parametrize("end", ["done", "aborted"])
def test_an_end_that_cannot_be_stored_calls_no_hooks_and_holds_nothing(session, monkeypatch, end):
    refusing_end = Refusing(monkeypatch)
    called = []
    hooks = Hooks(**{moment: [partial(called.append, moment)] for moment in ("on_pause", "on_resume", "cleanup")})
    slits = session["slits"]
    reading = light if end == "done" else after(2, lambda: run.abort(block=False))
    run = describe.ascan(slits, 0 * q.mm, 3 * q.mm, 3, read=reading, hooks=hooks).start()
    until(lambda: run.reason == "there is no room left")
    with refusing():
        slits.value = 9 * q.mm
    refusing_end.full = False
    until(lambda: run.over)
    assert (run.status, station.catalogue.last.status) == (end, end)
    assert called == ["cleanup"]


@concurrent
def test_a_stop_while_nothing_can_be_stored_is_a_stop(session, tmp_path, monkeypatch):
    monkeypatch.setattr("concert.storage._connection.LOOK", -1)  # it is seen at once that the file is gone
    data, away = tmp_path / "data", tmp_path / "away"
    session["reading"] = after(2, lambda: data.rename(away))
    run = describe.ascan(session["slits"], 0 * q.mm, 4 * q.mm, 4, read=session["reading"]).start()
    until(lambda: run.status == "paused")
    run.stop()
    away.rename(data)
    assert len(run.result()) == 2
    assert (run.status, run.points, station.catalogue.last.points) == ("stopped", 2, 2)


@concurrent
def test_who_follows_a_scan_waits_with_it_for_a_directory_that_is_gone(session, tmp_path, monkeypatch):
    monkeypatch.setattr("concert.storage._connection.LOOK", -1)
    data, away = tmp_path / "data", tmp_path / "away"
    session["reading"] = after(2, lambda: data.rename(away))
    run = describe.ascan(session["slits"], 0 * q.mm, 4 * q.mm, 4, read=session["reading"]).start()
    following = async_(watch)(run)
    until(lambda: run.status == "paused")
    assert not following.done()
    away.rename(data)
    assert len(following.result()) == 5
    assert run.status == "done"


@concurrent
def test_an_abort_while_the_scan_gets_its_number_ends_it(session, monkeypatch):
    begin, begun = Catalogue.begin, Event()

    def slow(catalogue, header):
        record = begin(catalogue, header)
        begun.set()
        busy_wait(lambda: run._kills, 0.001, 10)
        return record

    monkeypatch.setattr(Catalogue, "begin", slow)
    run = describe.ascan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=light).start()
    begun.wait()
    run.abort()
    assert (run.status, station.catalogue.last.status, station.catalogue.last.points) == ("aborted", "aborted", 0)


def test_an_adaptive_scan_that_gathers_gets_all_points_so_far(session):
    seen = []

    def next_point(data):
        seen.append(len(data))
        return len(data) * q.mm if len(data) < 5 else None

    session["next_point"] = next_point
    describe.adaptive(session["slits"], next_point, read=light, gather=True).start().join()
    assert seen == [0, 1, 2, 3, 4, 5]


def test_the_time_goes_on_when_the_clock_was_set_back(session, tmp_path):
    scan = describe.loopscan(4, read=light)
    interrupted(scan, 3)
    with sqlite3.connect(tmp_path / "data" / "scans.sqlite") as connection:
        connection.execute("UPDATE scans SET began_at = began_at + 3600, began = ?", ("2100-01-01T00:00:00+00:00",))
    times = go_on().result()["time"].m_as(q.s)
    assert (times >= 0).all()
    assert (times[1:] >= times[:-1]).all()


def test_a_scan_that_nobody_here_writes_any_more_can_go_on(session):
    interrupted(describe.ascan(session["slits"], 0 * q.mm, 3 * q.mm, 3, read=light), 2)
    catalogue = station.catalogue
    catalogue._journal.call(lambda connection: connection.execute("UPDATE scans SET status = 'running', has_file = 0"))
    assert catalogue.last.status == "interrupted"
    assert positions(go_on().result()) == [0, 1, 2, 3]
