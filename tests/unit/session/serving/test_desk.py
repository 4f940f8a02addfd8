"""The desk of a served device: operations, holds, and clients that are gone."""

import time
import uuid

import pytest

from concert.async_ import async_
from concert.base import LockError, SoftLimitError, StoppedError, refusing
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q
from concert.session.serving._desk import LEASE, Desk


@pytest.fixture
def stage():
    """A motor that takes ten seconds for its whole range."""
    motor = LinearMotor(speed=4 * q.mm / q.s, name="stage")
    motor["position"].lower, motor["position"].upper = 0 * q.mm, 40 * q.mm
    return motor


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Do not keep questions for a second: these tests ask again."""
    monkeypatch.setattr("concert.session.serving._desk.POLL", 0.3)


@pytest.fixture
def desk(stage):
    desk = Desk(stage, goes_on=False)
    yield desk
    end(desk)


def end(desk):
    desk.close()
    desk.wait_until_idle(5)


@pytest.fixture
def begin(stage):
    """Return a function that lets a client begin something, in the background, whatever becomes of it."""
    begun = []

    def begin(desk, request):
        begun.append(async_(desk.start)(request))
        return begun[-1]

    yield begin
    for future in begun:
        future.exception()


def asked(what, name, client="jo", **more):
    request = {"operation": uuid.uuid4().hex, "client": client, "who": f"{client} on lab3", "what": what, "name": name}
    return {**request, **more}


def moving(stage, until):
    until(lambda: stage.state == "moving")
    return stage.position


def silent(desk):
    """Let all clients be silent for too long."""
    desk.expire(time.monotonic() + LEASE + 1)


def test_set_that_ends_soon_is_answered_at_once(desk, stage):
    assert desk.start(asked("set", "position", value=0.2 * q.mm)) == {"done": True, "value": None}
    assert stage.position == 0.2 * q.mm


def test_reading_is_an_operation(desk, stage):
    assert desk.start(asked("get", "position"))["value"] == 0 * q.mm


def test_refusal_is_what_it_is_here(desk):
    with pytest.raises(SoftLimitError, match=r"stage.position 50 mm is outside its soft limits"):
        desk.start(asked("set", "position", value=50 * q.mm))


@pytest.mark.parametrize("name", ["_stop", "close_all", "position", "add", "name", "set_position"])
def test_only_asynchronous_methods_are_called(desk, name):
    with pytest.raises(ValueError, match=f"stage has no method '{name}' for its clients"):
        desk.start(asked("call", name, arguments=[], keywords={}))


def test_long_operation_is_asked_for_again(desk, stage, until):
    request = asked("set", "position", value=2 * q.mm)
    assert desk.start(request) == {"done": False}
    until(lambda: desk.outcome(request) == {"done": True, "value": None})
    assert stage.position == 2 * q.mm


def test_request_that_comes_twice_is_done_once(desk, stage):
    request = asked("call", "move", arguments=[0.2 * q.mm], keywords={})
    assert desk.start(request) == desk.start(request) == {"done": True, "value": None}
    assert stage.position == 0.2 * q.mm


def test_request_that_comes_after_it_was_given_up_does_nothing(desk, stage):
    request = asked("set", "position", value=0.2 * q.mm)
    assert desk.end({**request, "cancel": True}) == {"done": True}
    with pytest.raises(LockError, match="stage was told too late"):
        desk.start(request)
    assert stage.position == 0 * q.mm


def test_cancelling_stops_the_motor(desk, begin, stage, until):
    request = asked("set", "position", value=40 * q.mm)
    waiting = begin(desk, request)
    moving(stage, until)
    assert desk.end({**request, "cancel": True}) == {"done": True}
    assert stage.state == "standby"
    with pytest.raises(StoppedError, match=r"stage.position was stopped: jo on lab3 has cancelled it"):
        waiting.join()


def test_unknown_operation_was_lost(desk):
    with pytest.raises(ConnectionError, match="stage was served anew meanwhile"):
        desk.outcome({"operation": "of an earlier server", "client": "jo"})


def test_silent_client_is_stopped(desk, begin, stage, until):
    request = asked("set", "position", value=40 * q.mm)
    waiting = begin(desk, request)
    moving(stage, until)
    silent(desk)
    with pytest.raises(StoppedError, match=r"stage.position was stopped: jo on lab3 gave no sign of life for 3 s"):
        waiting.join()
    until(lambda: stage.state == "standby")
    assert stage.position < 40 * q.mm


def test_sign_of_life_keeps_a_move_going(desk, begin, stage, until):
    request = asked("set", "position", value=40 * q.mm)
    waiting = begin(desk, request)
    moving(stage, until)
    assert desk.sign({"client": "jo"}) == {"under_way": [request["operation"]]}
    desk.expire(time.monotonic() + LEASE / 2)
    assert stage.state == "moving"
    assert waiting.result() == {"done": False}


def test_nobody_is_silent_while_the_server_is_away(desk, begin, stage, until):
    begin(desk, asked("set", "position", value=40 * q.mm))
    moving(stage, until)
    later = time.monotonic() + 60
    desk.forgive(later)
    desk.expire(later + LEASE / 2)
    assert stage.state == "moving"


def test_unattended_device_goes_on(begin, stage, until):
    desk = Desk(stage, goes_on=True)
    request = asked("set", "position", value=2 * q.mm)
    waiting = begin(desk, request)
    moving(stage, until)
    silent(desk)
    assert stage.state == "moving"
    waiting.join()
    until(lambda: desk.outcome(request)["done"])
    assert stage.position == 2 * q.mm


def held(desk, part=None, client="jo", **more):
    request = asked("hold", part, client, **more)
    assert desk.start(request) == {"done": True, "value": None}
    return request


@pytest.mark.parametrize("part", [None, "position"])
def test_hold_keeps_others_away_and_names_the_holder(desk, stage, part):
    hold = held(desk, part)
    with refusing(), pytest.raises(LockError, match=r"^stage.position is held by jo on lab3$"):
        stage.position = 0.2 * q.mm
    with pytest.raises(LockError, match="is held by jo on lab3"):
        desk.start(asked("set", "position", "kim", value=0.2 * q.mm, patient=False))
    assert desk.holder() == "jo on lab3"
    assert desk.end(hold) == {"done": True}
    assert desk.holder() is None
    stage.position = 0.2 * q.mm


def test_work_under_a_hold_passes_it(desk, stage):
    hold = held(desk)
    assert desk.start(asked("set", "position", value=0.2 * q.mm, under=hold["operation"]))["done"]
    inner = held(desk, "position", under=hold["operation"])
    assert desk.start(asked("set", "position", value=0.4 * q.mm, under=inner["operation"]))["done"]
    desk.end(inner)
    desk.end(hold)
    assert stage.position == 0.4 * q.mm


def test_patient_one_waits_for_the_hold_to_end(desk, stage):
    hold = held(desk)
    waiting = asked("set", "position", "kim", value=0.2 * q.mm)
    assert desk.start(waiting) == {"done": False}
    assert stage.position == 0 * q.mm
    desk.end(hold)
    assert desk.outcome(waiting) == {"done": True, "value": None}


def test_stop_passes_a_hold(desk):
    hold = held(desk)
    assert desk.start(asked("call", "stop", "kim", arguments=[], keywords={}, patient=False))["done"]
    desk.end(hold)


def test_hold_of_a_silent_client_ends(desk, stage):
    hold = held(desk)
    silent(desk)
    stage.position = 0.2 * q.mm
    with pytest.raises(LockError, match="stage is not held any more: jo on lab3 gave no sign of life for 3 s"):
        desk.start(asked("set", "position", value=0.4 * q.mm, under=hold["operation"]))
    assert stage.position == 0.2 * q.mm


def test_work_of_a_silent_client_under_its_hold_is_stopped(desk, begin, stage, until):
    hold = held(desk)
    request = asked("set", "position", value=40 * q.mm, under=hold["operation"])
    waiting = begin(desk, request)
    moving(stage, until)
    silent(desk)
    with pytest.raises(StoppedError, match="gave no sign of life"):
        waiting.join()
    stage.position = stage.position


def test_who_waits_for_a_hold_and_goes_silent_does_not_get_it(desk, stage):
    hold = held(desk)
    waiting = asked("hold", None, "kim")
    assert desk.start(waiting) == {"done": False}
    desk.sign({"client": "jo"})
    desk._seen["kim"] -= LEASE + 1
    desk.expire(time.monotonic())
    desk.end(hold)
    stage.position = 0.2 * q.mm


def test_nothing_begins_at_a_closed_desk(desk, begin, stage, until):
    waiting = begin(desk, asked("set", "position", value=40 * q.mm))
    moving(stage, until)
    desk.close()
    desk.wait_until_idle(5)
    assert stage.state == "standby"
    with pytest.raises(StoppedError, match=r"stage.position was stopped: its session has ended"):
        waiting.join()
    with pytest.raises(ConnectionError, match="stage is not served any more"):
        desk.start(asked("set", "position", value=0.2 * q.mm))


def test_outcomes_are_kept_for_a_while_and_not_for_ever(desk, monkeypatch):
    request = asked("set", "position", value=0 * q.mm)
    desk.start(request)
    assert desk.outcome(request)["done"]
    desk.end({**asked("set", "position"), "cancel": True})
    now = time.monotonic() + 1000
    monkeypatch.setattr(time, "monotonic", lambda: now)
    desk._forget_old()
    assert (desk._operations, desk._never, len(desk._to_forget)) == ({}, set(), 0)


def test_values_that_were_read_are_not_kept(desk):
    request = asked("get", "position")
    assert desk.start(request)["done"]
    assert request["operation"] not in desk._operations
