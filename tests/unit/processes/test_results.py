"""Results of scans: peaks, centres and widths in their units, and where the motors have to be for them."""

import numpy as np
import pytest

from concert.devices.dummy import DummyDevice
from concert.processes import _run, ascan, cen, com, describe, fwhm, measured, mesh, peak, positions, timescan
from concert.processes._errors import ScanError
from concert.processes._station import station
from concert.quantities import q


@pytest.fixture(autouse=True)
def no_scan_yet(monkeypatch):
    monkeypatch.setattr(_run, "_ended", [])


@pytest.fixture
def curve(stage, diode):
    return ascan(stage, 0 * q.mm, 10 * q.mm, 20, read=diode, show=False)


def in_mm(quantity):
    return quantity.m_as(q.mm)


def hill(x, y):
    """Return a function to read that is greatest where the devices *x* and *y* are 3 mm and 1 mm."""

    def height():
        offsets = np.array([(x.value - 3 * q.mm).m_as(q.mm), (y.value - 1 * q.mm).m_as(q.mm)])
        return float(np.exp(-(offsets @ offsets))) * q.V

    return height


def test_results_are_those_of_the_last_scan_and_have_units(curve):
    assert in_mm(cen()) == pytest.approx(5)
    assert in_mm(com()) == pytest.approx(5)
    assert in_mm(fwhm()) == pytest.approx(2, abs=0.05)
    assert peak() == (5 * q.mm, 1 * q.V)
    assert measured()["diode"].units == q.V


def test_results_of_a_given_scan(stage, diode, curve):
    run = describe.ascan(stage, 0 * q.mm, 1 * q.mm, 2, read=lambda: 7).start()
    run.join()
    assert in_mm(cen(curve)) == pytest.approx(5)
    assert peak(run) == (0 * q.mm, 7)


def test_results_of_a_given_signal(stage, diode):
    ascan(stage, 0 * q.mm, 10 * q.mm, 20, read=[lambda: 7, diode], show=False)
    with pytest.raises(ValueError, match="<lambda> has no peak with two flanks in this scan"):
        cen()
    assert in_mm(cen(signal=diode)) == pytest.approx(5)
    assert in_mm(cen(signal="diode")) == pytest.approx(5)


def test_a_signal_that_was_not_read_is_told_with_those_that_were(curve):
    with pytest.raises(ScanError, match="scan has not read lamp; it has stage, diode"):
        cen(signal="lamp")


@pytest.mark.parametrize("result", [cen, com, fwhm, peak, measured])
def test_without_a_scan_there_is_nothing(result):
    with pytest.raises(ScanError, match="no scan has been done yet"):
        result()


def test_a_number_means_a_stored_scan(curve):
    with pytest.raises(ScanError, match="scans are not stored here, so there is no scan 42"):
        cen(42)


@pytest.mark.parametrize("scan", ["42", 4.2, True])
def test_what_is_no_scan_is_refused(scan):
    with pytest.raises(TypeError, match="expected the number of a scan"):
        cen(scan)


def test_a_mesh_has_a_peak_of_all_its_motors_but_no_centre():
    x, y = DummyDevice(name="x"), DummyDevice(name="y")
    mesh(y, 0 * q.mm, 4 * q.mm, 4, x, 0 * q.mm, 4 * q.mm, 4, read=hill(x, y), show=False)
    assert peak() == ({"y": 1 * q.mm, "x": 3 * q.mm}, 1 * q.V)
    assert in_mm(com()["x"]) == pytest.approx(3, abs=0.1)
    with pytest.raises(ValueError, match="over an area of y and x: it has a peak and a centre of mass, but no centre"):
        cen()


def test_motors_that_move_together_have_their_centre_together():
    x, y = DummyDevice(name="x"), DummyDevice(name="y")
    y.value = 1 * q.mm
    ascan(x, 0 * q.mm, 6 * q.mm, y, 1 * q.mm, 1 * q.mm, 12, read=hill(x, y), show=False)
    assert {name: in_mm(where) for name, where in cen().items()} == pytest.approx({"x": 3, "y": 1})
    assert in_mm(fwhm()) == pytest.approx(1.665, abs=0.1)


def test_points_without_a_number_are_passed_over(stage):
    readings = iter([np.nan, 0, 1, 0, np.nan])
    ascan(stage, 0 * q.mm, 4 * q.mm, 4, read=lambda: next(readings) * q.V, show=False)
    assert (peak(), in_mm(cen())) == ((2 * q.mm, 1 * q.V), 2)


def test_what_is_no_number_has_no_peak(stage):
    ascan(stage, 0 * q.mm, 4 * q.mm, 4, read=lambda: "bright", show=False)
    with pytest.raises(ValueError, match="<lambda> is not one number at each point"):
        peak()


def test_a_scan_that_failed_at_its_first_point_has_no_results(stage):
    def broken():
        raise RuntimeError("no light")

    with pytest.raises(RuntimeError, match="no light"):
        ascan(stage, 0 * q.mm, 4 * q.mm, 4, read=broken, show=False)
    with pytest.raises(ValueError, match="broken has not been measured at any point of this scan yet"):
        peak()


def test_a_scan_that_was_refused_is_not_the_last_one(stage, diode, curve):
    stage["position"].upper = 10 * q.mm
    with pytest.raises(ScanError, match="above its soft limit"):
        ascan(stage, 0 * q.mm, 99 * q.mm, 4, read=diode, show=False)
    assert peak()[1] == 1 * q.V


def test_a_width_of_temperatures_is_a_difference():
    class Oven(DummyDevice):
        pass

    readings = iter([0, 1, 0])
    oven = Oven(name="oven")
    data = ascan(oven, 0 * q.mm, 2 * q.mm, 2, read=lambda: next(readings), show=False)
    data.columns["oven"] = q.Quantity([20.0, 21, 22], q.degC)
    assert fwhm(data) == q.Quantity(1, q.delta_degC)
    assert cen(data) == q.Quantity(21, q.degC)


# -- where to go ----------------------------------------------------------------------------------------------------


def test_positions_are_parameters_with_their_values(stage, curve):
    assert positions(None, "peak") == [(stage["position"], 5 * q.mm)]
    assert positions(None, 0) == [(stage["position"], 0 * q.mm)]
    assert positions(None, -1) == [(stage["position"], 10 * q.mm)]


def test_data_find_their_motors_in_the_session(stage, curve, monkeypatch):
    with pytest.raises(ScanError, match="stage, which the scan has moved, is not in this session"):
        positions(curve, 0)
    monkeypatch.setattr(station, "devices", lambda: {"stage": stage})
    assert positions(curve, 0) == [(stage["position"], 0 * q.mm)]


@pytest.mark.parametrize("point", [21, -22])
def test_a_point_that_there_is_not_is_refused(curve, point):
    with pytest.raises(IndexError, match=f"scan has the points 0 to 20, and no point {point}"):
        positions(None, point)


@pytest.mark.parametrize("point", [1.5, True, None])
def test_what_is_no_point_is_refused(curve, point):
    with pytest.raises(TypeError, match="expected the number of a point or one of peak, com, cen"):
        positions(None, point)


def test_an_unknown_result_is_refused(curve):
    with pytest.raises(ValueError, match="expected the number of a point or one of peak, com, cen, not 'middle'"):
        positions(None, "middle")


def test_a_scan_that_moved_nothing_leads_nowhere(concert_clock):
    timescan(1 * q.s, 3, read=lambda: 7, show=False)
    with pytest.raises(ScanError, match="timescan has moved nothing, so there is nowhere to go"):
        positions(None, 0)
