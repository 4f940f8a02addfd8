"""Pictures of scans that run: in a file at the end, in a window meanwhile; and nothing that goes wrong does harm."""

import os
import shutil
import signal
import subprocess

import pytest

from concert.devices.dummy import DummyDevice
from concert.processes import ScanError, _pictures, ascan, describe, do, finish_pictures, mesh, unsaid
from concert.processes._station import station
from concert.quantities import q
from concert.storage._painting import painter
from tests.devices_for_tests import after, concurrent, until

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def session(monkeypatch, tmp_path):
    """Scans are stored and drawn."""
    monkeypatch.setattr(station, "where", lambda: tmp_path)
    monkeypatch.setattr(station, "pictures", True)
    monkeypatch.setattr(station, "windows", False)
    unsaid()
    yield
    finish_pictures()
    unsaid()


def scan(slits, read=lambda: 7, **options):
    return ascan(slits, 1 * q.mm, 4 * q.mm, 3, read=read, show=False, **options)


def is_drawn(path):
    finish_pictures()
    return path.is_file() and path.read_bytes().startswith(PNG)


def test_a_stored_scan_has_its_picture(slits, tmp_path):
    scan(slits)
    assert is_drawn(tmp_path / "scan_0001.png")


def test_it_is_in_the_closing_line(slits, capsys):
    ascan(slits, 1 * q.mm, 4 * q.mm, 3, read=lambda: 7)
    assert capsys.readouterr().out.splitlines()[-1].endswith("scan_0001.h5, scan_0001.png")


def test_a_mesh_has_one(slits, tmp_path):
    lift = DummyDevice(name="lift")
    mesh(lift, 0 * q.mm, 1 * q.mm, 2, slits, 0 * q.mm, 1 * q.mm, 3, read=lambda: 7, show=False)
    assert is_drawn(tmp_path / "scan_0001.png")


def test_a_scan_that_failed_has_one_of_what_there_is(slits, tmp_path):
    def broken():
        raise RuntimeError("no light")

    with pytest.raises(RuntimeError, match="no light"):
        scan(slits, after(3, broken))
    assert is_drawn(tmp_path / "scan_0001.png")


@concurrent
def test_a_scan_that_was_aborted_in_the_background_has_one(concert_clock, tmp_path):
    slow = DummyDevice(delay=1 * q.s, name="slow")
    run = do(describe.ascan(slow, 1 * q.mm, 90 * q.mm, 89, read=lambda: 7), background=True)
    until(lambda: run.points == 3)
    run.abort()
    until(lambda: run.over)
    assert run.picture == tmp_path / "scan_0001.png"
    assert is_drawn(run.picture)


def test_a_scan_without_points_has_none(slits, tmp_path):
    def broken():
        raise RuntimeError("no light")

    with pytest.raises(RuntimeError, match="no light"):
        scan(slits, broken)
    finish_pictures()
    assert not list(tmp_path.glob("*.png"))


def test_outside_of_sessions_nothing_is_drawn(slits, tmp_path, monkeypatch):
    monkeypatch.setattr(station, "pictures", False)
    scan(slits)
    finish_pictures()
    assert not list(tmp_path.glob("*.png"))


def test_a_picture_that_cannot_be_drawn_is_told_and_does_no_harm(slits, tmp_path, monkeypatch):
    program = tmp_path / "painter.py"
    program.write_text("import sys; sys.exit('matplotlib is broken')")
    with monkeypatch.context() as patch:
        patch.setattr("concert.storage._painting.PROGRAM", program)
        assert len(scan(slits)) == 4
        finish_pictures()
    assert unsaid() == ["scan 1: the process that draws has ended: matplotlib is broken"]
    scan(slits)
    assert is_drawn(tmp_path / "scan_0002.png")


def test_of_what_cannot_be_drawn_there_is_no_picture(slits, tmp_path, capsys):
    ascan(slits, 1 * q.mm, 4 * q.mm, 3, read=lambda: "bright")
    finish_pictures()
    assert not list(tmp_path.glob("*.png"))
    assert capsys.readouterr().out.endswith("scan_0001.h5\n")
    assert unsaid() == []


# -- windows --------------------------------------------------------------------------------------------------------


@pytest.fixture
def screen(monkeypatch):
    """A screen that nobody sees."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("there is no Xvfb")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writing), "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as output:
            display = f":{output.readline().strip()}"
        monkeypatch.setenv("DISPLAY", display)
        yield display
    finally:
        finish_pictures()
        server.terminate()
        server.wait()


def test_without_a_screen_a_window_is_refused(slits, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(ScanError, match="there is no display to plot on"):
        scan(slits, plot=True)
    assert slits.value == 0 * q.mm


@concurrent
def test_a_scan_is_shown_in_a_window(slits, screen):
    from PIL import ImageGrab

    assert ImageGrab.grab(xdisplay=screen).getbbox() is None  # it is black
    scan(slits, plot=True)
    until(lambda: ImageGrab.grab(xdisplay=screen).getbbox() is not None)
    assert unsaid() == []


@concurrent
def test_a_window_that_cannot_be_opened_is_told_once_and_does_no_harm(slits, monkeypatch, tmp_path):
    monkeypatch.setattr(station, "windows", True)
    monkeypatch.setenv("DISPLAY", ":987654")
    for _ in range(2):
        run = do(describe.ascan(slits, 1 * q.mm, 4 * q.mm, 3, read=lambda: 7), background=True)
        assert len(run.result()) == 4
        wait_for_pictures()
    (line,) = [line for line in unsaid() if "there is no live plot" in line]
    assert "headless" in line
    assert is_drawn(tmp_path / "scan_0002.png")


def wait_for_pictures():
    until(lambda: not _pictures._drawing)


@concurrent
def test_a_window_that_is_killed_does_no_harm(slits, screen, concert_clock, tmp_path):
    slow = DummyDevice(delay=1 * q.s, name="slow")
    scan_of_slow = describe.ascan(slow, 1 * q.mm, 30 * q.mm, 29, read=lambda: 7)
    run = do(scan_of_slow, background=True, plot=True)
    until(lambda: run.points == 3)
    os.kill(painter(window=True).pid, signal.SIGKILL)
    assert len(run.result()) == 30
    assert is_drawn(tmp_path / "scan_0001.png")
