"""Files of frames whose process dies at any moment: each state that the directory had in between is looked at."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from concert.storage._framefile import FrameFile
from concert.storage._nexus import FRAMES
from concert.storage._steps import SteppingSink, recover

h5py = pytest.importorskip("h5py")


def frame(number):
    return np.full((3, 4), number, np.uint16)


class Deaths:
    """All that a directory had in it whenever something was written, by half too, and how many frames were durable."""

    def __init__(self, directory, monkeypatch):
        self._directory = directory
        self.durable = 0
        self.states = []
        for owner, name in ((os, "ftruncate"), (os, "replace"), (Path, "unlink")):
            monkeypatch.setattr(owner, name, self._before(getattr(owner, name)))
        monkeypatch.setattr(os, "pwrite", self._by_half(os.pwrite, 1))
        monkeypatch.setattr(Path, "write_bytes", self._by_half(Path.write_bytes, 1))

    def note(self, whole=True):
        files = {path.name: path.read_bytes() for path in self._directory.iterdir()}
        if not self.states or self.states[-1][0] != files:
            self.states.append((files, self.durable, whole))

    def _before(self, function):
        def call(*args, **keywords):
            self.note()
            return function(*args, **keywords)

        return call

    def _by_half(self, function, index):
        def call(*args):
            self.note()
            function(*args[:index], args[index][: len(args[index]) // 2], *args[index + 1 :])
            self.note(whole=False)
            return function(*args)

        return call


@pytest.fixture
def made(tmp_path):
    directory = tmp_path / "made"
    directory.mkdir()
    return directory / "scan_0001_camera.h5"


@pytest.fixture
def restored(tmp_path):
    """Return a function that makes a directory with *files*, and returns the path of that with frames."""

    def restore(files):
        directory = tmp_path / "restored"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for name, content in files.items():
            (directory / name).write_bytes(content)
        return directory / "scan_0001_camera.h5"

    return restore


def write(file, deaths, first, last, every):
    for number in range(first, last):
        file.append(frame(number), float(number))
        if number % every == every - 1:
            file.flush()
            deaths.durable = number + 1


def numbers(path):
    with h5py.File(path) as file:
        assert len(file["entry/data/elapsed"]) == len(file[FRAMES])
        return file[FRAMES][:, 0, 0].tolist()


def read(path, count):
    """Return the first frames as a program reads them that knows of nothing."""
    with h5py.File(path) as file:
        return file[FRAMES][:count, 0, 0].tolist()


@pytest.mark.parametrize(("every", "nth"), [(1, 29), (10, 5)])
def test_durable_frames_survive_a_death_at_any_moment(made, restored, monkeypatch, every, nth):
    file = FrameFile(made, "camera", 1)
    file.check(frame(0))
    with monkeypatch.context() as patches:
        deaths = Deaths(made.parent, patches)
        write(file, deaths, 0, 150, every)  # more than the nodes of the tree of chunks hold, of which there are several
        file.close()
    assert {path.name for path in made.parent.iterdir()} == {made.name}
    assert len(deaths.states) > 250
    for files, durable, whole in deaths.states[::nth]:
        path = restored(files)
        if whole and durable:
            assert read(path, durable) == list(range(durable))
        file = FrameFile(path, "camera", 1)
        count = file.open(None)
        assert durable <= count <= durable + every
        file.check(frame(0))
        for number in range(count, count + 70):
            file.append(frame(number), float(number))
        file.close()
        assert numbers(path) == list(range(count + 70))


def test_frames_that_were_kept_survive_a_death_after_going_on(made, restored, monkeypatch):
    file = FrameFile(made, "camera", 1)
    file.check(frame(0))
    for number in range(70):
        file.append(frame(number), float(number))
    file.close()
    with monkeypatch.context() as patches:
        deaths = Deaths(made.parent, patches)
        file = FrameFile(made, "camera", 1)
        deaths.durable = file.open(40)
        write(file, deaths, 40, 50, 2)
        file.close()
    assert numbers(made) == list(range(50))
    for files, durable, _ in deaths.states[::2]:
        path = restored(files)
        file = FrameFile(path, "camera", 1)
        assert file.open(durable) == durable
        file.close()
        assert numbers(path) == list(range(durable))


def test_a_step_is_noted_until_it_is_made(made):
    with SteppingSink(made) as sink:
        sink.write(b"old bytes")
        sink.step()
        sink.seek(0)
        sink.write(b"new bytes, and more")
        assert made.read_bytes() == b"old bytes, and more"
        sink.seek(0)
        assert sink.read(9) == b"new bytes"
        sink.step()
    assert made.read_bytes() == b"new bytes, and more"


def test_a_note_of_a_file_that_was_removed_is_not_for_its_successor(made, restored, monkeypatch):
    with SteppingSink(made) as sink:
        sink.write(b"old")
        sink.step()
        sink.seek(0)
        sink.write(b"new")
        monkeypatch.setattr(sink, "check", lambda: None)
        monkeypatch.setattr(Path, "unlink", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            sink.step()
        monkeypatch.undo()
    made.unlink()
    with SteppingSink(made) as sink:
        sink.write(b"another")
    recover(made)
    assert made.read_bytes() == b"another"
