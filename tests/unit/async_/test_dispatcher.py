"""The dispatcher: order for each subscriber, and no harm to the others."""

import gc
import logging
import threading
import time
import weakref

import pytest

from concert.async_ import Dispatcher, KillException, async_, resolve, runtime, threaded


class Sender:
    """Something that has news."""


class Recorder:
    """Something that is interested."""

    def __init__(self):
        self.heard = []
        self.enough = threading.Event()
        self.wanted = 1

    def hear(self, sender):
        self.heard.append(sender)
        if len(self.heard) >= self.wanted:
            self.enough.set()

    def wait_for(self, count):
        """Wait until so many messages have come."""
        deadline = time.monotonic() + 10
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.001)
        return self.heard


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def dispatcher():
    dispatcher = Dispatcher()
    yield dispatcher
    dispatcher.close()


@async_
def nothing():
    pass


def let_others_run():
    """Return after everything that was ready has run."""
    resolve([nothing() for _ in range(100)])
    time.sleep(0.01)


def test_a_handler_gets_the_sender_alone(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.send(sender, "moved")
    assert recorder.wait_for(1) == [sender]


def test_other_messages_and_other_senders_are_not_heard(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.send(sender, "stopped")
    dispatcher.send(Sender(), "moved")
    dispatcher.send(sender, "moved")
    recorder.wait_for(1)
    let_others_run()
    assert recorder.heard == [sender]


def test_messages_arrive_in_the_order_sent(concert_runtime, dispatcher):
    senders, recorder = [Sender() for _ in range(200)], Recorder()
    for sender in senders:
        dispatcher.subscribe(sender, "moved", recorder.hear)
    only = Sender()
    order = []
    dispatcher.subscribe(only, "count", lambda _: order.append(len(order)))
    for _ in range(200):
        dispatcher.send(only, "count")
    let_others_run()
    deadline = time.monotonic() + 10
    while len(order) < 200 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert order == list(range(200))


def test_a_handler_is_never_called_twice_at_once(concert_runtime, dispatcher):
    sender, inside, overlaps, calls = Sender(), [], [], []

    def handler(_):
        overlaps.extend(inside)
        inside.append(1)
        time.sleep(0.001)
        inside.pop()
        calls.append(1)

    dispatcher.subscribe(sender, "moved", handler)
    for _ in range(10):
        dispatcher.send(sender, "moved")
    deadline = time.monotonic() + 10
    while len(calls) < 10 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert len(calls) == 10
    assert not overlaps


def test_a_slow_handler_delays_no_other(concert_runtime, dispatcher):
    if concert_runtime == "sync":
        pytest.skip("every handler runs inside send")
    sender, recorder, release = Sender(), Recorder(), threading.Event()
    dispatcher.subscribe(sender, "moved", lambda _: release.wait(10))
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.send(sender, "moved")
    try:
        assert recorder.wait_for(1) == [sender]
    finally:
        release.set()
        let_others_run()


def test_a_failing_handler_harms_no_other_and_stays_subscribed(concert_runtime, dispatcher, caplog):
    sender, recorder = Sender(), Recorder()

    def failing_handler(_):
        raise RuntimeError("no paper")

    dispatcher.subscribe(sender, "moved", failing_handler)
    dispatcher.subscribe(sender, "moved", recorder.hear)
    with caplog.at_level(logging.ERROR, "concert.async"):
        dispatcher.send(sender, "moved")
        dispatcher.send(sender, "moved")
        recorder.wait_for(2)
        let_others_run()
    messages = [record.message for record in caplog.records if "failing_handler failed" in record.message]
    assert len(messages) == 2


@pytest.mark.parametrize("concert_runtime", ["threads"], indirect=True)
def test_what_was_sent_is_told_after_a_handler_has_ended_its_thread(concert_runtime, dispatcher):
    recorder = Recorder()

    @threaded
    def send():
        for _ in range(3):
            dispatcher.send(sender, "news")

    def hear(heard):
        recorder.hear(heard)
        while not sending.done():
            time.sleep(0.001)
        raise SystemExit

    sender = Sender()
    dispatcher.subscribe(sender, "news", hear)
    sending = send()
    assert len(recorder.wait_for(3)) == 3


def test_sender_that_dies_while_another_unsubscribes_harms_nobody(dispatcher):
    senders = [Sender() for _ in range(3)]

    class Key(tuple):
        """The key of a sender that is compared just as the others die."""

        __slots__ = ()

        def __eq__(self, other):
            senders.clear()
            return False

        __hash__ = tuple.__hash__

    for sender in senders:
        dispatcher.subscribe(sender, "news", print)
    dispatcher._subscribers[(Key(("value", "x")), "news")] = []
    del sender
    dispatcher.unsubscribe("y", "news", print)
    assert len(dispatcher._subscribers) == 1  # the made-up one


def test_a_handler_whose_future_is_killed_stays_subscribed(concert_runtime, dispatcher, caplog):
    sender, heard = Sender(), []

    def handler(sender):
        heard.append(sender)
        raise KillException  # as a future does that was cancelled while the handler waited for it

    dispatcher.subscribe(sender, "moved", handler)
    for count in (1, 2):
        dispatcher.send(sender, "moved")
        wait_for(lambda count=count: len(heard) == count)
    wait_for(lambda: caplog.text.count("handler failed") == 2)


def test_handlers_run_in_the_runtime_of_the_sender(concert_runtime, dispatcher):
    sender, heard = Sender(), []
    dispatcher.subscribe(sender, "moved", lambda _: heard.append(str(runtime())))
    dispatcher.send(sender, "moved")
    wait_for(lambda: heard)
    assert heard == [concert_runtime]


def test_the_same_bound_method_counts_once(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.send(sender, "moved")
    recorder.wait_for(1)
    let_others_run()
    assert recorder.heard == [sender]


def test_an_unsubscribed_handler_hears_nothing_more(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.unsubscribe(sender, "moved", recorder.hear)
    dispatcher.send(sender, "moved")
    let_others_run()
    assert recorder.heard == []


def test_unsubscribing_an_unknown_handler_does_nothing(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.unsubscribe(sender, "moved", recorder.hear)
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.unsubscribe(sender, "moved", print)
    dispatcher.send(sender, "moved")
    assert recorder.wait_for(1) == [sender]


def test_a_handler_may_unsubscribe_itself(concert_runtime, dispatcher):
    sender, heard = Sender(), []

    def once(sender):
        heard.append(sender)
        dispatcher.unsubscribe(sender, "moved", once)

    dispatcher.subscribe(sender, "moved", once)
    dispatcher.send(sender, "moved")
    dispatcher.send(sender, "moved")
    let_others_run()
    assert heard == [sender]


def test_a_handler_may_subscribe_another(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", lambda _: dispatcher.subscribe(sender, "stopped", recorder.hear))
    dispatcher.send(sender, "moved")
    let_others_run()
    dispatcher.send(sender, "stopped")
    assert recorder.wait_for(1) == [sender]


def test_a_handler_may_send(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", lambda _: dispatcher.send(sender, "seen"))
    dispatcher.subscribe(sender, "seen", recorder.hear)
    dispatcher.send(sender, "moved")
    assert recorder.wait_for(1) == [sender]


def test_a_sender_is_not_kept_alive(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", recorder.hear)
    gone = weakref.ref(sender)
    del sender
    gc.collect()
    assert gone() is None


def test_a_new_sender_in_the_place_of_an_old_one_is_another(concert_runtime, dispatcher):
    recorder = Recorder()
    for _ in range(100):  # the same address comes back sooner or later
        sender = Sender()
        dispatcher.subscribe(sender, "moved", recorder.hear)
        del sender
        dispatcher.send(Sender(), "moved")
    let_others_run()
    assert recorder.heard == []


@pytest.mark.parametrize("make", [lambda: "scan", lambda: 7, lambda: (1, "a")], ids=["text", "number", "tuple"])
def test_a_plain_value_can_send(concert_runtime, dispatcher, make):
    recorder = Recorder()
    dispatcher.subscribe(make(), "done", recorder.hear)
    dispatcher.send(make(), "done")
    assert recorder.wait_for(1) == [make()]


def test_what_can_neither_be_referenced_weakly_nor_hashed_is_known_by_identity(concert_runtime, dispatcher):
    sender, recorder = [1], Recorder()
    dispatcher.subscribe(sender, "done", recorder.hear)
    dispatcher.send([1], "done")
    dispatcher.send(sender, "done")
    recorder.wait_for(1)
    let_others_run()
    assert len(recorder.heard) == 1


def test_after_close_nothing_is_heard(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", recorder.hear)
    dispatcher.close()
    dispatcher.send(sender, "moved")
    let_others_run()
    assert recorder.heard == []


def test_messages_from_a_native_thread_arrive(concert_runtime, dispatcher):
    sender, recorder = Sender(), Recorder()
    dispatcher.subscribe(sender, "moved", recorder.hear)
    threaded(dispatcher.send)(sender, "moved").join()
    assert recorder.wait_for(1) == [sender]


def test_a_handler_belongs_to_no_future_of_the_sender(dispatcher):
    if runtime() == "sync":
        pytest.skip("nothing can be killed where every call runs to its end")
    sender, done, started, end = Sender(), threading.Event(), threading.Event(), threading.Event()

    def handler(_):
        started.set()
        time.sleep(0.02)
        done.set()

    @async_
    def send_and_stay():
        dispatcher.send(sender, "moved")
        end.wait(10)

    dispatcher.subscribe(sender, "moved", handler)
    future = send_and_stay()
    assert started.wait(10)
    future.kill()
    assert done.wait(10)
    end.set()


def test_what_cannot_be_called_is_refused(dispatcher):
    with pytest.raises(TypeError, match="expected a callable handler of 'moved', not 5"):
        dispatcher.subscribe(Sender(), "moved", 5)


def test_who_has_subscribers_can_be_asked(dispatcher):
    sender = Sender()
    assert not dispatcher.has_subscribers(sender, "moved")
    dispatcher.subscribe(sender, "moved", print)
    assert dispatcher.has_subscribers(sender, "moved")
    assert not dispatcher.has_subscribers(sender, "stopped")
    assert not dispatcher.has_subscribers(Sender(), "moved")
    dispatcher.unsubscribe(sender, "moved", print)
    assert not dispatcher.has_subscribers(sender, "moved")
