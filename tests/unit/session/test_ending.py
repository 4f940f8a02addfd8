"""A process that is told to end by SIGTERM or SIGHUP ends, and cleans up before that."""

import os
import signal
import time

import pytest

from concert.async_ import async_, runtime, shielded
from concert.async_._interrupts import foreground
from concert.session.ending import end_if_told, ending_in_good_order

LATE = 10  # seconds


@pytest.fixture
def log():
    return []


def tell_to_end(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


def check_end(act, status=143):
    with pytest.raises(SystemExit) as end, ending_in_good_order():
        act()
    assert end.value.code == status
    assert foreground.end is None


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=str)
def test_code_that_computes_is_ended(number, status):
    def compute():
        tell_to_end(number)
        while True:
            pass

    check_end(compute, status)


@pytest.mark.skipif(runtime() != "gevent", reason="elsewhere nothing runs beside a wait, or it is not waited for")
def test_a_wait_is_ended_and_what_is_waited_for_cleans_up(log):
    @async_
    def wait_for_long():
        async_(tell_to_end)().detach()
        try:
            async_(time.sleep)(LATE).join()
        finally:
            log.append("cleaned up")

    check_end(lambda: wait_for_long().join())
    assert log == ["cleaned up"]


def test_a_shield_holds_until_its_end(log):
    def clean_up():
        with shielded():
            tell_to_end()
            log.append("cleaned up")
        log.append("went on")

    check_end(clean_up)
    assert log == ["cleaned up"]


@pytest.mark.skipif(runtime() == "threads", reason="a press from another thread ends nothing there")
def test_a_cleanup_after_ctrl_c_is_not_cut_short(log, until):
    @async_
    def scan():
        try:
            foreground.press()
            time.sleep(LATE)
        finally:
            if runtime() != "sync":
                until(lambda: foreground.shields)
            tell_to_end()
            log.append("cleaned up")

    check_end(lambda: scan().join())
    assert log == ["cleaned up"]


def test_a_command_of_the_shell_that_cleans_up_after_ctrl_c_does_so_first(log, monkeypatch):
    def command():
        monkeypatch.setattr(foreground, "delivered", 0)
        try:
            try:
                foreground.press()
            finally:
                tell_to_end()
                log.append("cleaned up")
        except KeyboardInterrupt:  # which the shell shows, before it asks for the next command
            end_if_told()
        log.append("went on")

    check_end(command)
    assert log == ["cleaned up"]
