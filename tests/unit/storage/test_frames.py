"""Frames: written past the scan, in a file of their own, and none is lost in silence."""

import errno
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from concert.async_ import async_, threaded, wait
from concert.quantities import q
from concert.storage import Catalogue, Column, FrameWriter, StorageError
from concert.storage._sink import Sink

h5py = pytest.importorskip("h5py")

EVERYWHERE = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
COLUMNS = (Column("stage", "positioner"), Column("camera", "detector"))


def frame(number, shape=(30, 40)):
    return np.full(shape, number, np.uint16)


@pytest.fixture
def record(catalogue, header):
    return catalogue.begin(header(columns=COLUMNS))


def stored(writer):
    """Return a number of each frame in the file of *writer*, which is whole."""
    with h5py.File(writer.path) as file:
        frames = file["entry/data/data"][:]
        assert (frames == frames[:, :1, :1]).all()
        assert len(file["entry/data/elapsed"]) == len(frames)
        return frames[:, 0, 0].tolist()


@EVERYWHERE
def test_frames_come_back_in_their_order(record):
    with FrameWriter(record, "camera") as writer:
        assert [writer.write(frame(number)) for number in range(50)] == list(range(50))
    assert stored(writer) == list(range(50))
    assert writer.durable == 50


def test_who_writes_may_use_the_same_array_again(record):
    same = frame(0)
    with FrameWriter(record, "camera") as writer:
        for number in range(20):
            same[:] = number
            writer.write(same)
            same[:] = 999
    assert stored(writer) == list(range(20))


def test_arrays_that_are_given_away_are_not_copied_and_not_used_again(record):
    frames = [frame(number) for number in range(20)]
    with FrameWriter(record, "camera", bound=4) as writer:
        for number, given in enumerate(frames):
            writer.write(given, copy=False)
            writer.write(frame(100 + number))
    assert [int(given[0, 0]) for given in frames] == list(range(20))
    assert stored(writer)[::2] == list(range(20))


def test_frames_are_durable_while_the_file_is_open(record):
    writer = FrameWriter(record, "camera")
    for number in range(3):
        writer.write(frame(number))
    writer.flush()
    assert writer.durable == 3
    assert stored(writer) == [0, 1, 2]


def test_a_point_is_reported_when_its_frames_are_in_the_file(record):
    writer = FrameWriter(record, "camera")
    for number in range(5):
        record.append((number * q.mm, writer.write(frame(number))))
        assert (record.durable, writer.durable) == (number + 1, number + 1)


@pytest.mark.parametrize("waiting", [True, False])
def test_several_may_append_points_with_frames(record, waiting):
    writer = FrameWriter(record, "camera", bound=2)

    def measure(first):
        for number in range(first, first + 10):
            record.append((number * q.mm, writer.write(frame(number))), wait=waiting)

    wait([async_(measure)(first) for first in range(0, 40, 10)] + [threaded(measure)(40)])
    record.flush()
    frames = stored(writer)
    assert [frames[index] for _, index in record.rows()] == [int(stage.magnitude) for stage, _ in record.rows()]
    assert sorted(frames) == list(range(50))


@EVERYWHERE
def test_the_file_of_the_scan_has_them(record):
    writer = FrameWriter(record, "camera 1")
    writer.write(frame(7))
    record.finish("done")
    assert writer.path.name == "scan_0001_camera_1.h5"
    with h5py.File(record.path) as file:
        assert file["entry/instrument/camera_1_frames/data"][0, 0, 0] == 7
    with pytest.raises(RuntimeError, match=r"scan_0001_camera_1.h5 is closed and takes no more frames"):
        writer.write(frame(8))


def test_whoever_is_faster_than_the_disk_waits(record, monkeypatch):
    writer = FrameWriter(record, "camera", bound=3)
    most = 0

    def slowly(*args, append=writer._file.append):
        nonlocal most
        most = max(most, len(writer._queue))
        time.sleep(0.005)
        append(*args)

    monkeypatch.setattr(writer._file, "append", slowly)
    for number in range(20):
        writer.write(frame(number))
        assert number + 1 - writer.durable <= 20
    writer.close()
    assert most <= 3
    assert stored(writer) == list(range(20))


