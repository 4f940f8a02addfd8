import signal
import threading

import pytest

from concert import _cooperative
from concert.async_ import async_, resolve, threaded
from tests.servers import PATIENCE, answering, echo, serving, until, wait

cooperative = pytest.mark.skipif(not _cooperative.state.cooperative, reason="needs greenlets")
native = pytest.mark.skipif(_cooperative.state.cooperative, reason="needs a main thread that blocks")


def in_threads(function, values):
    """Return what *function* returns for *values*, called for all of them at once."""
    results = {}
    threads = [threading.Thread(target=lambda v=v: results.update({v: function(v)}), daemon=True) for v in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return [results.get(value) for value in values]


def test_each_of_many_callers_gets_its_own_answer(connect):
    with serving(answering(echo)) as server:
        connection = connect(server)

        def ask(caller):
            return [connection.execute(f"{caller}.{number}") for number in range(20)]

        answers = in_threads(ask, range(20))
        assert answers == [[f"{caller}.{number}!" for number in range(20)] for caller in range(20)]
        assert server.connections == 1


def test_greenlets_and_native_threads_share_a_connection(connect):
    with serving(answering(echo)) as server:
        connection = connect(server)

        def ask(caller):
            return [connection.execute(f"{caller}.{number}") for number in range(50)]

        futures = [call(ask)(caller) for caller, call in enumerate([async_, threaded] * 5)]
        assert resolve(futures) == [[f"{caller}.{number}!" for number in range(50)] for caller in range(10)]


@cooperative
def test_reply_to_a_killed_caller_does_not_reach_the_next_question(connect):
    import gevent

    asked, killed = threading.Event(), threading.Event()

    def talk(wire):
        while (line := wire.read()) is not None:
            if line == "slow":
                asked.set()
                wait(killed)
            wire.write(echo(line))

    with serving(talk) as server:
        connection = connect(server)
        caller = gevent.spawn(connection.execute, "slow")
        wait(asked)
        caller.kill()
        killed.set()
        assert connection.execute("fast") == "fast!"


@cooperative
def test_caller_killed_while_it_waits_for_its_turn_leaves_no_trace(connect):
    import gevent

    asked, answer = threading.Event(), threading.Event()

    def talk(wire):
        while (line := wire.read()) is not None:
            asked.set()
            wait(answer)
            wire.write(echo(line))

    with serving(talk) as server:
        connection = connect(server)
        first = gevent.spawn(connection.execute, "first")
        wait(asked)
        second = gevent.spawn(connection.execute, "second")
        third = gevent.spawn(connection.execute, "third")
        until(lambda: connection._turns.waiting == 2)
        second.kill()
        answer.set()
        assert first.get(timeout=PATIENCE) == "first!"
        assert third.get(timeout=PATIENCE) == "third!"
        assert server.received == ["first", "third"]
        assert server.connections == 1


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_command_of_a_call_that_was_cancelled_while_it_waited_for_its_turn_is_never_sent(connect, concert_runtime):
    asked, answer = threading.Event(), threading.Event()

    def talk(wire):
        while (line := wire.read()) is not None:
            asked.set()
            wait(answer)
            wire.write(echo(line))

    with serving(talk) as server:
        connection = connect(server)
        first = async_(connection.execute)("first")
        async_(wait)(asked).join()
        second = async_(connection.execute)("MOVE")
        until(lambda: connection._turns.waiting)
        second.cancel()
        answer.set()
        assert first.result() == "first!"
        assert connection.execute("third") == "third!"
        assert server.received == ["first", "third"]


@native
def test_reply_to_an_interrupted_caller_does_not_reach_the_next_question(connect):
    interrupted = threading.Event()
    main = threading.get_ident()

    def interrupt(*_):
        raise KeyboardInterrupt

    def talk(wire):
        while (line := wire.read()) is not None:
            if line == "slow":
                signal.pthread_kill(main, signal.SIGUSR1)
                wait(interrupted)
            wire.write(echo(line))

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with serving(talk) as server:
            connection = connect(server)
            with pytest.raises(KeyboardInterrupt):
                connection.execute("slow")
            interrupted.set()
            assert connection.execute("fast") == "fast!"
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_interrupt_in_the_moment_of_leaving_does_not_keep_others_out(connect, monkeypatch):
    with serving(answering(echo)) as server:
        connection = connect(server)
        leave = connection._turns.leave
        strikes = [KeyboardInterrupt]

        def leave_interrupted(place):
            if strikes:
                raise strikes.pop()
            leave(place)

        monkeypatch.setattr(connection._turns, "leave", leave_interrupted)
        with pytest.raises(KeyboardInterrupt):
            connection.execute("a")
        assert connection.execute("b") == "b!"
