import logging
import threading
import time

import pytest

from concert.networking.base import SocketConnection
from concert.quantities import q
from tests.servers import PATIENCE, answering, echo, serving, wait

SHORT = 0.1  # seconds, where a timeout is the point


# -- replies, however they come ----------------------------------------------------------------------------------------


def test_reply_comes_without_its_return_sequence(connect):
    with serving(answering(echo)) as server:
        assert connect(server).execute("P?") == "P?!"


def test_reply_may_come_a_byte_at_a_time(connect):
    with serving(lambda wire: wire.write(wire.read(), *"1500\n")) as server:
        assert connect(server).execute("P?") == "P?1500"


def test_return_sequence_may_be_any_text_and_come_in_pieces(connect):
    def talk(wire):
        wire.read()
        wire.write("1\r\n5\r", "\r", "\n", "\r\r\n")

    with serving(talk) as server:
        connection = connect(server, return_sequence="\r\r\n")
        assert connection.execute("P?\n") == "1\r\n5"
        assert connection.recv() == ""


def test_two_replies_in_a_packet_are_two_replies(connect):
    with serving(lambda wire: (wire.read(), wire.write("1\n2\n"), wire.read())) as server:
        connection = connect(server)
        connection.send("both")
        assert connection.recv() == "1"
        assert connection.recv() == "2"


def test_peer_may_speak_first(connect):
    with serving(lambda wire: (wire.write("welcome\n"), wire.read())) as server:
        assert connect(server).recv() == "welcome"


def test_text_is_sent_as_given(connect):
    with serving(answering(echo)) as server:
        connection = connect(server)
        assert connection.execute("a\nb c ") == "a!"
        assert connection.recv() == "b c !"
        assert server.received == ["a", "b c "]


def test_text_that_is_not_ascii_is_refused_before_anything_is_sent(connect):
    with serving(answering(echo)) as server:
        with pytest.raises(ValueError, match=rf"^expected ASCII text to send to 127.0.0.1:{server.port}, not 'µm'$"):
            connect(server).execute("µm")
        assert server.connections == 0


def test_bytes_are_refused(connect):
    with serving(answering(echo)) as server:
        with pytest.raises(TypeError, match=r"^expected text to send to .*, not b'P\?'$"):
            connect(server).execute(b"P?")
        assert server.connections == 0


def test_reply_that_is_not_ascii_names_its_bytes(connect):
    with (
        serving(answering(lambda line: b"\xb5m\n")) as server,
        pytest.raises(ConnectionError, match=r"expected the answer from .* to 'U\?' to be ASCII, not b'\\xb5m'$"),
    ):
        connect(server).execute("U?")


def test_reply_without_end_is_given_up(connect):
    def talk(wire):
        wire.read()
        for _ in range(17):
            wire.write(b"x" * 2**20)

    with (
        serving(talk) as server,
        pytest.raises(ConnectionError, match=r"^no end of the answer from .* to 'P\?': expected b'\\n' within"),
    ):
        connect(server).execute("P?")


# -- timeouts ----------------------------------------------------------------------------------------------------------


def test_missing_reply_names_peer_command_and_time(connect):
    with serving(lambda wire: wire.read_to_end()) as server:
        connection = connect(server, timeout=SHORT * q.s)
        with pytest.raises(TimeoutError, match=rf"^no answer from 127.0.0.1:{server.port} to 'P\?' within 0.1 s$"):
            connection.execute("P?")


def test_half_a_reply_is_shown(connect):
    with (
        serving(lambda wire: (wire.read(), wire.write("15"), wire.read())) as server,
        pytest.raises(TimeoutError, match=r"within 0.1 s, only b'15' without b'\\n'$"),
    ):
        connect(server).execute("P?", timeout=SHORT)


def test_missing_message_is_a_timeout_as_well(connect):
    with (
        serving(lambda wire: wire.read()) as server,
        pytest.raises(TimeoutError, match=rf"^no message from 127.0.0.1:{server.port} within 0.1 s$"),
    ):
        connect(server).recv(timeout=100 * q.ms)


