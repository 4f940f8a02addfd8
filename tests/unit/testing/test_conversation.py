"""Drivers whose tests are transcripts, and the ways in which such a test fails."""

import socket

import pytest

from concert.async_ import async_, resolve
from concert.networking.base import SocketConnection
from concert.testing import expected_conversation


class Stepper:
    """A driver with a socket of its own."""

    def __init__(self, host, port, end="\r\n", greeting=None):
        self._socket = socket.create_connection((host, port))
        self._end = end.encode()
        if greeting is not None:
            self.send(greeting)

    def send(self, text):
        self._socket.sendall(text.encode() + self._end)

    def execute(self, text):
        self.send(text)
        received = b""
        while not received.endswith(self._end):
            data = self._socket.recv(1)
            if not data:
                raise ConnectionError("the device has closed the connection")
            received += data
        return received[: -len(self._end)].decode()


def complaint_about(conversation, story, **kwargs):
    """Run *story* with a driver, and return what is wrong with the conversation."""
    with pytest.raises(AssertionError) as info, expected_conversation(Stepper, conversation, **kwargs) as motor:
        story(motor)
    return str(info.value)


def test_driver_gets_its_answers():
    with expected_conversation(Stepper, [("P?", "1500"), ("T=3", None), ("S?", "idle")]) as motor:
        assert motor.execute("P?") == "1500"
        motor.send("T=3")
        assert motor.execute("S?") == "idle"


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
def test_driver_with_a_connection_may_be_used_in_futures(concert_runtime):
    class Motor:
        def __init__(self, host, port):
            self.connection = SocketConnection(host, port, return_sequence="\r\n")

        @async_
        def move(self):
            return self.connection.execute("T=1")

    with expected_conversation(Motor, [("T=1", str(number)) for number in range(5)]) as motor:
        assert sorted(resolve([motor.move() for _ in range(5)])) == list("01234")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x03"])
def test_return_sequence_is_learnt_from_the_first_line(end):
    with expected_conversation(Stepper, [("P?", "1"), ("P?", "2")], end=end) as motor:
        assert motor.execute("P?") + motor.execute("P?") == "12"


def test_return_sequence_of_visible_characters_is_given():
    with expected_conversation(Stepper, [("P?", "1")], ";", return_sequence=";") as motor:
        assert motor.execute("P?") == "1"


def test_driver_may_talk_before_it_is_complete():
    with expected_conversation(Stepper, [("HELLO", None)], greeting="HELLO"):
        pass


def test_wrong_line_gives_the_driver_an_error_and_the_test_both_lines():
    def story(motor):
        assert motor.execute("P?") == "1"
        with pytest.raises(ConnectionError):
            motor.execute("Q?")

    said = complaint_about([("P?", "1"), ("S?", "idle")], story)
    assert said == "expected the driver to send 'S?', not 'Q?', after 1 of 2 exchanges"


def test_error_that_follows_from_a_wrong_line_is_its_cause():
    with pytest.raises(AssertionError) as info, expected_conversation(Stepper, [("S?", "idle")]) as motor:
        motor.execute("P?")
    assert isinstance(info.value.__cause__, ConnectionError)


def test_line_that_was_not_sent_is_missed():
    said = complaint_about([("P?", "1"), ("H", None)], lambda motor: motor.execute("P?"))
    assert said == "expected the driver to send 'H' as well, after 1 of 2 exchanges"


def test_line_too_many_is_seen_even_if_nobody_waits_for_its_answer():
    said = complaint_about([], lambda motor: motor.send("H"))
    assert said == "expected nothing from the driver, not 'H', after 0 of 0 exchanges"


def test_unfinished_line_is_seen():
    said = complaint_about([("P?", "1")], lambda motor: (motor.execute("P?"), motor._socket.send(b"HAL")))
    assert said == "expected the driver to end 'HAL' with '\\r\\n'"


def test_driver_may_connect_again():
    def story(motor):
        assert motor.execute("P?") == "1"
        motor._socket.close()
        motor.__init__(*address)
        assert motor.execute("P?") == "2"

    address = []

    def build(*host_and_port):
        address[:] = host_and_port
        return Stepper(*host_and_port)

    with expected_conversation(build, [("P?", "1"), ("P?", "2")]) as motor:
        story(motor)


def test_failure_of_the_test_itself_is_passed_on():
    with pytest.raises(ZeroDivisionError), expected_conversation(Stepper, [("P?", "1")]):
        1 / 0


def test_driver_that_cannot_be_built_leaves_nothing_behind():
    with pytest.raises(TypeError), expected_conversation(Stepper, [], colour="red"):
        pass
