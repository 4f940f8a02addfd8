"""Keeping a scan: a file with units and a picture."""

from datetime import UTC, datetime

import pytest

from concert import config
from concert.processes import ScanData, save
from concert.quantities import q

h5py = pytest.importorskip("h5py")


@pytest.fixture
def data():
    return ScanData("ascan x", {"x": [0, 1] * q.mm, "y": [2, 3] * q.V}, "x", "y", datetime.now(UTC))


def test_a_scan_is_written_and_drawn_beside(data, tmp_path, capsys):
    path = save(data, tmp_path / "new")
    assert path.name == "scan_0001.h5"
    assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert capsys.readouterr().out == f"{path}   {path.with_suffix('.png')}\n"


def test_the_setting_says_where(data, tmp_path, monkeypatch):
    monkeypatch.setattr(config, "DATA", str(tmp_path))
    assert save(data).parent == tmp_path
