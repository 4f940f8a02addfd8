import pytest

from concert.simulation._rocking_curve import RockingCurve

CURVE = RockingCurve(centre=11.0, fwhm=0.014, height=1.0, background=0.01, lorentzian=0.3)


def test_peak_is_at_the_centre():
    assert CURVE.at(11.0) == pytest.approx(1.01)


@pytest.mark.parametrize("lorentzian", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("side", [-1, 1])
def test_half_the_height_is_at_half_the_width(lorentzian, side):
    curve = CURVE._replace(lorentzian=lorentzian)
    assert curve.at(11.0 + side * 0.007) == pytest.approx(0.51)


@pytest.mark.parametrize("position", [-180.0, 180.0])
def test_background_is_left_far_away(position):
    assert CURVE.at(position) == pytest.approx(0.01, abs=1e-6)
