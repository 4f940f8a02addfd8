"""The catalogue: numbers that are never used twice, and scans that are found again."""

import os
import subprocess
import sys
from datetime import datetime, timedelta

import numpy as np
import pytest

from concert.async_ import async_, resolve
from concert.quantities import q
from concert.storage import Catalogue, Column

h5py = pytest.importorskip("h5py")

DIE = """
import os, sys
from concert.quantities import q
from concert.storage import Catalogue, Column, Header
columns = (Column("stage", "positioner"), Column("diode", "detector"))
record = Catalogue(sys.argv[1]).begin(Header("scan", columns=columns))
for number in range(3):
    record.append((number * q.mm, number * q.V))
os._exit(9)
"""


@pytest.fixture
def interrupted(catalogue):
    """A scan of three points whose process has died."""
    subprocess.run([sys.executable, "-c", DIE, catalogue.directory])
    return 1


def test_there_is_one_catalogue_for_a_directory(tmp_path):
    catalogue = Catalogue(tmp_path / "a")
    assert Catalogue(str(tmp_path / "b" / ".." / "a")) is catalogue
    assert Catalogue(tmp_path / "b") is not catalogue


def test_nothing_is_made_before_it_is_needed(tmp_path):
    catalogue = Catalogue(tmp_path / "data")
    assert (len(catalogue), list(catalogue), catalogue.search(), catalogue.typical("ascan", ())) == (0, [], [], None)
    with pytest.raises(LookupError, match=r"there is no scan -1 in .*data"):
        catalogue.last
    assert not catalogue.directory.exists()


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_numbers_go_up(catalogue, measured):
    assert [measured(points=1).number for _ in range(3)] == [1, 2, 3]
    assert [scan.number for scan in catalogue] == [1, 2, 3]
    assert (catalogue[2].number, catalogue[-1].number, catalogue.last.number, len(catalogue)) == (2, 3, 3, 3)


def test_scans_begun_at_the_same_time_get_numbers_of_their_own(catalogue, header):
    records = resolve(async_(catalogue.begin)(header()) for _ in range(8))
    assert sorted(record.number for record in records) == list(range(1, 9))


def test_numbers_go_on_behind_files_that_are_there(catalogue, header):
    catalogue.directory.mkdir(exist_ok=True)
    (catalogue.directory / "scan_0041.h5").write_text("somebody else's")
    record = catalogue.begin(header())
    assert (record.number, record.path.name) == (42, "scan_0042.h5")
    (catalogue.directory / "scan_0043.h5").write_text("somebody else's")
    assert catalogue.begin(header()).number == 44
    (catalogue.directory / "scan_0045_camera.h5").write_text("somebody else's frames")
    assert catalogue.begin(header()).number == 46


def test_a_number_is_not_used_again_after_its_scan_was_removed(catalogue, measured):
    measured()
    catalogue._journal.call(lambda connection: connection.execute("DELETE FROM scans"))
    assert measured().number == 2


