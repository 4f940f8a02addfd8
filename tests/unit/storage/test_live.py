"""The file of a running scan: it grows about once a second, and others read it meanwhile."""

import subprocess
import sys

import pytest

from concert.quantities import q
from concert.storage import Column
from concert.storage._worker import hdf5

h5py = pytest.importorskip("h5py")

READ = """
import sys, time, h5py
with h5py.File(sys.argv[1], "r", swmr=True) as file:
    diode = file["entry/data/diode"]
    print(diode.shape[0], file["entry/scan/status"][()].decode(), flush=True)
    deadline = time.monotonic() + 30
    while diode.shape[0] < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
        diode.refresh()
    print(diode[:].tolist(), diode.attrs["units"], flush=True)
    sys.stdin.readline()
"""


def live(path, name="diode"):
    """Return what a reader finds in a column of the growing file."""
    if not path.exists():
        return []
    with h5py.File(path, "r", swmr=True) as file:
        return file["entry/data"][name][:].tolist()


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_a_reader_in_another_process_sees_the_points_come(catalogue, header, until):
    record = catalogue.begin(header(columns=(Column("diode", "detector"),)))
    record.append((0.5 * q.V,))
    until(record.path.exists)
    reader = subprocess.Popen(
        [sys.executable, "-c", READ, record.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert reader.stdout.readline() == "1 running\n"
        for number in range(1, 4):
            record.append((number * q.V,))
        assert reader.stdout.readline() == "[0.5, 1.0, 2.0, 3.0] V\n"
        # It still has the file open, which is in nobody's way.
        record.finish("done")
    finally:
        reader.communicate("\n")
    with h5py.File(record.path) as file:
        assert file["entry/scan/status"][()] == b"done"
        assert file["entry/data/diode"].shape == (4,)


def test_a_text_that_hdf5_cannot_hold_is_spelt_out(catalogue, header, until):
    record = catalogue.begin(header(columns=(Column("id", "detector"),)))
    record.append(("X1\0",))
    until(lambda: live(record.path, "id") == [rb"X1\x00"])


def test_the_last_points_come_without_any_further_ones(catalogue, header, until):
    record = catalogue.begin(header())
    for number in range(3):
        record.append((number * q.mm, number * q.V))
    until(lambda: live(record.path) == [0, 1, 2])


def test_the_file_follows_a_column_that_becomes_wider(catalogue, header, until):
    record = catalogue.begin(header(columns=(Column("diode", "detector"), Column("remark", "detector"))))
    record.append((1, "a"))
    until(lambda: live(record.path) == [1])
    record.append((0.5, "größer"))
    until(lambda: live(record.path) == [1, 0.5])
    until(lambda: [text.decode() for text in live(record.path, "remark")] == ["a", "größer"])


def test_two_scans_grow_at_the_same_time(catalogue, header, until):
    records = [catalogue.begin(header()) for _ in range(2)]
    for number in range(3):
        for record in records:
            record.append((number * q.mm, number * record.number * q.V))
    until(lambda: [live(record.path) for record in records] == [[0, 1, 2], [0, 2, 4]])


def test_what_hinders_the_file_does_not_hinder_the_scan(catalogue, header, until, caplog):
    record = catalogue.begin(header())
    record.path.mkdir()
    record.append((0 * q.mm, 0 * q.V))
    until(lambda: "the file of scan 1 does not grow" in caplog.text)
    record.append((1 * q.mm, 1 * q.V))
    record.path.rmdir()
    record.append((2 * q.mm, 2 * q.V))
    until(lambda: live(record.path) == [0, 1, 2])


def test_late_news_of_points_leaves_the_complete_file_alone(catalogue, measured):
    record = measured()
    complete = record.path.read_bytes()
    catalogue._projection.grow({record.number})  # as the journal does when it is slower than the end of the scan
    hdf5.run(lambda: None)
    assert record.path.read_bytes() == complete


LEAVE = """
import sys, time
from concert.storage import Catalogue, Column, Header
columns = tuple(Column(f"column {number}", "detector") for number in range(10))
record = Catalogue(sys.argv[1]).begin(Header("scan", columns=columns))
deadline, number = time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < deadline:
    record.append(tuple(float(number) for _ in columns), wait=False)
    number += 1
"""


@pytest.mark.parametrize("seconds", [0.1, 1.0, 1.05, 1.1, 2.05])
def test_a_process_may_end_while_the_file_grows(catalogue, seconds):
    left = subprocess.run(
        [sys.executable, "-c", LEAVE, catalogue.directory, str(seconds)], capture_output=True, text=True, timeout=60
    )
    assert (left.returncode, left.stderr) == (0, "")
    scan = catalogue[1]
    assert scan.status == "interrupted"
    assert scan.data["column 3"].m.tolist() == list(range(scan.points))
