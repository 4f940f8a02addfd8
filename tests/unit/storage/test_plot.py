"""Pictures of scans."""

from datetime import UTC, datetime

import numpy as np
import pytest

from concert.quantities import q
from concert.storage import ScanData, plot_scan

COLUMNS = {
    "stage": np.linspace(0, 1, 3) * q.um,
    "diode": np.arange(3.0) * q.V,
    "open": np.array([True, False, True]) * q.dimensionless,
    "remark": np.array(["a", "b", "c"], object),
    "spectrum": np.ones((3, 4)) * q.count,
}


@pytest.mark.parametrize(
    "names",
    [["stage", "diode"], list(COLUMNS), ["stage", "remark"], ["remark", "diode"]],
    ids=["curve", "everything", "no numbers", "text as axis"],
)
def test_a_plot_is_a_picture(tmp_path, names):
    data = ScanData("ascan", {name: COLUMNS[name] for name in names}, names[0], names[1], datetime.now(UTC))
    path = plot_scan(tmp_path / "scan.png", "Scan 1  ascan", data).result()
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]