def test_several_may_write(record):
    with FrameWriter(record, "camera", bound=2) as writer:

        def write(first):
            for number in range(first, first + 10):
                writer.write(frame(number))

        wait([async_(write)(first) for first in range(0, 50, 10)] + [threaded(write)(50)])
    assert sorted(stored(writer)) == list(range(60))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (frame(1, (30, 41)), r"are arrays of shape \(30, 40\) of uint16, not of shape \(30, 41\) of uint16"),
        (frame(1).astype(float), r"not of shape \(30, 40\) of float64"),
    ],
)
def test_frames_are_all_alike(record, wrong, message):
    with FrameWriter(record, "camera") as writer:
        writer.write(frame(0))
        with pytest.raises(ValueError, match=message):
            writer.write(wrong)
    assert stored(writer) == [0]


@pytest.mark.parametrize("copy", [True, False])
@pytest.mark.parametrize("orders", [">>", "><", "<>"])
def test_the_order_of_bytes_may_differ(record, orders, copy):
    with FrameWriter(record, "camera") as writer:
        for number, order in enumerate(orders):
            writer.write(frame(number + 1).astype(f"{order}u2"), copy)
    assert stored(writer) == [1, 2]


@pytest.mark.parametrize("wrong", [np.zeros(5), np.zeros((3, 0)), [["a"]], np.zeros((2, 2, 2))])
def test_what_is_no_frame_is_refused(record, wrong):
    with pytest.raises(ValueError, match="a frame is a 2D array of numbers"):
        FrameWriter(record, "camera").write(wrong)


def test_a_camera_without_frames_has_no_file_and_no_link(record):
    with FrameWriter(record, "camera") as writer:
        pass
    assert not writer.path.exists()
    record.finish("done")
    with h5py.File(record.path) as file:
        assert "camera_frames" not in file["entry/instrument"]


def test_a_number_of_frames_to_keep_is_not_negative(record):
    with pytest.raises(ValueError, match="expected the number of frames to keep, 0 or more, not -1"):
        FrameWriter(record, "camera", start=-1)
    record.finish("done")


@pytest.mark.parametrize("other", ["camera 1", "camera_1"])
def test_a_file_has_one_writer_at_a_time(record, other):
    with FrameWriter(record, "camera 1") as writer:
        with pytest.raises(ValueError, match=r"scan_0001_camera_1.h5 is for the frames of 'camera 1' already; close"):
            FrameWriter(record, other)
        writer.write(frame(0))
    with FrameWriter(record, "camera 1") as writer:
        assert writer.write(frame(1)) == 1
    record.finish("done")
    assert stored(writer) == [0, 1]


def test_a_scan_that_goes_on_keeps_the_files_of_its_cameras_apart(catalogue, record):
    with FrameWriter(record, "camera 1") as writer:
        writer.write(frame(0))
    record.finish("stopped")
    record = catalogue.reopen(record.number)
    with pytest.raises(ValueError, match=r"is for the frames of 'camera 1' already; .* give the camera 'camera_1' a"):
        FrameWriter(record, "camera_1")
    FrameWriter(record, "camera 1").write(frame(1))
    record.finish("done")
    assert stored(writer) == [0, 1]


def test_an_interrupted_scan_goes_on_with_its_frames(catalogue, record):
    writer = FrameWriter(record, "camera")
    for number in range(5):
        writer.write(frame(number))
    record.finish("stopped")
    record = catalogue.reopen(record.number)
    with pytest.raises(ValueError, match=r"there are only 5 frames in scan_0001_camera.h5, not 6"):
        FrameWriter(record, "camera", start=6)
    with FrameWriter(record, "camera", start=3) as writer:
        assert writer.write(frame(30)) == 3
        with pytest.raises(ValueError, match="are arrays of shape"):
            writer.write(frame(1, (2, 2)))
    assert stored(writer) == [0, 1, 2, 30]


@pytest.mark.parametrize("size", [0, 600, 2000])
def test_a_file_whose_process_died_in_the_middle_of_making_it_begins_anew(catalogue, record, size):
    with FrameWriter(record, "camera") as writer:
        writer.write(frame(1))
    begun = writer.path.read_bytes()[:size]
    writer.path.write_bytes(begun)
    record.finish("failed")
    record = catalogue.reopen(record.number)
    with pytest.raises(ValueError, match=r"there are no 1 frames in scan_0001_camera.h5 to keep"):
        FrameWriter(record, "camera", start=1)
    with FrameWriter(record, "camera") as writer:
        assert writer.write(frame(7)) == 0
    assert stored(writer) == [7]
    kept = [path.read_bytes() for path in catalogue.directory.glob("*.broken")]
    assert kept == ([begun] if size else [])