def test_a_number_is_not_used_again_when_the_clock_jumps_back(catalogue, measured, monkeypatch):
    class Past(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(1970, 1, 2)

    measured()
    monkeypatch.setattr("concert.storage._catalogue.datetime", Past)
    assert measured().number == 2
    assert [scan.began.year for scan in catalogue] == [datetime.now().year, 1970]
    assert catalogue.last.number == 2


def test_what_is_known_about_a_scan_comes_back(catalogue, header):
    record = catalogue.begin(
        header(
            session="imaging",
            plan={"snake": True, "ends": [0, 1]},
            metadata={"sample": "Si 111", "energy": 12.4 * q.keV},
            snapshot={"stage": {"position": 3 * q.mm}},
        )
    )
    record.append((0 * q.mm, 1 * q.V))
    running = catalogue.last
    assert (running.status, running.ended, running.points, running.snapshot_after) == ("running", None, 1, None)
    record.finish("aborted", "the beam was lost", {"stage": {"position": 4 * q.mm, "state": "standby"}})
    scan = catalogue.last
    assert (scan.number, scan.title, scan.command) == (1, record.title, "ascan stage 0 mm 1 mm 2")
    assert (scan.kind, scan.session, scan.expected, scan.points) == ("ascan", "imaging", 3, 1)
    assert (scan.status, scan.reason) == ("aborted", "the beam was lost")
    assert scan.path == record.path
    assert scan.plan == {"snake": True, "ends": [0, 1]}
    assert scan.metadata == {"sample": "Si 111", "energy": 12.4 * q.keV}
    assert scan.snapshot_before == {"stage": {"position": 3 * q.mm}}
    assert scan.snapshot_after == {"stage": {"position": 4 * q.mm, "state": "standby"}}
    assert [column.help for column in scan.columns] == ["where the sample is", ""]
    assert timedelta(0) < scan.ended - scan.began < timedelta(minutes=1)
    assert scan.began.utcoffset() is not None


def test_data_are_read_when_they_are_asked_for(catalogue, measured):
    measured(points=5)
    scan = catalogue.last
    assert repr(scan.data) == "<ScanData ascan stage 0–1 mm, 3 points, 5 points of stage, diode>"
    assert (scan.data["diode"] == [0, 0.5, 1, 1.5, 2] * q.V).all()
    assert scan.data.peak == (4 * q.mm, 2 * q.V)
    assert scan.rows(3) == [(3 * q.mm, 1.5 * q.V), (4 * q.mm, 2 * q.V)]
    with pytest.raises(KeyError, match="no column 'z'; it has stage, diode"):
        scan.data["z"]


def test_a_scan_without_points_has_empty_columns(catalogue, measured):
    measured(points=0)
    assert len(catalogue.last.data) == 0
    assert catalogue.last.data["diode"].shape == (0,)
    assert catalogue.last.elapsed.shape == (0,)


def test_where_nothing_was_varied_time_takes_its_place(catalogue, header):
    record = catalogue.begin(header(columns=(Column("diode", "detector"),)))
    for value in range(3):
        record.append((value * q.V,))
    assert record.data.axis == "elapsed"
    assert record.data["elapsed"].units == q.s
    assert len(record.data) == 3


def test_searching(catalogue, measured):
    measured(metadata={"sample": "Si 111"})
    measured(kind="mesh", command="mesh lift 0 1 2", metadata={"sample": "Ge", "energy": 8 * q.keV}, status="stopped")
    measured(columns=(Column("lift", "positioner", "lift"), Column("diode", "detector")), metadata={"sample": "Ge"})

    def found(**conditions):
        return [scan.number for scan in catalogue.search(**conditions)]

    assert found() == [1, 2, 3]
    assert found(command="mesh") == [2]
    assert found(command="ASCAN stage") == [1, 2, 3]  # in the title
    assert found(device="lift") == [3]
    assert found(status="done") == [1, 3]
    assert found(status=("stopped", "failed")) == [2]
    assert found(sample="Ge") == [2, 3]
    assert found(sample="Ge", status="done") == [3]
    assert found(energy=8000 * q.eV) == [2]
    assert found(energy=8 * q.mm) == []
    now = datetime.now()
    assert found(since=now - timedelta(hours=1), until=now) == [1, 2, 3]
    assert found(since=now + timedelta(hours=1)) == []
    assert found(since=str(now.date()), until=str(now.date())) == [1, 2, 3]
    assert found(until="2001-01-01 12:00") == []
    with pytest.raises(ValueError, match=r"since takes a date or a time, such as .* not 'yesterday'"):
        found(since="yesterday")


@pytest.mark.parametrize(
    ("value", "others"),
    [
        (np.array([0, 0, 10, 20]), [np.array([0, 0, 10, 21]), np.zeros(3), 0, "roi", None, [0] * 4 * q.mm]),
        ([[0, 1], [2, 3]] * q.mm, [[[0, 1], [2, 3]], [0, 1] * q.mm, [[0, 1], [2, 4]] * q.mm, [[0, 1], [2, 3]] * q.V]),
        (0 * q.mm, [[0, 0] * q.mm, [], {}]),
        ({"low": [1, 2] * q.mm}, [{"low": [1, 3] * q.mm}, {"high": [1, 2] * q.mm}, [1, 2] * q.mm]),
        (["a", ("b", 1 * q.mm)], [["a"], ["a", "b"], ["a", ["b", 2 * q.mm]]]),
    ],
)
def test_searching_for_arrays(catalogue, measured, value, others):
    measured(metadata={"roi": value})
    assert len(catalogue.search(roi=value)) == 1
    assert [other for other in others if catalogue.search(roi=other)] == []


def test_searching_for_an_array_takes_any_unit_and_kind_of_sequence(catalogue, measured):
    measured(metadata={"roi": [1, 2] * q.mm, "rows": (1, 2)})
    for rows in ((1, 2), [1, 2], np.array([1, 2])):
        assert len(catalogue.search(roi=[1000.0, 2000.0] * q.um, rows=rows)) == 1


def test_earlier_scans_tell_how_long_a_point_takes(catalogue, header):
    known = header()
    assert catalogue.typical("ascan", known.columns) is None
    for pause, status in ((1, "done"), (2, "done"), (9, "done"), (50, "failed")):
        record = catalogue.begin(known)
        for number in range(4):
            record._began -= pause
            record.append((number * q.mm, number * q.V))
        record.finish(status)
    assert catalogue.typical("ascan", known.columns) == pytest.approx(2, abs=0.5)
    assert catalogue.typical("ascan", reversed(known.columns)) == catalogue.typical("ascan", known.columns)
    assert catalogue.typical("mesh", known.columns) is None
    assert catalogue.typical("ascan", known.columns[:1]) is None


def test_a_scan_whose_process_is_gone_was_interrupted(catalogue, interrupted):
    scan = catalogue[interrupted]
    assert (scan.status, scan.points) == ("interrupted", 3)
    assert scan.ended >= scan.began
    assert scan.rows() == [(number * q.mm, number * q.V) for number in range(3)]
    with h5py.File(scan.path) as file:
        assert file["entry/data/diode"][:].tolist() == [0, 1, 2]
        assert file["entry/scan/status"][()] == b"interrupted"


def test_a_scan_of_a_living_process_is_left_alone(catalogue, header, interrupted):
    catalogue.begin(header())
    script = "import sys; from concert.storage import Catalogue; print([s.status for s in Catalogue(sys.argv[1])])"
    seen = subprocess.run([sys.executable, "-c", script, catalogue.directory], capture_output=True, text=True)
    assert seen.stdout == "['interrupted', 'running']\n"


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_an_interrupted_scan_goes_on(catalogue, interrupted):
    record = catalogue.reopen(interrupted)
    assert (record.number, record.durable, catalogue[interrupted].status) == (1, 3, "running")
    record.append((3000 * q.um, 3000 * q.mV))
    record.finish("done")
    scan = catalogue[interrupted]
    assert (scan.status, scan.points) == ("done", 4)
    assert scan.rows() == [(number * q.mm, number * q.V) for number in range(4)]
    elapsed = scan.elapsed.magnitude
    assert list(elapsed) == sorted(elapsed)
    with h5py.File(scan.path) as file:
        assert file["entry/data/stage"][:].tolist() == [0, 1, 2, 3]


def test_what_is_done_or_running_does_not_go_on(catalogue, header, measured):
    done, running = measured().number, catalogue.begin(header()).number
    with pytest.raises(ValueError, match="scan 1 is done and cannot go on"):
        catalogue.reopen(done)
    with pytest.raises(ValueError, match=rf"scan 2 is running, in process {os.getpid()} on "):
        catalogue.reopen(running)
    with pytest.raises(LookupError, match="there is no scan 7"):
        catalogue.reopen(7)
    assert [scan.status for scan in catalogue] == ["done", "running"]


def test_a_stopped_scan_goes_on(catalogue, measured):
    number = measured(status="stopped").number
    record = catalogue.reopen(number)
    record.append((3 * q.mm, 1.5 * q.V))
    assert catalogue[number].data["stage"].m.tolist() == [0, 1, 2, 3]


def test_a_file_that_somebody_has_removed_is_written_again(catalogue, measured):
    record = measured()
    record.path.unlink()
    with h5py.File(catalogue[record.number].path) as file:
        assert file["entry/data/stage"].shape == (3,)


@pytest.mark.parametrize("damage", [lambda whole: b"", lambda whole: whole[:-100], lambda whole: b"text" * 100])
def test_a_file_that_somebody_has_damaged_is_written_again_and_kept(catalogue, measured, damage, caplog):
    h5py = pytest.importorskip("h5py")
    path = measured().path
    left = damage(path.read_bytes())
    for name in ("scan_0001.h5.broken", "scan_0001.h5.2.broken"):
        path.write_bytes(left)
        assert catalogue[-1].number == 1
        assert f"scan_0001.h5 cannot be read and is {name} now; it is made anew" in caplog.text
        assert path.with_name(name).read_bytes() == left
        with h5py.File(path) as file:
            assert file["entry/data/stage"].shape == (3,)
    assert catalogue[1].points == 3
    assert len(list(path.parent.glob("*.broken"))) == 2


def test_a_file_in_another_format_stays(catalogue, measured):
    h5py = pytest.importorskip("h5py")
    path = measured().path
    with h5py.File(path, "w", libver="latest") as file:
        file["notes"] = "repacked"
    content = path.read_bytes()
    assert catalogue[1].points == 3
    assert path.read_bytes() == content


def test_a_scan_is_found_by_whatever_is_a_whole_number(catalogue, measured):
    measured()
    assert catalogue[np.int64(1)].number == catalogue[np.int8(-1)].number == 1
    for number in (2, -2, 10**30, -(10**30)):
        with pytest.raises(LookupError, match=f"there is no scan {number} in"):
            catalogue[number]


@pytest.mark.parametrize("wrong", [slice(1, 3), "1", 1.0, None])
def test_what_is_no_number_finds_no_scan(catalogue, measured, wrong):
    measured()
    with pytest.raises(
        TypeError, match=r"expected the number of a scan, or -1 for the latest one, not (slice|'1'|1.0|N)"
    ):
        catalogue[wrong]


@pytest.mark.parametrize("number", [10**19, 2**63 - 1])
def test_impossible_numbers_of_files_are_nobodys(catalogue, header, number):
    (catalogue.directory / f"scan_{number}.h5").touch()
    (catalogue.directory / "scan_0041.h5").touch()
    assert catalogue.begin(header()).number == 42


def test_a_file_that_cannot_be_written_breaks_nothing_else(catalogue, measured, monkeypatch, caplog):
    def fail(*_):
        raise KeyError("something unforeseen")

    monkeypatch.setattr("concert.storage._projection.write_file", fail)
    number = measured().number
    assert "the file of scan 1 cannot be completed, but the journal has everything: 'something unf" in caplog.text
    assert not catalogue._journal._writers
    caplog.clear()
    assert [catalogue.last.status, catalogue[number].points] == ["done", 3]
    assert [scan.number for scan in catalogue] == [scan.number for scan in catalogue.search()] == [1]
    assert not caplog.text  # said once is enough
    monkeypatch.undo()
    assert measured().number == 2


def test_an_interrupted_scan_whose_file_cannot_be_written_is_found(catalogue, interrupted, monkeypatch, caplog):
    monkeypatch.setattr("concert.storage._projection.write_file", lambda *_: 1 / 0)
    assert [(scan.status, scan.points) for scan in catalogue] == [("interrupted", 3)]
    assert "the file of scan 1 cannot be completed" in caplog.text


def test_nothing_but_the_files_is_left_in_the_directory(catalogue, measured, until):
    measured()
    names = {path.name for path in catalogue.directory.iterdir()} - {"scans.sqlite-wal", "scans.sqlite-shm"}
    assert names == {"scans.sqlite", "scan_0001.h5"}
