"""What all tests share. That every test is checked for leaks is set in pyproject.toml."""

import os
import time

import pytest

pytest_plugins = ["pytester", "tests.tango_fixtures"]


@pytest.fixture
def until():
    """Return a function that waits until a condition holds, however long that takes, but not forever."""

    def until(condition, timeout=20):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.001)

    return until


@pytest.fixture(autouse=True, scope="session")
def a_place_for_states(tmp_path_factory):
    """Let no test write to the audit trail and the history of the person who runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
