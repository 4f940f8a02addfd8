"""Verbs that are no scans, as functions."""

import pytest

from concert.devices.dummy import DummyDevice
from concert.quantities import q
from concert.session.verbs import ct


def test_counting_takes_what_to_read_as_scans_do(capsys):
    ring, diode = DummyDevice(3 * q.mm, name="ring"), DummyDevice(4 * q.mm, name="diode")
    assert ct(read=ring) == {"ring": 3 * q.mm}
    assert ct(read=[ring, diode]) == ct(None, ring, diode) == {"ring": 3 * q.mm, "diode": 4 * q.mm}
    with pytest.raises(ValueError, match="give what to read once"):
        ct(None, ring, read=diode)


def test_counting_has_no_dry_run(capsys):
    with pytest.raises(ValueError, match="ct moves nothing and stores nothing, so it has no dry run"):
        ct(1 * q.s, dry_run=True)
    assert capsys.readouterr().out == ""
