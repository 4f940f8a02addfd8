"""Thousands of provoked races: a kill hits the call it is meant for, and nothing else."""

import random
import time
from time import perf_counter

import pytest

from concert.async_ import KillException, async_, threaded
from concert.async_._native import start_new_thread

TIME = 0.4  # seconds of provocation in each test

concurrently = pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)


@async_
def work(number, steps):
    """Return *number* after a few switches, or end by the kill of this very call."""
    for _ in range(steps):
        time.sleep(0)
    return number


def outcome(future):
    try:
        return future.result()
    except KillException:
        return "killed"


@pytest.mark.parametrize("concert_runtime", ["gevent"], indirect=True)
def test_kill_never_hits_the_next_call_of_the_same_worker(concert_runtime):
    dice = random.Random(1)
    deadline = perf_counter() + TIME
    rounds = killed = 0
    while perf_counter() < deadline:
        rounds += 1
        victims = [work(number, dice.randrange(3)) for number in range(4)]
        for _ in range(dice.randrange(4)):
            time.sleep(0)
        shot = dice.sample(victims, 2)
        for victim in shot:
            victim.cancel(block=False)
        # These take over the workers of those that have just ended.
        bystanders = [work(number, dice.randrange(3)) for number in range(4)]
        assert [future.result() for future in bystanders] == [0, 1, 2, 3]
        for number, victim in enumerate(victims):
            assert outcome(victim) in ((number, "killed") if victim in shot else (number,))
        killed += sum(outcome(victim) == "killed" for victim in victims)
    assert rounds > 20
    assert killed > 20


@concurrently
def test_kills_from_native_threads_hit_only_their_calls(concert_runtime):
    dice = random.Random(2)
    deadline = perf_counter() + TIME
    pending = []

    def kill_what_comes():
        while perf_counter() < deadline or pending:
            if pending:
                pending.pop().cancel()
            else:
                time.sleep(0)
        ended.append(True)

    ended = []
    start_new_thread(kill_what_comes, ())
    while perf_counter() < deadline:
        victim, bystander = work("victim", dice.randrange(3)), work("bystander", dice.randrange(3))
        pending.append(victim)
        assert bystander.result() == "bystander"
        assert outcome(victim) in ("victim", "killed")
    while not ended:
        time.sleep(0.001)


@concurrently
def test_parents_and_children_end_together_whoever_is_first(concert_runtime):
    dice = random.Random(3)
    deadline = perf_counter() + TIME

    @async_
    def nest(depth, steps, started):
        if depth:
            future = nest(depth - 1, steps, started)
            started.append(future)
            return future.result()
        for _ in range(steps):
            work(0, 0).result()
        return "done"

    while perf_counter() < deadline:
        started = []
        top = nest(3, dice.randrange(4), started)
        for _ in range(dice.randrange(6)):
            time.sleep(0)
        dice.choice([top, *started]).cancel()
        assert outcome(top) in ("done", "killed")
        for future in started:
            outcome(future)
            assert future.done()


@concurrently
def test_operation_runs_exactly_when_the_code_had_not_finished(concert_runtime):
    dice = random.Random(4)
    deadline = perf_counter() + TIME
    while perf_counter() < deadline:
        stopped = []
        future = work("done", dice.randrange(3))
        future.cancel_operation = lambda stopped=stopped: stopped.append(True)
        for _ in range(dice.randrange(4)):
            time.sleep(0)
        killers = [threaded(future.cancel)() for _ in range(dice.randrange(3))]
        future.cancel()
        assert stopped == ([True] if outcome(future) == "killed" else [])
        for killer in killers:
            killer.join()
        assert len(stopped) <= 1


@concurrently
def test_time_limits_that_pass_just_then_lose_nothing(concert_runtime):
    dice = random.Random(5)
    deadline = perf_counter() + TIME
    late = 0
    while perf_counter() < deadline:
        future = async_(time.sleep)(0.0005)
        try:
            future.result(timeout=dice.choice([0, 0.0004, 0.0005, 0.0006]))
        except TimeoutError:
            late += 1
        assert future.join().done()
    assert late
