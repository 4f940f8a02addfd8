"""Who runs which session, as others see it."""

import pytest

from concert.session import running
from concert.session.running import registered, requests
from concert.session.stopping import Outcome


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "concert" / "running"


def test_nobody_runs_anything_at_first():
    assert running.running() == []
    assert requests() == []


def test_a_session_is_known_while_it_runs(place):
    with registered("imaging"):
        (session,) = running.running()
        assert (session.name, session.host) == ("imaging", running.platform.node())
    assert running.running() == []
    assert list(place.iterdir()) == []


def test_a_look_at_a_session_that_just_begins_does_not_make_it_unknown(monkeypatch):
    flock = running.fcntl.flock

    def look_first(stream, how):
        with monkeypatch.context() as patch:
            patch.setattr(running.fcntl, "flock", flock)
            running.running()
        return flock(stream, how)

    monkeypatch.setattr(running.fcntl, "flock", look_first)
    with registered("imaging"):
        assert [each.name for each in running.running()] == ["imaging"]


def test_what_a_dead_session_has_left_is_removed(place):
    place.mkdir(parents=True)
    (place / "imaging-here-1.json").write_text('{"name": "imaging", "pid": 1, "host": "here"}')
    assert running.running() == []
    assert list(place.iterdir()) == []


def test_a_request_is_answered_once(place):
    place.mkdir(parents=True)
    request = place / f"{running.os.getpid()}-1.stop"
    request.write_text('{"by": "jo in another terminal"}')
    (place / f"{running.os.getpid()}-2.stop").write_text("half a req")
    assert requests() == [(request, "jo in another terminal")]
    running.answer(request, [Outcome("stage", True, 0.1, "at 3 mm")])
    assert not request.exists()
    assert '"stage", true, 0.1' in request.with_suffix(".stopped").read_text()


def test_a_request_that_was_taken_back_gets_no_answer(place):
    place.mkdir(parents=True)
    running.answer(place / "1-1.stop", [])
    assert list(place.iterdir()) == []
