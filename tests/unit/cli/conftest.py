"""The command in this process, in a place for sessions that is the test's own."""

import pytest

from concert.cli import main
from tests.unit.session.conftest import session, sessions

__all__ = ["session", "sessions"]


@pytest.fixture
def concert(sessions, capsys):
    """Return a function that runs the command line and returns its exit status, its output and its complaints."""

    def run(*arguments):
        status = main(arguments)
        return (status, *capsys.readouterr())

    return run
