import threading
import time

import pytest

from concert import _cooperative
from concert.async_ import async_, resolve, threaded
from concert.async_._native import start_new_thread
from concert.networking._turns import Place, Turns
from tests.servers import until

cooperative = pytest.mark.skipif(not _cooperative.state.cooperative, reason="needs greenlets")


@pytest.fixture
def turns():
    return Turns()


def start(turns, names, log):
    """Start threads that enter one after the other, log their names and leave; return them."""

    def take_turn(name):
        place = Place()
        try:
            turns.enter(place)
            log.append(name)
        finally:
            turns.leave(place)

    threads = []
    for name in names:
        before = turns.waiting
        threads.append(threading.Thread(target=take_turn, args=(name,)))
        threads[-1].start()
        until(lambda before=before: turns.waiting == before + 1)
    return threads


def test_turns_come_in_the_order_of_the_queue(turns):
    log = []
    first = Place()
    turns.enter(first)
    threads = start(turns, "abcdef", log)
    turns.leave(first)
    for thread in threads:
        thread.join()
    assert log == list("abcdef")


def test_leaving_twice_lets_nobody_in_too_early(turns):
    log = []
    first, second = Place(), Place()
    turns.enter(first)
    turns.leave(first)
    turns.enter(second)
    threads = start(turns, "a", log)
    turns.leave(first)
    assert not log
    turns.leave(second)
    threads[0].join()


def test_place_that_never_entered_may_be_left(turns):
    turns.leave(Place())
    turns.enter(Place())


def test_greenlets_and_native_threads_take_turns(turns):
    inside = []

    def take_turns(caller):
        for _ in range(100):
            place = Place()
            try:
                turns.enter(place)
                inside.append(caller)
                assert inside == [caller]
                time.sleep(0)  # lets others try
                inside.remove(caller)
            finally:
                turns.leave(place)

    resolve([call(take_turns)(caller) for caller, call in enumerate([async_, threaded] * 6)])


@cooperative
def test_greenlet_waits_for_a_native_thread_though_the_hub_has_nothing_else_to_do(turns):
    entered, holder = [], Place()

    def hold():
        turns.enter(holder)
        entered.append(True)
        while not turns.waiting:
            pass  # sleeping would give this thread a hub of its own
        turns.leave(holder)

    # Not a thread of Concert's own pool, for which the hub waits.
    start_new_thread(hold, ())
    until(lambda: entered)
    place = Place()
    turns.enter(place)
    turns.leave(place)
