"""The file of a scan: laid out as NeXus wants it, with units, and opened by every tool."""

import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from concert.quantities import q
from concert.storage import Catalogue, Column, Header

h5py = pytest.importorskip("h5py")

TOOLS = Path(sys.executable).parent

EVERYTHING = Header(
    title="a2scan with everything",
    command="a2scan stage 0 mm 1 mm lift 0 mm 1 mm 2",
    kind="a2scan",
    expected=3,
    columns=(
        Column("stage", "positioner", "stage", "position", "where the sample is"),
        Column("2nd stage/lift", "positioner", "lift", "position"),
        Column("2nd stage.lift", "detector"),
        Column("diode", "detector", "diode", "intensity"),
        Column("counts", "detector"),
        Column("open", "detector"),
        Column("remark", "detector"),
        Column("spectrum", "detector", "analyser"),
    ),
    session="imaging",
    plan={"motors": ["stage"], "snake": True},
    metadata={
        "user": {"name": "Jo", "email": "jo@example.org"},
        "sample": "Si 111",
        "energy": 12.4 * q.keV,
        "no": None,
    },
    snapshot={"stage": {"position": 3 * q.mm, "state": "standby", "odd": object(), "ragged": [[1], [2, 3]]}},
)
POINTS = [
    (0 * q.mm, 1 * q.mm, 1 * q.um, 0.5 * q.V, 7, True, "first", np.arange(3)),
    (1 * q.mm, 2 * q.mm, 2 * q.um, 1.5 * q.V, 8, False, "größer", np.arange(3)),
    (2 * q.mm, 3 * q.mm, 3 * q.um, 2.5 * q.V, 9, True, "", np.arange(3)),
]


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Return the path of the file of a scan with all there can be in one."""
    record = Catalogue(tmp_path_factory.mktemp("everything")).begin(EVERYTHING)
    for point in POINTS:
        record.append(point)
    record.finish("stopped", "stop was typed", {"stage": {"position": 2 * q.mm, "lost": float("nan")}})
    return record.path


@pytest.fixture(params=["everything", "one point", "no points", "text only", "array only", "time"])
def path(request, catalogue, everything):
    """Return the path of a file of a kind of scan."""
    columns, points = {
        "everything": (None, None),
        "one point": (("stage", "diode"), [(1 * q.mm, 1 * q.V)]),
        "no points": (("stage", "diode"), []),
        "text only": (("", "remark"), [("a",), ("b",)]),
        "array only": (("", "spectrum"), [(np.arange(4.0) * q.V,), (np.ones(4) * q.V,)]),
        "time": (("", "diode"), [(1 * q.V,), (2 * q.V,)]),
    }[request.param]
    if columns is None:
        return everything
    roles = [Column(name, role) for name, role in zip(columns, ("positioner", "detector"), strict=True) if name]
    record = catalogue.begin(Header(request.param, columns=tuple(roles)))
    for point in points:
        record.append(point)
    record.finish("done")
    return record.path


def test_values_and_units_come_back(everything):
    with h5py.File(everything) as file:
        data = file["entry/data"]
        for name, expected in (("stage", [0, 1, 2] * q.mm), ("diode", [0.5, 1.5, 2.5] * q.V), ("counts", [7, 8, 9])):
            assert (q.Quantity(data[name][:], data[name].attrs["units"]) == expected).all()
        assert data["diode"].attrs["long_name"] == "diode / V"
        assert data["open"][:].tolist() == [1, 0, 1]
        assert data["remark"].asstr()[:].tolist() == ["first", "größer", ""]
        assert data["spectrum"].shape == (3, 3)
        elapsed = data["elapsed"][:]
        assert (np.diff(elapsed) > 0).all()
        assert data["elapsed"].attrs["units"] == "s"


def test_names_are_what_nexus_allows_and_the_original_ones_are_kept(everything):
    with h5py.File(everything) as file:
        instrument = file["entry/instrument"]
        assert {group.attrs["name"]: name for name, group in instrument.items() if "2nd" in group.attrs["name"]} == {
            "2nd stage/lift": "_2nd_stage_lift",
            "2nd stage.lift": "_2nd_stage_lift_2",
        }
        assert file["entry/data/_2nd_stage_lift_2"].attrs["target"] == "/entry/instrument/_2nd_stage_lift_2/data"


def test_the_file_says_what_was_done_and_how_it_ended(everything):
    with h5py.File(everything) as file:
        entry = file["entry"]
        texts = {name: entry[name][()].decode() for name in ("title", "entry_identifier", "experiment_identifier")}
        assert list(texts.values()) == ["a2scan with everything", "1", "imaging"]
        scan = {name: entry["scan"][name][()] for name in ("command", "status", "reason", "expected_points")}
        assert scan == {
            "command": b"a2scan stage 0 mm 1 mm lift 0 mm 1 mm 2",
            "status": b"stopped",
            "reason": b"stop was typed",
            "expected_points": 3,
        }
        assert entry["user/email"][()] == b"jo@example.org"
        assert entry["sample/name"][()] == b"Si 111"
        assert entry["metadata/energy"].attrs["units"] == "keV"
        before, after = entry["snapshots/before/stage"], entry["snapshots/after/stage"]
        assert (before["position"][()], before["position"].attrs["units"], after["position"][()]) == (3, "mm", 2)
        assert before["ragged"][()] == b"[[1], [2, 3]]"
        assert entry["program_name"].attrs["version"] == entry["scan/versions/concert"][()].decode()


def test_times_have_a_zone(everything):
    with h5py.File(everything) as file:
        began, ended = (datetime.fromisoformat(file["entry"][name][()].decode()) for name in ("start_time", "end_time"))
        assert timedelta(0) < ended - began < timedelta(minutes=1)
        assert began.utcoffset() is not None


def test_viewers_find_the_plot(path):
    with h5py.File(path) as file:
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        assert [entry.attrs["NX_class"], data.attrs["NX_class"]] == ["NXentry", "NXdata"]
        signal, axes = data[data.attrs["signal"]], list(data.attrs["axes"])
        assert len(axes) == signal.ndim
        assert [data[axis].shape for axis in axes] == [(size,) for size in signal.shape]
        assert [data.attrs[f"{axis}_indices"] for axis in axes] == list(range(signal.ndim))
        for name in data.attrs.get("auxiliary_signals", ()):
            assert data[name].shape == signal.shape


def test_every_number_has_units(path):
    without = []

    def look(name, item):
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "iuf" and item.ndim and "units" not in item.attrs:
            without.append(name)

    with h5py.File(path) as file:
        file.visititems(look)
    assert not without


def test_nexus_has_no_objection(path):
    report = subprocess.run([TOOLS / "punx", "validate", "--report", "ERROR", path], capture_output=True, text=True)
    assert report.returncode == 0, report.stderr
    assert "ERROR    0 " in report.stdout, report.stdout


def test_nexusformat_finds_the_plot(path):
    script = (
        "import sys; from nexusformat.nexus import nxload; print(nxload(sys.argv[1]).plottable_data.nxsignal.nxname)"
    )
    found = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    with h5py.File(path) as file:
        assert found.stdout.strip().rpartition("\n")[2] == file["entry/data"].attrs["signal"], found.stderr


def test_old_tools_read_all_of_it(path):
    if shutil.which("h5dump") is None:
        pytest.skip("h5dump is not installed")
    subprocess.run(["h5ls", "-rv", path], capture_output=True, check=True)
    dump = subprocess.run(["h5dump", path], capture_output=True, text=True)
    assert dump.returncode == 0, dump.stderr
    assert '"units"' in dump.stdout


NUL, HALF = "X1\0", "\udc80"  # what a serial device may say, and what comes of bytes that are no UTF-8
WEIRD = f"{NUL} {HALF}"
SPELT_OUT = r"X1\x00 \udc80"


def test_texts_that_hdf5_cannot_hold_are_spelt_out_in_the_file_and_kept_in_the_journal(catalogue):
    column = Column(f"id{NUL}", "positioner", WEIRD, WEIRD, help=WEIRD)
    snapshot = {"serial": {"id": WEIRD, WEIRD: 1}}
    about = Header(WEIRD, WEIRD, WEIRD, None, (column,), WEIRD, {"a": WEIRD}, {"comment": WEIRD}, snapshot)
    record = catalogue.begin(about)
    for text in (WEIRD, "plain"):
        record.append((text,))
    record.finish("failed", WEIRD, snapshot)
    scan = catalogue.last
    assert scan.rows() == [(WEIRD,), ("plain",)]
    assert (scan.metadata, scan.snapshot_before, scan.snapshot_after) == ({"comment": WEIRD}, snapshot, snapshot)
    assert (scan.columns, scan.plan) == ((column,), {"a": WEIRD})
    assert (scan.title, scan.reason, scan.session) == tuple(["X1\0 \\udc80"] * 3)
    with h5py.File(scan.path) as file:
        entry = file["entry"]
        texts = [entry[name][()].decode() for name in ("title", "metadata/comment", "scan/reason", "scan/kind")]
        assert texts == [SPELT_OUT] * 4
        assert entry["snapshots/before/serial/id"][()].decode() == SPELT_OUT
        assert entry["data/idX1_"].asstr()[:].tolist() == [SPELT_OUT, "plain"]
