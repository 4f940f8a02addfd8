"""Scans in HDF5: units go with the data, and nothing is overwritten."""

import shutil
import subprocess
from datetime import UTC, datetime

import numpy as np
import pytest

from concert.async_ import resolve
from concert.quantities import q
from concert.storage import plot_scan, unit_text, write_scan

h5py = pytest.importorskip("h5py")

COLUMNS = {"stage.position": np.linspace(0, 1, 3) * q.um, "diode": np.arange(3.0) * q.V, "2nd": np.ones(3) * q.degC}


@pytest.fixture
def write(tmp_path):
    began = datetime(2026, 11, 22, 3, 12, tzinfo=UTC)
    return lambda: write_scan(tmp_path, "ascan stage", COLUMNS, "stage.position", "diode", began)


def test_values_and_units_come_back(write):
    _, path = write().result()
    with h5py.File(path) as file:
        data = file["entry/data"]
        position = q.Quantity(data["stage_position"][:], data["stage_position"].attrs["units"])
        assert position.units == q.um
        assert position.magnitude.tolist() == [0, 0.5, 1]
        assert data["_2nd"].attrs["units"] == "degC"
        assert data["stage_position"].attrs["long_name"] == "stage.position / µm"


def test_viewers_find_the_plot(write):
    _, path = write().result()
    with h5py.File(path) as file:
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        assert data.attrs["signal"] == "diode"
        assert list(data.attrs["axes"]) == ["stage_position"]
        assert [entry.attrs["NX_class"], data.attrs["NX_class"]] == ["NXentry", "NXdata"]
        assert entry["start_time"][()].decode() == "2026-11-22T03:12:00+00:00"


def test_numbers_go_up_and_nothing_is_overwritten(write, tmp_path):
    assert write().result()[0] == 1
    (tmp_path / "scan_0041.h5").write_text("somebody else's")
    assert write().result() == (42, tmp_path / "scan_0042.h5")


def test_scans_written_at_the_same_time_get_numbers_of_their_own(write):
    assert sorted(number for number, _ in resolve([write() for _ in range(8)])) == list(range(1, 9))


def test_a_failed_write_leaves_nothing(tmp_path):
    bad = {"x": q.Quantity(np.array([object()]), q.mm)}
    future = write_scan(tmp_path, "bad", bad, "x", "x", datetime.now(UTC))
    assert isinstance(future.exception(), TypeError)
    assert list(tmp_path.iterdir()) == []


def test_other_readers_open_the_file(write):
    if shutil.which("h5dump") is None:
        pytest.skip("h5dump is not installed")
    _, path = write().result()
    dump = subprocess.run(["h5dump", "-d", "/entry/data/diode", path], capture_output=True, text=True, check=True)
    assert '(0): "V"' in dump.stdout


@pytest.mark.parametrize(
    "unit", ["um", "angstrom", "degC", "delta_degC", "ohm", "mm ** 2", "1 / s", "deg", "dimensionless", "keV", "mm / s"]
)
def test_units_are_ascii_and_pint_reads_them_back(unit):
    text = unit_text(q.Unit(unit))
    assert text.isascii()
    assert q.Unit(text) == q.Unit(unit)


def test_a_plot_is_a_picture(tmp_path):
    path = plot_scan(tmp_path / "scan.png", "ascan", COLUMNS, "stage.position").result()
    assert path.read_bytes().startswith(b"\x89PNG")
