"""Looking at stored scans from the command line."""

import csv
import os

import numpy as np
import pytest

from concert.quantities import q
from concert.storage import Catalogue, Column, Header

STAGE = Column("stage", "positioner", "stage", "position")
DIODE = Column("diode", "detector", "diode", "intensity")
TITLE = "ascan stage 0–4 mm, 5 points"


@pytest.fixture
def data(tmp_path):
    """The directory of three scans: one with a peak, one with other things than numbers, and one without points."""
    catalogue = Catalogue(tmp_path / "data")
    known = {"title": TITLE, "kind": "ascan", "command": "ascan stage 0 mm 4 mm 4", "session": "imaging"}
    record = catalogue.begin(Header(**known, expected=5, columns=(STAGE, DIODE), metadata={"energy": 12.4 * q.keV}))
    for number, height in enumerate([0, 1, 2, 1, 0]):
        record.append((number * q.mm, height * q.V))
    record.finish("done")
    columns = (Column("remark", "detector"), Column("spectrum", "detector"))
    record = catalogue.begin(Header("count", kind="count", columns=columns))
    record.append(("good, in part", np.arange(3) * q.count))
    record.finish("aborted", "the beam was lost")
    catalogue.begin(Header("mesh", kind="mesh", columns=(STAGE, DIODE))).finish("stopped")
    return str(catalogue.directory)


def test_scans_are_listed(concert, data):
    status, out, err = concert("scans", "--data", data)
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["#", "began", "scan", "points", "status"]
    assert [(line[0], line[-2], line[-1]) for line in lines[1:]] == [
        ("1", "5/5", "done"),
        ("2", "1", "aborted"),
        ("3", "0", "stopped"),
    ]
    assert TITLE in out
    assert concert("scans", "ls", "--data", data) == (0, out, "")


def test_scans_are_searched(concert, data):
    for conditions, numbers in (
        (["--command", "mesh"], ["3"]),
        (["--device", "stage"], ["1", "3"]),
        (["--status", "aborted"], ["2"]),
        (["--until", "2001-01-01"], []),
        (["--since", "2001-01-01 12:00"], ["1", "2", "3"]),
    ):
        out = concert("scans", "ls", "--data", data, *conditions)[1]
        assert [line.split()[0] for line in out.splitlines()[1:]] == numbers


def test_a_long_list_shows_the_latest(concert, tmp_path):
    catalogue = Catalogue(tmp_path)
    for _ in range(25):
        catalogue.begin(Header("count", columns=(DIODE,))).finish("done")
    lines = concert("scans", "--data", str(tmp_path))[1].splitlines()
    assert [lines[1].split()[0], lines[-2].split()[0], lines[-1]] == ["6", "25", "and 5 before; all with --all"]
    assert len(concert("scans", "--all", "--data", str(tmp_path))[1].splitlines()) == 26


def test_a_scan_is_shown(concert, data):
    out = concert("scans", "show", "1", "--data", data)[1]
    for fact in (
        f"Scan 1  {TITLE}",
        "status   done",
        "command  ascan stage 0 mm 4 mm 4",
        "points   5 of 5",
        "session  imaging",
        "energy   12.4 keV",
        "result   peak 2 V at 2.00 mm · cen 2.00 mm · fwhm 2 mm",
        f"{data}/scan_0001.h5",
    ):
        assert fact in out
    assert [line.split() for line in out.splitlines()[-3:]] == [
        ["column", "unit", "smallest", "greatest", "role", "from"],
        ["stage", "mm", "0", "4", "positioner", "stage.position"],
        ["diode", "V", "0", "2", "detector", "diode.intensity"],
    ]


def test_whatever_a_scan_has_can_be_shown(concert, data):
    for number in ("2", "3"):
        status, out, err = concert("scans", "show", number, "--data", data)
        assert (status, err) == (0, "")
        assert out.startswith(f"Scan {number}  ")
    assert "status   aborted: the beam was lost" in concert("scans", "show", "2", "--data", data)[1]


def test_the_latest_scan_is_meant_without_a_number(concert, data):
    assert concert("scans", "show", "--data", data)[1].startswith("Scan 3  mesh")
    assert concert("scans", "show", "-2", "--data", data)[1].startswith("Scan 2  count")


def test_a_scan_is_plotted(concert, data, tmp_path):
    status, out, _ = concert("scans", "plot", "1", "--data", data)
    assert (status, out) == (0, f"{data}/scan_0001.png\n")
    elsewhere = tmp_path / "curve.png"
    assert concert("scans", "plot", "1", "--data", data, "--output", str(elsewhere))[1] == f"{elsewhere}\n"
    assert elsewhere.read_bytes().startswith(b"\x89PNG")
    status, out, err = concert("scans", "plot", "2", "--data", data)  # a text and a spectrum
    assert (status, out, err) == (1, "", "Sorry, there is nothing in Scan 2  count that could be drawn\n")


