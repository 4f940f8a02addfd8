"""An interlock asked once: what is wrong, whatever its source does."""

import threading
import time

import pytest

from concert.base import Condition
from concert.networking.base import SocketConnection
from concert.processes import Interlock
from concert.processes._interlock import interlock_of, problems
from concert.quantities import q
from tests.servers import answering, serving, unused_port
from tests.unit.processes.conditions import Ring

in_all_runtimes = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)


@pytest.fixture
def ring():
    return Ring()


@in_all_runtimes
def test_nothing_is_wrong(ring, concert_runtime):
    assert Interlock(ring["current"] > 80 * q.mA).problem() is None


@in_all_runtimes
def test_what_is_wrong_is_a_sentence(ring, concert_runtime):
    ring.stored = 12 * q.mA
    assert Interlock(ring["current"] > 80 * q.mA).problem() == "ring.current is 12 mA, wanted > 80 mA"


@in_all_runtimes
def test_a_function_that_raises_counts_as_tripped(concert_runtime):
    broken = Interlock(Condition(lambda: 1 / 0, "the hutch is searched"))
    assert broken.problem() == "the hutch is searched cannot be told: ZeroDivisionError: division by zero"


@in_all_runtimes
def test_a_slow_source_counts_as_tripped_though_it_says_yes(concert_runtime, concert_clock):
    slow = Interlock(Condition(lambda: time.sleep(30) or True, "the hutch is searched"), timeout=3 * q.s)
    assert slow.problem() in (
        "the hutch is searched: no answer for 3.0 s",
        "the hutch is searched: it took 30.0 s to answer",  # with the sync runtime nobody can look meanwhile
    )
    assert concert_clock.now < 4 or concert_runtime == "sync"


@concurrently
def test_a_source_that_never_answers_counts_as_tripped(concert_runtime):
    never = threading.Event()
    try:
        hanging = Interlock(Condition(lambda: never.wait(60), "the hutch is searched"), timeout=0.05 * q.s)
        assert "the hutch is searched: no answer for 0." in hanging.problem()
    finally:
        never.set()


@in_all_runtimes
def test_a_peer_that_is_gone_counts_as_tripped_and_one_that_is_back_does_not(ring, concert_runtime):
    class Remote(Ring):
        def _get_current(self):
            return float(connection.execute("CURRENT?")) * q.mA

    port = unused_port()
    beam = Interlock(Remote()["current"] > 80 * q.mA)
    with SocketConnection("127.0.0.1", port) as connection:
        assert beam.problem().startswith(
            f"ring.current cannot be read: ConnectionError: no connection to 127.0.0.1:{port}"
        )
        with serving(answering(lambda line: "100\n"), port):
            assert beam.problem() is None
        assert beam.problem().startswith("ring.current cannot be read: ConnectionError")


@concurrently
def test_many_are_asked_at_the_same_time(ring, concert_runtime, concert_clock):
    slow = [Interlock(Condition(lambda: time.sleep(1) or True, "slow")) for _ in range(20)]
    assert problems([*slow, Interlock(ring["current"] < 1 * q.mA)]) == [
        *[None] * 20,
        "ring.current is 100 mA, wanted < 1 mA",
    ]
    assert concert_clock.now < 1.5


def test_no_interlocks_have_no_problems():
    assert problems([]) == []


def test_its_name_is_the_condition_unless_one_is_given(ring):
    assert Interlock(ring["current"] > 80 * q.mA).name == "ring.current > 80 mA"
    assert repr(Interlock(lambda: True, name="beam")) == "<Interlock beam>"


def test_conditions_and_functions_become_interlocks(ring):
    made = Interlock(ring["current"] > 80 * q.mA)
    assert interlock_of(made) is made
    assert interlock_of(ring["current"] > 80 * q.mA).settle == 1.0
    assert interlock_of(lambda: True).problem() is None


@pytest.mark.parametrize(("settle", "error"), [(-1 * q.s, ValueError), (1 * q.mm, ValueError), ("soon", TypeError)])
def test_a_settling_time_that_is_none_is_refused(settle, error):
    with pytest.raises(error):
        Interlock(lambda: True, settle=settle)


def test_a_value_that_was_read_is_refused(ring):
    with pytest.raises(TypeError, match="is no condition"):
        Interlock(ring.current > 80 * q.mA)
