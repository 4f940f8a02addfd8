"""What tests of the storage begin with."""

import subprocess

import pytest

from concert.quantities import q
from concert.storage import Catalogue, Column, Header

STAGE = Column("stage", "positioner", "stage", "position", "where the sample is")
DIODE = Column("diode", "detector", "diode", "intensity")


@pytest.fixture
def catalogue(tmp_path, concert_runtime):
    catalogue = Catalogue(tmp_path)
    yield catalogue
    catalogue.close()


@pytest.fixture
def header():
    """Return a function that makes a header; it takes what is to be different."""

    def make(**different):
        known = {"title": "ascan stage 0–1 mm, 3 points", "command": "ascan stage 0 mm 1 mm 2", "kind": "ascan"}
        return Header(**{**known, "expected": 3, "columns": (STAGE, DIODE), **different})

    return make


@pytest.fixture
def measured(catalogue, header):
    """Return a function that stores a finished scan of some points and returns its record."""

    def measure(points=3, status="done", **different):
        record = catalogue.begin(header(**different))
        for number in range(points):
            record.append((number * q.mm, number / 2 * q.V), wait=False)
        record.finish(status)
        return record

    return measure


@pytest.fixture
def small_disk(tmp_path_factory):
    """The directory of a disk of 1 MB."""
    disk = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)
