"""What goes wrong around a scan: nothing measured is lost, a sentence says what to do, and then it goes on."""

import contextlib
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from concert.async_ import threaded
from concert.quantities import q
from concert.storage import Catalogue, Column, StorageError
from concert.storage._database import checkpoint
from concert.storage._journal import POINT

h5py = pytest.importorskip("h5py")


def point(number):
    return number * q.mm, float(number) * q.V


def numbers(record):
    return [int(row[0].magnitude) for row in record.rows()]


@pytest.fixture
def small_disk_for_reading(small_disk):
    """Return a function that makes the disk one that may only be read, with a copy of a directory on it."""

    def copy(directory):
        shutil.copytree(directory, small_disk / "data")
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        return small_disk / "data"

    return copy


def enlarge(disk):
    subprocess.run(["mount", "-o", "remount,size=50m", disk], check=True)


def append_until(record, first, message, wait=True):
    """Append points from *first* on until that is a StorageError; return the number of the next one."""
    numbers = itertools.count(first)
    with pytest.raises(StorageError, match=message):  # noqa: PT012
        while True:
            record.append(point(next(numbers)), wait)
    return next(numbers)


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
@pytest.mark.parametrize("wait", [True, False])
def test_a_full_disk_loses_nothing(small_disk, concert_runtime, header, wait):
    catalogue = Catalogue(small_disk)
    record = catalogue.begin(header())
    full = r"there is no room left on the disk of .*; make room and it goes on"
    appended = append_until(record, 0, full, wait)
    # The growing file may leave some room, or take it: both may work or not, and what does not is kept.
    for more in range(appended, appended + 3):
        with contextlib.suppress(StorageError):
            record.flush()
        with contextlib.suppress(StorageError):
            record.append(point(more), wait)
    enlarge(small_disk)
    record.flush()
    record.append(point(appended + 3), wait)
    record.finish("done")
    assert catalogue.last.data["stage"].m.tolist() == list(range(appended + 4))
    with h5py.File(record.path) as file:
        assert file["entry/data/diode"].shape == (appended + 4,)


def test_a_disk_that_is_full_at_the_end_can_be_finished_on_later(small_disk, concert_runtime, header):
    catalogue = Catalogue(small_disk)
    record = catalogue.begin(header())
    for number in range(5):
        record.append(point(number))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free))
    with pytest.raises(StorageError):
        record.finish("done")
    ballast.unlink()
    record.finish("done")
    assert (catalogue.last.status, catalogue.last.points) == ("done", 5)
    assert {path.name for path in small_disk.iterdir() if "sqlite" not in path.name} == {"scan_0001.h5"}


GROW = """
import resource, signal, sys, time
from concert.quantities import q
from concert.storage import Catalogue, Column, Header, StorageError
catalogue = Catalogue(sys.argv[1])
columns = tuple(Column(f"column {number}", "detector") for number in range(10))
record = catalogue.begin(Header("scan", columns=columns))
limit, number, troubles = 300_000, 0, 0
end = time.monotonic() + 4
while time.monotonic() < end:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        record.append(tuple(float(number) for _ in columns), wait=number % 5 == 0)
        number += 1
        time.sleep(0.001)
    except StorageError:
        number += 1
        troubles += 1
        while True:
            limit += 100_000
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            try:
                record.flush()
                break
            except StorageError:
                pass
while True:
    try:
        record.finish("done")
        break
    except StorageError:
        limit += 100_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
print(number, troubles > 0, catalogue.last.data["column 3"].m.tolist() == list(range(number)))
"""