def test_a_scan_is_exported(concert, data, tmp_path):
    assert concert("scans", "export", "1", "--data", data)[1].splitlines() == [
        "stage / mm,diode / V",
        "0.0,0.0",
        "1.0,1.0",
        "2.0,2.0",
        "3.0,1.0",
        "4.0,0.0",
    ]
    table = tmp_path / "table.csv"
    assert concert("scans", "export", "2", "--data", data, "--output", str(table))[1] == f"{table}\n"
    with table.open(newline="") as file:
        head, row = csv.reader(file)
    assert head[-4:] == ["remark", "spectrum[0] / count", "spectrum[1] / count", "spectrum[2] / count"]
    assert row[-4:] == ["good, in part", "0.0", "1.0", "2.0"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["show", "9"], "Sorry, there is no scan 9 in {data}; say where they are with --data\n"),
        (["ls", "1"], "Sorry, ls lists many scans; to see one: concert scans show 1\n"),
        (["plot", "3"], "Sorry, scan 3 has no points to plot\n"),
        (["ls", "--since", "yesterday"], "Sorry, since takes a date or a time, such as "),
        (["export", "1", "--output", "/nowhere/table.csv"], "No such file or directory: '/nowhere/table.csv'"),
        (["export", "1", "--output", "{data}"], "Sorry, no table was written (Is a directory: '{data}'); name a file"),
        (["plot", "1", "--output", "{data}"], "Sorry, {data} could not be drawn: ValueError: that is no file, and "),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(concert, data, arguments, complaint):
    status, out, err = concert("scans", *(argument.format(data=data) for argument in arguments), "--data", data)
    assert (status, out) == (1, "")
    assert complaint.format(data=data) in err
    assert "Traceback" not in err


@pytest.mark.parametrize("what", ["export", "plot"])
@pytest.mark.parametrize("name", ["scans.sqlite", "scans.sqlite-wal", "scan_0002.h5", "scan_0001_camera.h5", "link"])
def test_nothing_is_written_over_stored_scans(concert, data, tmp_path, what, name):
    (tmp_path / "data" / "scan_0001_camera.h5").write_bytes(b"frames")
    (tmp_path / "data" / "link").symlink_to("scans.sqlite")
    before = {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir() if "-" not in path.name}
    output = f"{data}/{name}"
    status, out, err = concert("scans", what, "1", "--data", data, "--output", output)
    complaint = f"Sorry, {output} belongs to the scans in {data}; --output takes the name of another file\n"
    assert (status, out, err) == (1, "", complaint)
    assert {path.name: path.read_bytes() for path in (tmp_path / "data").iterdir() if "-" not in path.name} == before


def test_a_table_that_was_there_stays_if_there_is_no_new_one(concert, data, tmp_path, monkeypatch):
    table = tmp_path / "table.csv"
    table.write_text("precious")
    monkeypatch.setattr("concert.cli._scans._write_table", lambda *_: 1 / 0)
    assert concert("scans", "export", "1", "--data", data, "--output", str(table))[0] == 1
    assert {path.name for path in tmp_path.iterdir()} == {"data", "table.csv"}
    assert table.read_text() == "precious"


def test_a_pipe_takes_a_table_and_stays_a_pipe(concert, data, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert concert("scans", "export", "1", "--data", data, "--output", str(pipe))[0] == 0
    assert os.read(descriptor, 1000).startswith(b"stage / mm,diode / V")
    os.close(descriptor)
    err = concert("scans", "plot", "1", "--data", data, "--output", str(pipe))[2]
    assert (
        err == f"Sorry, {pipe} could not be drawn: ValueError: that is no file, and nothing is to come in its place\n"
    )
    assert pipe.is_fifo()


def test_where_no_scan_matches_it_says_so(concert, data):
    assert concert("scans", "--command", "dscan", "--data", data) == (0, "no scans match\n", "")


def test_a_file_has_no_scans_in_it(concert, tmp_path):
    file = tmp_path / "file"
    file.touch()
    status, _, err = concert("scans", "--data", str(file))
    assert (status, err) == (1, f"Sorry, there are no scans in {file}; say where they are with --data\n")


def test_where_there_are_no_scans_it_says_so(concert, tmp_path):
    nowhere = tmp_path / "empty"
    status, _, err = concert("scans", "--data", str(nowhere))
    assert (status, err) == (1, f"Sorry, there are no scans in {nowhere}; say where they are with --data\n")
    assert not nowhere.exists()