def test_a_file_of_something_else_is_put_aside(record):
    with h5py.File(record.path.with_name("scan_0001_camera.h5"), "w") as file:
        file["notes"] = "somebody else's"
    with FrameWriter(record, "camera") as writer:
        writer.write(frame(7))
    assert stored(writer) == [7]
    with h5py.File(f"{writer.path}.broken") as file:
        assert list(file) == ["notes"]


@pytest.mark.parametrize("trouble", ["_try_to_write", "synchronise"])
@pytest.mark.parametrize("more", [0, 2])
def test_a_file_that_cannot_be_closed_now_stays_open(record, monkeypatch, trouble, more):
    writer = FrameWriter(record, "camera")
    writer.write(frame(0))
    writer.flush()

    def fail(sink, *_):
        sink._error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if trouble == "synchronise":
            raise sink._error
        return False

    monkeypatch.setattr(Sink, trouble, fail)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"there is no room left on the disk of .*; make room and it goes on"):
            writer.close()
    monkeypatch.undo()
    for number in range(more):
        writer.write(frame(1 + number))
    record.finish("done")
    assert stored(writer) == list(range(1 + more))
    writer.close()


@pytest.fixture
def removed(record, monkeypatch):
    """Return a function that writes two frames, calls another one that removes their file, and returns the writer."""
    for module in ("_steps", "_connection"):
        monkeypatch.setattr(f"concert.storage.{module}.LOOK", 0)

    def remove(function):
        writer = FrameWriter(record, "camera")
        for number in range(2):
            record.append((number * q.mm, writer.write(frame(number))))
        function(writer.path)
        return writer

    return remove


def test_a_file_that_somebody_has_removed_is_put_back(record, removed):
    writer = removed(os.unlink)
    record.append((2 * q.mm, writer.write(frame(2))))
    assert stored(writer) == [0, 1, 2]
    writer.path.unlink()
    record.finish("done")
    assert stored(writer) == [0, 1, 2]


def test_frames_wait_for_a_directory_that_was_removed(catalogue, record, removed):
    writer = removed(lambda path: shutil.rmtree(path.parent))
    for number in (2, 3):
        with pytest.raises(StorageError, match=r"the directory .* is gone, .*; put it back, or make it again"):
            record.append((number * q.mm, number_of_frame(writer, number)))
    catalogue.directory.mkdir()
    record.flush()
    assert stored(writer) == [0, 1, 2, 3]
    record.finish("done")
    assert catalogue.last.points == 4


def test_frames_are_not_written_over_another_file(record, removed):
    def replace(path):
        path.unlink()
        path.write_bytes(b"somebody else's")

    writer = removed(replace)
    with pytest.raises(StorageError, match="is not the file any more that frames are written to; move it away, and it"):
        record.append((2 * q.mm, number_of_frame(writer, 2)))
    assert writer.path.read_bytes() == b"somebody else's"
    writer.path.rename(writer.path.with_suffix(".other"))
    record.finish("done")
    assert stored(writer) == [0, 1, 2]


GROW = """
import resource, sys
import numpy as np
from concert.storage import Catalogue, Column, FrameWriter, Header, StorageError
record = Catalogue(sys.argv[1]).begin(Header("scan", columns=(Column("camera", "detector"),)))
writer = FrameWriter(record, "camera", bound=4)
limit, troubles = 200_000, 0
def patiently(function):
    global limit, troubles
    while True:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            return function()
        except StorageError as error:
            assert "scan_0001_camera.h5 cannot be written" in str(error), error
            troubles += 1
            limit += 25_000
for number in range(200):
    try:
        writer.write(np.full((50, 60), number, np.uint16))
    except StorageError:
        patiently(writer.flush)
patiently(writer.close)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
record.finish("done")
print(troubles)
"""


def test_a_full_disk_loses_no_frame(catalogue):
    # The HDF5 library crashes the process at its end if it was told of such an error, hence a process of its own.
    ran = subprocess.run([sys.executable, "-c", GROW, catalogue.directory], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) > 10
    with h5py.File(catalogue[1].path) as file:
        assert file["entry/instrument/camera_frames/data"][:, 0, 0].tolist() == list(range(200))