def test_late_reply_does_not_reach_the_next_question(connect):
    asked_again = threading.Event()

    def talk(wire):
        if wire.read() == "slow":
            wait(asked_again)
            wire.write("late\n")
        else:
            asked_again.set()
            wire.write("fast!\n")

    with serving(talk) as server:
        connection = connect(server)
        with pytest.raises(TimeoutError):
            connection.execute("slow", timeout=SHORT)
        assert connection.execute("fast") == "fast!"


def test_peer_that_never_reads_is_a_timeout(connect):
    done = threading.Event()
    with serving(lambda wire: wait(done)) as server:
        with pytest.raises(TimeoutError, match=r"has not taken 'xx*' … \(67108864 in all\) within 0.1 s$"):
            connect(server).send("x" * 2**26, timeout=SHORT)
        done.set()


def test_waiting_for_ones_turn_does_not_count(connect):
    asked = threading.Event()

    def talk(wire):
        while (line := wire.read()) is not None:
            asked.set()
            if line == "slow":
                time.sleep(6 * SHORT)
            wire.write(echo(line))

    with serving(talk) as server:
        connection = connect(server, timeout=3 * SHORT)
        slow = threading.Thread(target=connection.execute, args=("slow", PATIENCE))
        slow.start()
        wait(asked)
        assert connection.execute("fast") == "fast!"
        slow.join()


def test_timeouts_go_by_real_time(connect, monkeypatch):
    with serving(lambda wire: wire.read_to_end()) as server:
        monkeypatch.setattr(time, "monotonic", lambda: 0.0)
        with pytest.raises(TimeoutError):
            connect(server).execute("P?", timeout=SHORT)


def test_infinity_is_a_timeout(connect):
    with serving(answering(echo)) as server:
        assert connect(server).execute("P?", timeout=float("inf")) == "P?!"


# -- what comes unasked ------------------------------------------------------------------------------------------------


def test_line_that_came_unasked_is_not_an_answer(connect, caplog):
    caplog.set_level(logging.WARNING)
    with serving(answering(lambda line: f"{line}!\nunasked\n")) as server:
        connection = connect(server)
        assert connection.execute("a") == "a!"
        assert connection.execute("b") == "b!"
        assert server.connections == 1
    assert caplog.messages == [f"{connection.peer}: discarded what had come unasked: b'unasked\\n'"]


def test_beginning_of_a_line_that_came_unasked_is_not_part_of_an_answer(connect):
    with serving(answering(lambda line: f"{line}!\nunas")) as server:
        connection = connect(server)
        assert connection.execute("a") == "a!"
        assert connection.execute("b") == "b!"
        assert server.connections == 2


def test_flood_that_came_unasked_is_not_an_answer(connect):
    with serving(answering(lambda line: f"{line}!\n" + 20000 * "unasked\n")) as server:
        connection = connect(server)
        assert connection.execute("a") == "a!"
        assert connection.execute("b") == "b!"


# -- making one --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [0, 65536, "4001", 4001.0, True, None])
def test_port_is_checked(port):
    with pytest.raises(ValueError, match=r"^expected a port from 1 to 65535, not "):
        SocketConnection("127.0.0.1", port)


@pytest.mark.parametrize("host", ["", None, 127])
def test_host_is_checked(host):
    with pytest.raises(ValueError, match=r"^expected the name or address of a host, not "):
        SocketConnection(host, 4001)


@pytest.mark.parametrize("sequence", ["", "µ"])
def test_return_sequence_is_checked(sequence):
    with pytest.raises(ValueError, match=r"^expected a return sequence of ASCII characters, not "):
        SocketConnection("127.0.0.1", 4001, sequence)


@pytest.mark.parametrize("timeout", [0, -1, 3 * q.mm, float("nan")])
def test_timeout_is_checked(timeout):
    with pytest.raises(ValueError, match=r"^expected a time"):
        SocketConnection("127.0.0.1", 4001, timeout=timeout)
    with pytest.raises(ValueError, match=r"^expected a time"):
        SocketConnection("127.0.0.1", 4001).execute("P?", timeout=timeout)


def test_representation_names_the_peer():
    assert repr(SocketConnection("stage.beamline", 4001)) == "<SocketConnection stage.beamline:4001>"
