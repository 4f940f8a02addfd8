import itertools
import socket
import threading

import pytest

from concert.async_._native import allocate_lock
from concert.async_._pool import pool
from concert.networking.base import SocketConnection
from tests.servers import PATIENCE, answering, echo, serving, silent, unused_port, wait

SHORT = 0.1  # seconds, where a timeout is the point


def test_connection_is_made_when_it_is_needed(connect):
    with serving(answering(echo)) as server:
        connection = connect(server)
        assert server.connections == 0
        connection.execute("a")
        connection.execute("b")
        assert server.connections == 1


def test_refused_connection_names_the_peer():
    port = unused_port()
    with pytest.raises(ConnectionError, match=rf"^no connection to 127.0.0.1:{port}: connection refused$"):
        SocketConnection("127.0.0.1", port).execute("P?")


def test_unknown_host_is_a_connection_error(monkeypatch):
    def look_up(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # Asking the network takes as long as it takes.
    monkeypatch.setattr("concert.networking._socket._look_up", look_up)
    with pytest.raises(ConnectionError, match=r"^no connection to nowhere.invalid:4001: name or service not known$"):
        SocketConnection("nowhere.invalid", 4001).execute("P?")


def test_look_up_that_takes_too_long_is_a_timeout(monkeypatch, until):
    answer, asked, answered = allocate_lock(), [], []

    def look_up(host, port):
        asked.append(host)
        with answer:
            answered.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("concert.networking._socket._look_up", look_up)
    with answer, pytest.raises(TimeoutError, match=r"^no connection to nowhere.invalid:4001 within 0.1 s$"):
        SocketConnection("nowhere.invalid", 4001, timeout=SHORT).execute("P?")
    assert asked
    until(lambda: answered and not pool.at_work)


def test_silent_peer_is_a_timeout():
    with (
        silent() as (host, port),
        SocketConnection(host, port, timeout=SHORT) as connection,
        pytest.raises(TimeoutError, match=rf"^no connection to 127.0.0.1:{port} within 0.1 s$"),
    ):
        connection.execute("P?")


def test_host_may_have_several_addresses_of_which_one_answers(connect, monkeypatch):
    def look_up(host, port):
        addresses = [("127.0.0.1", unused_port()), silent_address, (server.host, server.port)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]

    monkeypatch.setattr("concert.networking._socket._look_up", look_up)
    with serving(answering(echo)) as server, silent() as silent_address:
        assert connect(server, timeout=6 * SHORT).execute("P?") == "P?!"


def test_peer_that_closes_instead_of_answering(connect):
    with (
        serving(lambda wire: wire.read()) as server,
        pytest.raises(
            ConnectionError, match=rf"^no answer from 127.0.0.1:{server.port} to 'P\?': it closed the connection$"
        ),
    ):
        connect(server).execute("P?")


def test_peer_that_closes_in_the_middle_of_its_answer(connect):
    with (
        serving(lambda wire: (wire.read(), wire.write("15"))) as server,
        pytest.raises(ConnectionError, match=r"it closed the connection, only b'15' without b'\\n'$"),
    ):
        connect(server).execute("P?")


def test_peer_that_crashes_instead_of_answering(connect):
    with (
        serving(lambda wire: (wire.read(), wire.reset())) as server,
        pytest.raises(ConnectionError, match=r"^no answer from .* to 'P\?': connection reset by peer$"),
    ):
        connect(server).execute("P?")


def test_lost_command_is_not_sent_again(connect):
    with serving(lambda wire: wire.read()) as server:
        with pytest.raises(ConnectionError):
            connect(server).execute("MOVE")
        assert server.received == ["MOVE"]
        assert server.connections == 1


def test_next_call_after_a_loss_connects_again(connect):
    numbers = itertools.count()
    with serving(lambda wire: (wire.read(), next(numbers) and wire.write("back\n"))) as server:
        connection = connect(server)
        with pytest.raises(ConnectionError):
            connection.execute("a")
        assert connection.execute("b") == "back"


@pytest.mark.parametrize("end", ["close", "reset"])
def test_loss_that_is_seen_before_the_command_goes_out_is_not_noticed(connect, end):
    gone = threading.Event()

    def talk(wire):
        wire.write(echo(wire.read()))
        getattr(wire, end)()
        gone.set()

    with serving(talk) as server:
        connection = connect(server)
        for command in ("a", "b", "c"):
            gone.clear()
            assert connection.execute(command) == f"{command}!"
            wait(gone)
        gone.clear()
        connection.send("d")
        assert connection.recv() == "d!"
        wait(gone)
        assert server.received == ["a", "b", "c", "d"]


def test_peer_may_restart(connect):
    with serving(answering(echo)) as server:
        connection = connect(server)
        assert connection.execute("a") == "a!"
    with pytest.raises(ConnectionError, match="connection refused"):
        connection.execute("b")
    with serving(answering(lambda line: "restarted\n"), server.port):
        assert connection.execute("c") == "restarted"


def test_closed_connection_opens_again(connect):
    with serving(answering(echo)) as server:
        connection = connect(server)
        connection.execute("a")
        connection.close()
        connection.close()
        assert connection.execute("b") == "b!"
        assert server.connections == 2


def test_context_manager_closes(connect):
    left = threading.Event()

    def talk(wire):
        wire.write(echo(wire.read()))
        wire.read_to_end()
        left.set()

    with serving(talk) as server, connect(server) as connection:
        connection.execute("a")
        connection.close()
        wait(left)


def test_closing_ends_a_call_that_is_under_way(connect):
    asked = threading.Event()
    errors = []

    def ask():
        try:
            connection.execute("P?")
        except ConnectionError as error:
            errors.append(str(error))

    with serving(lambda wire: (wire.read(), asked.set(), wire.read())) as server:
        connection = connect(server, timeout=PATIENCE)
        asking = threading.Thread(target=ask)
        asking.start()
        wait(asked)
        connection.close()
        asking.join()
    assert errors == [f"no answer from {connection.peer} to 'P?': the connection was closed here"]
