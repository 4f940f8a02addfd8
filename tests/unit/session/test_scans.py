"""scans: what the session has stored."""

import pytest

from concert.processes import ScanError, describe, station
from concert.quantities import q
from concert.session.scans import SHOWN, scans


@pytest.fixture
def session(tmp_path):
    station.where = lambda: tmp_path
    yield
    station.reset()


def count_once():
    describe.loopscan(1, read=light).start().join()


def light():
    return 2 * q.V


def test_there_are_none_at_first(session, tmp_path):
    assert len(scans) == 0
    assert repr(scans) == f"no scans yet in {tmp_path}"


def test_they_are_found_by_number_and_by_what_they_are(session):
    for _ in range(3):
        count_once()
    assert [scan.number for scan in scans] == [1, 2, 3]
    assert scans.last.number == scans[-1].number == 3
    assert scans[2].data["light"][0] == 2 * q.V
    assert [scan.number for scan in scans.search(command="loopscan", status="done")] == [1, 2, 3]


def test_the_prompt_shows_a_table_of_the_latest(session):
    for _ in range(SHOWN + 1):
        count_once()
    lines = repr(scans).splitlines()
    assert lines[0].split() == ["#", "began", "scan", "points", "status"]
    assert lines[1].split()[0] == "2"
    assert lines[-1].startswith("and 1 before, in ")


def test_outside_of_a_session_there_are_none():
    with pytest.raises(ScanError, match="scans are stored in sessions only"):
        len(scans)
