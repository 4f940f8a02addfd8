"""Tests of asynchronous execution run in all runtimes, unless they say in which."""

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "concert_runtime" not in metafunc.fixturenames:
        return
    chosen = [mark for mark in metafunc.definition.iter_markers("parametrize") if mark.args[0] == "concert_runtime"]
    if not chosen:
        metafunc.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
