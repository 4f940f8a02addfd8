"""Failures that nobody asked for: logged once, handed out once, never printed."""

import gc
import logging
import subprocess
import sys

import pytest

from concert.async_ import async_, unhandled, wait


@async_
def fail():
    raise ValueError("no light")


@async_
def nothing():
    pass


@pytest.fixture(autouse=True)
def nothing_from_before():
    unhandled()


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.ERROR, "concert.async")
    return lambda: [record.message for record in caplog.records]


def failed():
    """Return a future that has failed, without asking it why."""
    future = fail()
    while not future.done():
        wait([nothing()])
    return future


LOGGED = "fail failed and nobody asked for its result"


def test_a_dropped_failure_is_logged_once(concert_runtime, log):
    failed()
    gc.collect()
    assert log() == [LOGGED]


def test_a_dropped_failure_is_handed_out_once(concert_runtime, log):
    failed()
    gc.collect()
    ((name, exception),) = unhandled()
    assert name == "fail"
    assert str(exception) == "no light"
    assert unhandled() == []
    assert log() == [LOGGED]


def test_a_failure_is_handed_out_while_its_future_lives(concert_runtime, log):
    future = failed()
    assert [failure.name for failure in unhandled()] == ["fail"]
    assert log() == [LOGGED]
    del future
    gc.collect()
    assert unhandled() == []
    assert log() == [LOGGED]


def raised_by(function, *args):
    with pytest.raises(ValueError, match="no light"):
        function(*args)


@pytest.mark.parametrize(
    "ask", [lambda f: f.exception(), lambda f: raised_by(f.result), lambda f: raised_by(wait, [f])]
)
def test_a_failure_that_somebody_asked_for_is_theirs(concert_runtime, log, ask):
    future = failed()
    ask(future)
    del future
    gc.collect()
    assert unhandled() == []
    assert log() == []


def test_a_killed_future_has_not_failed(concert_runtime, log):
    future = nothing()
    future.kill()
    del future
    gc.collect()
    assert unhandled() == []
    assert log() == []


def test_failures_of_children_that_a_parent_joined_are_the_parents(concert_runtime, log):
    @async_
    def parent():
        fail().join()

    future = parent()
    assert isinstance(future.exception(), ValueError)
    del future
    gc.collect()
    assert unhandled() == []


@pytest.mark.parametrize("switch", ["CONCERT_ENABLE_GEVENT=1", "CONCERT_ENABLE_GEVENT=0", "CONCERT_ENABLE_ASYNC=0"])
def test_nothing_is_printed_but_what_the_log_prints(switch):
    code = (
        "import logging, sys; logging.basicConfig(stream=sys.stdout, format='%(message)s')\n"
        "from concert.async_ import async_, wait\n"
        "import time\n"
        "f = async_(lambda: 1 / 0)()\n"
        "time.sleep(0.01)\n"
        "print('end')\n"
    )
    name, _, value = switch.partition("=")
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={name: value}, timeout=60, check=True
    )
    assert run.stderr == ""
    assert run.stdout.count("ZeroDivisionError: division by zero") == 1
    assert "failed and nobody asked for its result" in run.stdout
