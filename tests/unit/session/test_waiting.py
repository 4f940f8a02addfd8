"""What a command waits for is said."""

from types import SimpleNamespace

import pytest

from concert.async_ import Event, wait
from concert.async_._scope import begin_command
from concert.base import ignore_sets
from concert.devices.dummy import DummyDevice
from concert.quantities import q
from concert.session import waiting
from tests.devices_for_tests import concurrent, elsewhere

pytestmark = concurrent


@pytest.fixture
def held(monkeypatch):
    """A stage that somebody else holds until ``release`` is set, while a command runs; ``patience`` ends when set."""
    has, release, patience = Event(), Event(), Event()
    monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=lambda _seconds: patience.wait()))
    monkeypatch.setattr(waiting, "command_runs", lambda: True)
    waiting.tell_waits()
    begin_command("stage.value = 3 mm")
    stage = DummyDevice(name="stage")
    stage.release, stage.patience = release, patience

    def hold():
        with stage:
            has.set()
            release.wait()

    holding = elsewhere(hold)
    has.wait()
    yield stage
    patience.set()
    release.set()
    holding.join()
    ignore_sets(waiting._note)
    begin_command()


@pytest.fixture
def said(capsys):
    """Return a function that collects what was said so far."""
    lines = []

    def said():
        lines.append(capsys.readouterr().out)
        return "".join(lines)

    return said


def test_a_command_that_waits_says_for_whom(held, said, until):
    setting = held.set_value(3 * q.mm)
    held.patience.set()
    until(said)
    held.release.set()
    setting.join()
    assert said() == "waiting for stage, held by somebody else; Ctrl-C gives it up\n"


def test_what_waits_in_the_background_is_not_told(held, said, until):
    setting = held.set_value(3 * q.mm)
    until(lambda: setting.held_up)
    begin_command("another")
    told = held.set_value(4 * q.mm)
    until(lambda: told.held_up)
    held.patience.set()
    until(said)
    held.release.set()
    wait([setting, told])
    assert said().count("waiting for stage") == 1


def test_a_set_that_need_not_wait_says_nothing(held, said):
    held.patience.set()
    DummyDevice().value = 3 * q.mm
    assert said() == ""