def test_files_that_may_not_grow_while_others_watch_lose_nothing_either(catalogue):
    # The HDF5 library crashes the process at its end if it was told of such an error, hence a process of its own.
    ran = subprocess.run([sys.executable, "-c", GROW, catalogue.directory], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()[1:] == ["True", "True"]
    assert catalogue.last.points == int(ran.stdout.split()[0])


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_a_directory_that_was_removed_gets_everything_when_it_is_back(catalogue, header, measured, concert_runtime):
    measured()
    record = catalogue.begin(header())
    record.append(point(0))
    shutil.rmtree(catalogue.directory)
    gone = r"the directory .* is gone, .*; put it back, or make it again"
    after = append_until(record, 1, gone)
    after = append_until(record, after, gone)
    catalogue.directory.mkdir()
    record.flush()
    record.append(point(after))
    assert numbers(record) == list(range(after + 1))
    record.finish("done")
    found = [(scan.number, scan.status, scan.points) for scan in catalogue]
    assert found == [(1, "done", 3), (2, "done", after + 1)]
    assert catalogue[1].path.exists()
    assert catalogue.begin(header()).number == 3


def test_a_directory_that_was_moved_away_and_back_goes_on(catalogue, header, tmp_path):
    record = catalogue.begin(header())
    record.append(point(0))
    away = tmp_path.with_name("away")
    catalogue.directory.rename(away)
    after = append_until(record, 1, "is gone")
    away.rename(catalogue.directory)
    record.flush()
    assert numbers(record) == list(range(after))


def remove_the_log(path):
    for left in ("-wal", "-shm"):
        path.with_name(path.name + left).unlink()


def empty(path):
    os.truncate(path, 0)


def cut(path):
    os.truncate(path, 4096)


@pytest.mark.parametrize("damage", [remove_the_log, empty, cut])
@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_a_journal_that_somebody_has_damaged_is_put_back(
    catalogue, header, measured, monkeypatch, concert_runtime, damage, settled
):
    monkeypatch.setattr("concert.storage._connection.LOOK", 0)
    measured()
    record = catalogue.begin(header())
    for number in range(300):
        record.append(point(number), wait=number % 10 == 0)
    record.flush()
    if settled:  # in the file itself, and not only in its log
        checkpoint(catalogue.path)
        record.append(point(300))
    damage(catalogue.path)
    for number in range(record.durable, 310):
        record.append(point(number))
    assert numbers(record) == list(range(310))
    record.finish("done")
    catalogue.close()
    assert [(scan.status, scan.points) for scan in catalogue] == [("done", 3), ("done", 310)]
    connection = sqlite3.connect(catalogue.path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_scan_does_not_go_on_in_a_journal_that_cannot_be_put_back(catalogue, header, monkeypatch):
    monkeypatch.setattr("concert.storage._connection.LOOK", 0)
    record = catalogue.begin(header(columns=(Column("remark", "detector"),)))
    for _ in range(4000):  # more than a connection remembers
        record.append(("x" * 1000,), wait=False)
    record.flush()
    checkpoint(catalogue.path)
    record.append(("y" * 1000,))  # begins the log anew
    cut(catalogue.path)
    for trial in (lambda: record.append(("z",)), record.flush, lambda: record.finish("done")):
        with pytest.raises(
            RuntimeError, match=r"scans.sqlite was cut or damaged, .*; end this program, move"
        ) as caught:
            trial()
        assert not isinstance(caught.value, StorageError)
    assert {path.name for path in catalogue.directory.iterdir() if path.name.startswith(".")} == set()


BEGIN = """
import sys
from concert.storage import Catalogue, Column, Header
Catalogue(sys.argv[1]).begin(Header("another", columns=(Column("x", "detector"),)))
"""


def test_another_catalogue_in_place_of_the_removed_one_is_not_touched(catalogue, header):
    record = catalogue.begin(header())
    record.append(point(0))
    shutil.rmtree(catalogue.directory)
    subprocess.run([sys.executable, "-c", BEGIN, catalogue.directory], check=True)
    after = append_until(record, 1, "is not the file any more that the running scan is in; move it away")
    catalogue.path.rename(catalogue.path.with_name("another.sqlite"))
    for left in ("-wal", "-shm"):
        catalogue.path.with_name(catalogue.path.name + left).unlink(missing_ok=True)
    record.flush()
    assert numbers(record) == list(range(after))


def test_where_nothing_may_be_written_a_scan_does_not_begin(tmp_path, header):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot be written|is gone"):
        Catalogue(tmp_path / "file" / "data").begin(header())


def test_what_may_only_be_read_can_be_read(catalogue, header, measured, small_disk_for_reading):
    measured()
    catalogue._journal.close()
    others = Catalogue(small_disk_for_reading(catalogue.directory))
    assert [(scan.number, scan.points, scan.data["diode"].m.tolist()) for scan in others] == [(1, 3, [0, 0.5, 1])]
    with pytest.raises(StorageError, match=r"scans.sqlite cannot be written .*; give the right to write to"):
        others.begin(header())


def test_a_reader_that_holds_the_file_is_in_nobodys_way(catalogue, measured):
    record = measured(status="stopped")
    with h5py.File(record.path) as held:
        record = catalogue.reopen(record.number)
        record.append(point(3))
        record.finish("done")
        assert held["entry/data/stage"].shape == (3,)
    with h5py.File(record.path) as file:
        assert file["entry/data/stage"].shape == (4,)


def test_a_file_that_is_no_database_is_named_and_moved_away(tmp_path, header):
    path = tmp_path / "scans.sqlite"
    path.write_bytes(b"this is no database, however long one looks at it" * 100)
    catalogue = Catalogue(tmp_path)
    damaged = r"scans.sqlite is damaged \(file is not a database\); move it away, with its -wal and -shm, or put a copy"
    with pytest.raises(StorageError, match=damaged):
        catalogue.begin(header())
    with pytest.raises(StorageError, match=damaged):
        len(catalogue)
    path.rename(tmp_path / "damaged.sqlite")
    assert catalogue.begin(header()).number == 1


def test_a_damaged_database_is_named(catalogue, header, measured):
    measured(points=2000)
    catalogue.close()
    size = catalogue.path.stat().st_size
    with catalogue.path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StorageError, match=r"scans.sqlite is damaged \(.* malformed\); move it away"):
        list(catalogue)
    with pytest.raises(StorageError, match=r"scans.sqlite is damaged \(.* malformed\); move it away"):
        catalogue.begin(header())


@pytest.fixture
def taken(catalogue, header):
    """The record of a scan with two points, the third of which somebody else has written."""
    record = catalogue.begin(header())
    for number in range(2):
        record.append(point(number))
    values = (record.number, 2, 0.0, b"somebody else's")
    catalogue._journal.call(lambda connection: connection.execute(POINT, values))
    return record


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
@pytest.mark.parametrize(("wait", "status"), [(True, "failed"), (False, "aborted")])
def test_a_point_that_can_never_be_stored_ends_its_scan_and_no_other(catalogue, header, taken, wait, status):
    other = catalogue.begin(header())
    never = r"point 2 of scan 1 can never be stored, and nothing after it: UNIQUE constraint failed"
    with pytest.raises(RuntimeError, match=never):  # noqa: PT012
        for number in range(2, 5):
            taken.append(point(number), wait)
            other.append(point(number - 2), wait)
        taken.flush()
    with pytest.raises(RuntimeError, match=never):
        taken.finish("done")
    assert taken.durable == 2
    taken.finish(status)
    other.append(point(9))
    other.finish("done")
    assert numbers(other)[-1] == 9
    assert [(scan.number, scan.status) for scan in catalogue] == [(1, status), (2, "done")]
    third = catalogue.begin(header())
    third.append(point(0))
    assert third.durable == 1


def test_points_behind_one_that_can_never_be_stored_leave_no_gap(catalogue, header, taken):
    other = catalogue.begin(header())
    statements = [(POINT, (number, index, 0.0, b"")) for index in (2, 3) for number in (taken.number, other.number)]
    catalogue._journal.put(statements, 0)[0].result()
    catalogue._journal.put([(POINT, (taken.number, 4, 0.0, b""))], 0)[0].result()
    query = "SELECT scan, point FROM points WHERE point > 2"
    left = catalogue._journal.call(lambda connection: connection.execute(query).fetchall())
    assert left == [(other.number, 3)]


def test_closing_waits_until_nothing_is_being_written(catalogue, header, until):
    record = catalogue.begin(header())
    appending = threaded(lambda: [record.append(point(number)) for number in range(300)])()
    while not appending.done():
        catalogue._journal.close()
    appending.result()
    assert numbers(record) == list(range(300))


def test_full_synchronisation_is_on_while_a_scan_asks_for_it(catalogue, header):
    def mode():
        return catalogue._journal.call(lambda connection: connection.execute("PRAGMA synchronous").fetchone()[0])

    plain, careful = catalogue.begin(header()), catalogue.begin(header(full_sync=True))
    careful.append(point(0))
    plain.append(point(0))
    assert mode() == 2  # FULL
    careful.finish("done")
    assert mode() == 2  # for as long as other scans are running too
    plain.finish("done")
    assert mode() == 1  # NORMAL
