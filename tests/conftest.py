"""What all tests share. That every test is checked for leaks is set in pyproject.toml."""

import time

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture
def until():
    """Return a function that waits until a condition holds, however long that takes, but not forever."""

    def until(condition, timeout=20):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "it never came true"
            time.sleep(0.001)

    return until
