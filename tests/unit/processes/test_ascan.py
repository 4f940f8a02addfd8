"""ascan and dscan: what is typed at the prompt."""

import pytest

from concert.processes import ScanRefused, ascan, counters, dscan
from concert.quantities import q


def test_intervals_make_one_more_point_and_the_ends_come_exactly_once(stage, diode):
    positions = ascan(stage, 1 * q.mm, 1.3 * q.mm, 3, read=diode)["stage"]
    assert positions.magnitude.tolist() == pytest.approx([1, 1.1, 1.2, 1.3])
    assert positions[-1] == 1.3 * q.mm


def test_start_and_stop_may_have_different_units(stage, diode):
    assert ascan(stage, 0 * q.mm, 1 * q.cm, 2, read=diode)["stage"].m_as(q.mm).tolist() == [0, 5, 10]


def test_the_points_are_shown_with_units_and_the_peak_is_found(stage, diode, capsys):
    data = ascan(stage, 0 * q.mm, 10 * q.mm, 4, read=diode)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ascan stage 0–10 mm, 5 points · about 1 s · limits, locks: fine"
    assert lines[1].split() == ["#", "stage", "/", "mm", "diode", "/", "V"]
    assert lines[4].split() == ["2", "5.00", "1"]
    assert data.peak == (5 * q.mm, 1 * q.V)


def test_several_things_are_read_at_every_point(stage, diode):
    data = ascan(stage, 0 * q.mm, 2 * q.mm, 2, read=[diode, stage["position"].get, lambda: 7])
    assert list(data.columns)[:2] == ["stage", "diode"]
    assert data["<lambda>"].magnitude.tolist() == [7, 7, 7]


def test_any_parameter_can_be_scanned(stage, diode):
    diode.install_parameters({})
    assert list(ascan(stage["position"], 0 * q.mm, 1 * q.mm, 1, read=diode).columns) == ["stage", "diode"]


def test_without_time_integration_the_time_is_waited(stage, diode, concert_clock):
    before = concert_clock.now
    ascan(stage, 0 * q.mm, 0.001 * q.mm, 1, 10 * q.s, read=diode)
    assert concert_clock.now - before >= 20


def test_declared_counters_are_read(stage, diode, no_counters):
    counters(diode)
    assert list(ascan(stage, 0 * q.mm, 1 * q.mm, 1).columns) == ["stage", "diode"]


def test_nothing_to_read_is_refused(stage, no_counters):
    with pytest.raises(ValueError, match=r"nothing to read: give read=..., or declare it once with counters"):
        ascan(stage, 0 * q.mm, 1 * q.mm, 1)


@pytest.mark.parametrize(
    ("start", "stop", "intervals", "error", "message"),
    [
        (0, 1 * q.mm, 1, ValueError, "the start of a scan of stage.position needs a unit: 0 has none"),
        (0 * q.mm, "1 mm", 1, ValueError, "the stop of a scan of stage.position needs a unit: '1 mm' has none"),
        (0 * q.mm, 1 * q.s, 1, ValueError, "cannot go from 0 mm to 1 s"),
        (0 * q.s, 1 * q.s, 1, ScanRefused, "point 0–1: stage.position must be given in mm, not 0 s"),
        (0 * q.mm, 1 * q.mm, 0, ValueError, "expected the number of intervals, 1 or more, not 0"),
        (0 * q.mm, 1 * q.mm, 1.5, ValueError, "not 1.5"),
        (0 * q.mm, 1 * q.mm, True, ValueError, "not True"),
        (0 * q.mm, 99 * q.mm, 9, ScanRefused, "point 5–9: stage 55 mm, 66 mm, 77 mm … are above its soft limit 50 mm"),
    ],
)
def test_bad_input_moves_nothing(stage, diode, start, stop, intervals, error, message):
    stage["position"].upper = 50 * q.mm
    with pytest.raises(error, match=message):
        ascan(stage, start, stop, intervals, read=diode)
    assert stage.position == 0 * q.mm


def test_two_columns_of_one_name_are_refused(stage):
    with pytest.raises(ValueError, match="have the same name"):
        ascan(stage, 0 * q.mm, 1 * q.mm, 1, read=[stage, stage])


def test_a_relative_scan_goes_back(stage, diode):
    stage.position = 5 * q.mm
    data = dscan(stage, -1 * q.mm, 1 * q.mm, 2, read=diode)
    assert data["stage"].m_as(q.mm).tolist() == pytest.approx([4, 5, 6])
    assert stage.position.m_as(q.mm) == pytest.approx(5)


def test_a_relative_scan_goes_back_after_a_failure(stage):
    def broken():
        raise RuntimeError("no light")

    stage.position = 5 * q.mm
    with pytest.raises(RuntimeError, match="no light"):
        dscan(stage, -1 * q.mm, 1 * q.mm, 2, read=broken)
    assert stage.position.m_as(q.mm) == pytest.approx(5)


def test_a_relative_scan_is_checked_where_it_will_be(stage, diode):
    stage["position"].upper = 5.5 * q.mm
    stage.position = 5 * q.mm
    with pytest.raises(ScanRefused, match=r"point 2: stage 6 mm is above its soft limit 5.5 mm; nothing was moved"):
        dscan(stage, -1 * q.mm, 1 * q.mm, 2, read=diode)
    assert stage.position.m_as(q.mm) == pytest.approx(5)
