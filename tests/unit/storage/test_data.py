"""What a scan has measured, and what follows from it."""

from datetime import UTC, datetime

import numpy as np
import pytest

from concert.quantities import q
from concert.storage import ScanData


def scan_of(signal, positions):
    columns = {"x": np.asarray(positions, dtype=float) * q.mm, "y": np.asarray(signal, dtype=float) * q.V}
    return ScanData("ascan x", columns, "x", "y", datetime.now(UTC))


def gaussian(positions, centre=4.0, fwhm=2.0, background=0.5):
    return background + np.exp(-4 * np.log(2) * ((np.asarray(positions) - centre) / fwhm) ** 2)


FINE = np.linspace(0, 10, 201)


def test_a_gaussian_has_its_centre_and_width():
    data = scan_of(gaussian(FINE), FINE)
    assert data.cen.m_as(q.mm) == pytest.approx(4, abs=1e-3)
    assert data.fwhm.m_as(q.mm) == pytest.approx(2, abs=1e-2)
    assert data.com.m_as(q.mm) == pytest.approx(4, abs=1e-3)
    assert data.peak == (4 * q.mm, 1.5 * q.V)


def test_the_direction_of_the_scan_does_not_matter():
    data = scan_of(gaussian(FINE)[::-1], FINE[::-1])
    assert data.cen.m_as(q.mm) == pytest.approx(4, abs=1e-3)
    assert data.fwhm.m_as(q.mm) == pytest.approx(2, abs=1e-2)


def test_half_maxima_are_interpolated():
    data = scan_of([0, 1, 0], [0, 1, 2])
    assert data.fwhm == 1 * q.mm
    assert data.cen == 1 * q.mm


@pytest.mark.parametrize("signal", [[0, 1, 2], [2, 1, 0], [1, 1, 1]], ids=["rising", "falling", "flat"])
def test_without_two_flanks_there_is_no_centre(signal):
    data = scan_of(signal, [0, 1, 2])
    with pytest.raises(ValueError, match="y has no peak with two flanks"):
        data.cen


def test_a_flat_signal_has_no_centre_of_mass():
    with pytest.raises(ValueError, match="y is the same everywhere"):
        scan_of([1, 1, 1], [0, 1, 2]).com


def test_the_summary_tells_what_there_is():
    assert scan_of([0, 1, 0], [0, 1, 2]).summary() == "peak 1 V at 1.00 mm · cen 1.00 mm · fwhm 1 mm"
    assert scan_of([0, 1, 2], [0, 1, 2]).summary() == "peak 2 V at 2.00 mm"


def test_an_unknown_column_names_those_there_are():
    with pytest.raises(KeyError, match="no column 'z'; it has x, y"):
        scan_of([0], [0])["z"]