def test_points_wait_for_frames_that_cannot_be_written(small_disk, concert_runtime, header):
    record = Catalogue(small_disk).begin(header(columns=COLUMNS))
    writer = FrameWriter(record, "camera")
    record.append((0 * q.mm, writer.write(frame(0))))
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize - 100_000))
    number = 1
    with pytest.raises(StorageError, match="there is no room left on the disk"):  # noqa: PT012
        while number < 1000:
            record.append((number * q.mm, number_of_frame(writer, number)))
            number += 1
    assert record.durable <= writer.durable + 1
    ballast.unlink()
    record.flush()
    assert record.durable == number + 1
    assert stored(writer) == list(range(number + 1))


def number_of_frame(writer, number):
    """Write a frame, which is kept even if that fails, and return its number."""
    try:
        return writer.write(frame(number))
    except StorageError:
        return number


KILLED = """
import sys
import numpy as np
from concert.storage import Catalogue, Column, FrameWriter, Header
record = Catalogue(sys.argv[1]).begin(Header("scan", columns=(Column("camera", "detector"),)))
writer = FrameWriter(record, "camera")
for number in range(10_000):
    record.append((writer.write(np.full((50, 60), number, np.uint16)),))
    print(number, flush=True)
"""


@pytest.mark.parametrize("points", [1, 2, 5, 17, 60, 200])
def test_frames_of_reported_points_survive_the_death_of_the_process(catalogue, points):
    process = subprocess.Popen([sys.executable, "-c", KILLED, catalogue.directory], stdout=subprocess.PIPE, text=True)
    for _ in range(points):
        process.stdout.readline()
    process.kill()
    reported = points + len([line for line in process.communicate()[0].splitlines() if line.isdecimal()])
    scan = catalogue[1]
    with h5py.File(scan.path) as file:
        frames = file["entry/instrument/camera_frames/data"][:, 0, 0].tolist()
    assert reported - 1 <= scan.points <= len(frames)
    assert frames[: scan.points] == list(range(scan.points))


STEPPING = """
import os, sys
import numpy as np
from concert.storage import Catalogue, Column, FrameWriter, Header, _steps
record = Catalogue(sys.argv[1]).begin(Header("scan", columns=(Column("camera", "detector"),)))
writer = FrameWriter(record, "camera")
record.append((writer.write(np.full((50, 60), 7, np.uint16)),))
_steps._rank = lambda change: os._exit(9)
writer.write(np.full((50, 60), 8, np.uint16))
writer.flush()
"""


def test_a_file_whose_process_died_in_the_middle_of_a_step_is_mended_by_who_looks_next(catalogue):
    assert subprocess.run([sys.executable, "-c", STEPPING, catalogue.directory]).returncode == 9
    note = catalogue.directory / ".scan_0001_camera.h5.step"
    assert note.exists()
    with h5py.File(catalogue[1].path) as file:
        assert file["entry/instrument/camera_frames/data"][:, 0, 0].tolist() == [7, 8]
    assert not note.exists()


ENDING = """
import sys
import numpy as np
from concert.quantities import q
from concert.storage import Catalogue, Column, FrameWriter, Header
record = Catalogue(sys.argv[1]).begin(Header("scan", columns=(Column("stage", "positioner"),)))
for name in ("camera", "monitor"):
    writer = FrameWriter(record, name)
    for number in range(3):
        writer.write(np.full((8, 8), number, np.uint16))
record.append((1 * q.mm,))
writer.write(np.full((8, 8), 3, np.uint16))
"""


def test_the_end_of_the_process_closes_files_of_frames_that_are_open(catalogue):
    ran = subprocess.run([sys.executable, "-c", ENDING, catalogue.directory], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    with h5py.File(catalogue[1].path) as file:
        assert file["entry/instrument/camera_frames/data"][:, 0, 0].tolist() == [0, 1, 2]
        assert file["entry/instrument/monitor_frames/data"][:, 0, 0].tolist() == [0, 1, 2, 3]


def test_the_end_of_the_process_says_what_could_not_be_written(catalogue):
    removed = f"{ENDING}\nimport shutil\nwriter.flush()\nshutil.rmtree(sys.argv[1])"
    ran = subprocess.run([sys.executable, "-c", removed, catalogue.directory], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "scan_0001_monitor.h5 lacks the frames from 4 on: " in ran.stderr
