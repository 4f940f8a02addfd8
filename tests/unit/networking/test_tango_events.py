import logging
import threading
from types import SimpleNamespace

import pytest

from concert import _cooperative
from concert.async_._native import thread_ident
from concert.networking import _tango_events
from concert.networking.tango import NoEventsError, TangoRequestError, TangoSubscription, get_tango_device

tango = pytest.importorskip("tango")

RUNTIMES = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)


@pytest.fixture
def specimen(specimen_server):
    device = get_tango_device(specimen_server.uri("test/specimen/1"), timeout=20)
    device.Number = 0
    yield device
    device.close()


@RUNTIMES
def test_changes_come_in_order(specimen, until, concert_runtime):
    seen = []
    with specimen.subscribe("Number", lambda event: seen.append(event.value)):
        specimen.Number = 0.5
        until(lambda: 0.5 in seen)  # the way is open
        for number in range(1, 10):
            specimen.Number = number
        until(lambda: seen[-1] == 9)
    assert [value for number, value in enumerate(seen) if value not in seen[:number]] == [0, 0.5, *range(1, 10)]
    assert seen == sorted(seen)


def test_change_that_is_lost_in_the_beginning_is_found(specimen, until, monkeypatch):
    seen = []
    monkeypatch.setattr(TangoSubscription, "receive", lambda *_: None)  # as if all were lost
    specimen.subscribe("Number", seen.append)
    specimen.Number = 7
    until(lambda: seen)
    assert [(event.value, event.raw) for event in seen] == [(7, None)]


def test_event_tells_what_when_and_of_whom(specimen, until):
    seen = []
    specimen.subscribe("Number", seen.append)
    until(lambda: seen)
    event = seen[0]
    assert (event.device, event.attribute, event.value) == ("test/specimen/1", "Number", 0)
    assert (event.error, event.gap) == (None, 0)
    assert event.time == event.raw.attr_value.time.totime()


@pytest.mark.skipif(not _cooperative.state.cooperative, reason="there is no hub")
@pytest.mark.parametrize("concert_runtime", ["gevent", "sync"], indirect=True)
def test_handlers_run_on_the_hub(specimen, until, concert_runtime):
    seen = []
    specimen.subscribe("Number", lambda event: seen.append((thread_ident(), specimen.Double(event.value))))
    specimen.Number = 4
    until(lambda: len(seen) > 1)
    assert {thread for thread, _ in seen} == {thread_ident()}
    assert seen[-1][1] == 8


@RUNTIMES
def test_subscribing_works_in_any_thread(specimen, until, concert_runtime):
    seen = []
    thread = threading.Thread(target=lambda: specimen.subscribe("Number", seen.append))
    thread.start()
    thread.join()
    specimen.Number = 5
    until(lambda: seen and seen[-1].value == 5)


def test_nothing_comes_after_the_end(specimen, until):
    seen = []
    subscription = specimen.subscribe("Number", seen.append)
    until(lambda: seen)
    subscription.close()
    subscription.close()
    others = []
    specimen.subscribe("Number", others.append)
    before = len(seen)
    specimen.Number = 3
    until(lambda: others and others[-1].value == 3)
    assert len(seen) == before


def test_failing_handler_is_logged_and_stays(specimen, until, caplog):
    seen = []

    def handler(event):
        seen.append(event.value)
        raise ValueError("no room")

    with caplog.at_level(logging.ERROR):
        specimen.subscribe("Number", handler)
        specimen.Number = 1
        until(lambda: seen and seen[-1] == 1)
        until(lambda: caplog.records)
    assert "handler failed" in caplog.text


def test_missing_events_are_told(specimen):
    with pytest.raises(NoEventsError, match=r"^test/specimen/1 failed while subscribing to Label: The polling"):
        specimen.subscribe("Label", print)


def test_unknown_attribute_is_told(specimen):
    with pytest.raises(TangoRequestError, match=r"subscribing to Nothing: nothing attribute not found$"):
        specimen.subscribe("Nothing", print)


def test_unknown_kind_is_told(specimen):
    with pytest.raises(ValueError, match=r"^expected a kind of events \(change, periodic, archive, user\), not 'all'$"):
        specimen.subscribe("Number", print, kind="all")


def test_device_proxys_way_works_too(specimen, until):
    seen = []
    number = specimen.subscribe_event("Number", tango.EventType.CHANGE_EVENT, seen.append)
    until(lambda: seen)
    assert seen[0].attr_value.value == 0
    specimen.unsubscribe_event(number)
    with pytest.raises(TangoRequestError, match="has no subscription"):
        specimen.unsubscribe_event(number)


def test_device_proxys_options_are_taken_by_position_too(specimen, until):
    seen = []
    specimen.subscribe_event("Number", tango.EventType.CHANGE_EVENT, seen.append, [], True)
    until(lambda: seen)


@pytest.mark.parametrize("wanted", [True, False])
def test_lost_changes_are_looked_for_only_by_who_wants_our_own_events(specimen, monkeypatch, wanted):
    if wanted:
        subscription = specimen.subscribe("Number", lambda _event: None)
    else:
        number = specimen.subscribe_event("Number", tango.EventType.CHANGE_EVENT, lambda _event: None)
        subscription = specimen._subscriptions[number]
    looked = []

    class Started:
        def __init__(self, _pool, function):
            looked.append(function)

        def detach(self):
            pass

    monkeypatch.setattr(_tango_events, "start_beside", Started)
    subscription.receive(SimpleNamespace(err=True, errors=[SimpleNamespace(reason="API_EventTimeout", desc="none")]))
    subscription.receive(SimpleNamespace(err=False, attr_value=None))
    assert bool(looked) is wanted
