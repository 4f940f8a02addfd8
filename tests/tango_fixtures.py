"""Tango servers and databases for tests; those that tests harm are the tests' own, the others are shared."""

import pytest

from tests.tango_processes import Database, Server


@pytest.fixture(scope="session")
def specimen_server():
    """A server of the devices of ``tests.tango_server``, without a database."""
    pytest.importorskip("tango")
    with Server("tests.tango_server") as server:
        yield server


@pytest.fixture(scope="session")
def simulated_tango():
    """The simulated beamline as a Tango server, quick."""
    pytest.importorskip("tango")
    with Server("concert.simulation.tango", "--velocity-factor=10") as server:
        yield server


@pytest.fixture(scope="session")
def tango_database(tmp_path_factory):
    """A Tango database."""
    pytest.importorskip("tango")
    with Database(tmp_path_factory.mktemp("tango")) as database:
        yield database


@pytest.fixture
def start_server():
    """Return a function that starts a server of the test's own; it ends after the test."""
    pytest.importorskip("tango")
    servers = []

    def start(module="tests.tango_server", *arguments, **options):
        servers.append(Server(module, *arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
