"""The line that a scan ends with, however it ends, and what is shown when nothing can be shown."""

import io
import re

import pytest

from concert.devices.dummy import DummyDevice
from concert.processes import Region, Scan, ScanError, active_runs, ascan, closing, describe, do, unsaid, watch
from concert.processes._points import Together
from concert.quantities import q
from tests.devices_for_tests import after, concurrent, until


@pytest.fixture(autouse=True)
def nothing_unsaid():
    unsaid()
    yield
    unsaid()


def scan_of(device, read, points=(1, 2, 3, 4), **options):
    return Scan(Together([Region(device, list(points) * q.mm)]), read=read, **options)


def peak(count):
    return [0, 1, 0, 0, 0][count - 1] * q.V


def last_line(capsys):
    return capsys.readouterr().out.splitlines()[-1]


def test_a_scan_that_is_done_says_what_it_found(stage, diode, capsys):
    ascan(stage, 0 * q.mm, 10 * q.mm, 20, read=diode)
    assert re.fullmatch(r"Scan done in [\d.]+ s · peak 1 V at 5\.000 mm · cen 5\.000 mm · fwhm 2 mm", last_line(capsys))


def test_without_a_peak_there_is_none_in_it(capsys):
    watch(scan_of(DummyDevice(name="slits"), lambda: "bright").start())
    assert re.fullmatch(r"Scan done in \S+ s", last_line(capsys))


def test_a_scan_that_was_stopped_says_how_far_it_was_and_what_is_kept(capsys):
    watch(scan_of(DummyDevice(name="slits"), after(2, lambda: active_runs()[-1].stop(), peak)).start())
    assert re.fullmatch(
        r"Scan stopped after 2 of 4 points and \S+ s · peak 1 V at 2\.00 mm · measured\(\) has what there is",
        last_line(capsys),
    )


def test_a_scan_that_failed_has_a_line_too(capsys):
    def broken():
        raise RuntimeError("no light")

    with pytest.raises(RuntimeError, match="no light"):
        watch(scan_of(DummyDevice(name="slits"), after(3, broken, peak)).start())
    assert last_line(capsys).startswith("Scan failed after 2 of 4 points and ")


def test_a_scan_that_was_refused_says_nothing(stage, diode, capsys):
    stage["position"].upper = 5 * q.mm
    with pytest.raises(ScanError, match="above its soft limit"):
        ascan(stage, 0 * q.mm, 10 * q.mm, 20, read=diode)
    assert capsys.readouterr().out == ""


@concurrent
def test_a_scan_in_the_background_has_its_line_when_somebody_asks(stage, diode):
    run = do(describe.ascan(stage, 0 * q.mm, 10 * q.mm, 20, read=diode), background=True)
    assert unsaid() == []
    run.join()
    (line,) = unsaid()
    assert line == closing(run)
    assert unsaid() == []


@concurrent
def test_an_aborted_scan_has_its_line(stage):
    run = do(describe.ascan(stage, 0 * q.mm, 90 * q.mm, 9, read=lambda: 1), background=True)
    until(lambda: run.points == 2)
    run.abort()
    until(lambda: run.over)
    until(lambda: (lines := unsaid()) and lines[0].startswith("Scan aborted after 2 of 10 points and "))


class Broken(io.StringIO):
    """An output that nobody reads any more after some lines."""

    def __init__(self, lines):
        super().__init__()
        self.left = lines

    def write(self, text):
        if not self.left:
            raise BrokenPipeError("nobody reads this")
        self.left -= text.count("\n")
        return super().write(text)


@pytest.mark.parametrize("lines", [0, 1, 3])
def test_a_scan_goes_on_when_nobody_reads_its_output(stage, diode, monkeypatch, caplog, lines):
    output = Broken(lines)
    monkeypatch.setattr("sys.stdout", output)
    data = ascan(stage, 0 * q.mm, 10 * q.mm, 20, read=diode)
    assert len(data) == 21
    assert len(output.getvalue().splitlines()) == lines
    assert caplog.text.count("goes on, but cannot be shown any more: nobody reads this") == 1


def test_a_closed_output_is_no_reason_to_end(stage, diode, monkeypatch):
    output = io.StringIO()
    output.close()
    monkeypatch.setattr("sys.stdout", output)
    assert len(ascan(stage, 0 * q.mm, 10 * q.mm, 2, read=diode)) == 3
