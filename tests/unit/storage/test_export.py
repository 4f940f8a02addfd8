"""Data for pandas and xarray, with their units."""

import sys

import numpy as np
import pytest

from concert.quantities import q
from concert.storage import Column


@pytest.fixture
def scan(catalogue, header):
    columns = [Column("stage", "positioner"), *(Column(name, "detector") for name in ("diode", "remark", "spectrum"))]
    record = catalogue.begin(header(columns=columns))
    for number in range(3):
        record.append((number * q.um, number * q.V, f"point {number}", np.arange(4) * q.count))
    record.finish("done")
    return catalogue.last


def test_pandas(scan):
    pytest.importorskip("pandas")
    frame = scan.to_pandas()
    assert list(frame) == ["stage", "diode", "remark", "spectrum"]
    assert frame["diode"].tolist() == [0, 1, 2]
    assert frame["remark"].tolist() == ["point 0", "point 1", "point 2"]
    assert frame["spectrum"][1].tolist() == [0, 1, 2, 3]
    assert frame.attrs["units"] == {"stage": "µm", "diode": "V", "remark": "", "spectrum": "count"}


def test_xarray(scan):
    pytest.importorskip("xarray")
    dataset = scan.to_xarray()
    assert dataset["diode"].dims == ("point",)
    assert dataset["diode"].attrs["units"] == "V"
    assert dataset["stage"].attrs["units"] == "µm"
    assert dataset.coords["stage"].values.tolist() == [0, 1, 2]
    assert dataset["spectrum"].shape == (3, 4)
    assert dataset.attrs["title"] == scan.title


@pytest.mark.parametrize("package", ["pandas", "xarray"])
def test_who_has_not_installed_them_is_told_how(scan, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=f"this needs {package}, which is not installed: pip install {package}"):
        getattr(scan, f"to_{package}")()
