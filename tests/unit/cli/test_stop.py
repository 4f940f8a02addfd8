"""``concert stop``, with sessions that answer in every way."""

import platform

import pytest

from concert.session import running
from concert.session.running import RunningSession
from concert.session.stopping import Outcome

ANSWERS = {
    "silent": None,
    "dead": ProcessLookupError(3, "No such process"),
    "foreign": PermissionError(1, "Operation not permitted"),
    "well": [Outcome("stage", True, 0.1, "at 3 mm")],
}


@pytest.fixture
def are_running(monkeypatch):
    """Return a function that lets the sessions of these names run, which give the answers above."""

    def request_stop(session):
        answer = ANSWERS[session.name]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def let(*names):
        sessions = [RunningSession(name, number, platform.node()) for number, name in enumerate(names, 1)]
        monkeypatch.setattr(running, "running", lambda: sessions)
        monkeypatch.setattr(running, "request_stop", request_stop)

    return let


def test_a_session_that_cannot_be_asked_keeps_no_other_from_being_shown(concert, are_running):
    are_running("dead", "foreign", "silent", "well")
    status, out, err = concert("stop")
    unknown = "nothing is known about its devices; check them by eye"
    assert out.splitlines()[:6] == [
        "dead (process 1)",
        f"it has just ended: {unknown}",
        "foreign (process 2)",
        f"it could not be asked (PermissionError: [Errno 1] Operation not permitted): {unknown}",
        "silent (process 3)",
        f"no answer within 5 s: {unknown}",
    ]
    assert "1 of 1 devices stopped in 0.10 s" in out
    assert (status, err) == (1, "Sorry, not everything has stopped\n")


def test_all_is_well_if_every_device_has_stopped(concert, are_running):
    are_running("well")
    assert concert("stop")[::2] == (0, "")
