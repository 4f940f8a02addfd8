"""A driver's test as the transcript of its conversation with the device, on a real socket."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Pair = tuple[str, str | None]


@contextmanager
def expected_conversation(
    driver: Callable[..., Any],
    conversation: Sequence[Pair],
    *args: Any,
    return_sequence: str | None = None,
    **kwargs: Any,
) -> Iterator[Any]:
    """Give a device that talks to a scripted peer, and insist that it says exactly what *conversation* says.

    *conversation* are pairs ``(sent, answered)`` of text without the return sequence; *answered* is None where the
    device gives no answer. *driver* is called with the peer's host and port, then *args* and *kwargs*; it is a class,
    or a function where the class wants something else::

        with expected_conversation(Stepper, [("P?", "1500")]) as motor:
            assert motor.position == 1.5 * q.mm

    *return_sequence* ends the lines in both directions. Without it, it is taken to be the control characters that
    follow the first line sent.

    At the first wrong line the connection is closed, so that the driver gets an error and does not wait for an
    answer. Raise :exc:`AssertionError` for that, for lines that were not sent, and for those too many.
    """
    peer = _Peer(conversation, return_sequence)
    try:
        try:
            device = driver(*peer.address, *args, **kwargs)
            try:
                yield device
            finally:
                _disconnect(device)
        except Exception as error:
            peer.close()
            if peer.complaint:
                raise AssertionError(peer.complaint) from error
            raise
    finally:
        peer.close()
    complaint = peer.complaint or peer.missing()
    if complaint:
        raise AssertionError(complaint)


def _disconnect(device: Any) -> None:
    """Close the device, and its connections where it does not do that itself."""
    close = getattr(device, "close", None)
    if callable(close):
        close()
    for value in list(getattr(device, "__dict__", {}).values()):
        if hasattr(value, "recv") and hasattr(value, "close"):
            value.close()


class _Peer:
    """The scripted end of the conversation: a server on the loopback interface, in a thread of its own."""

    def __init__(self, conversation: Sequence[Pair], return_sequence: str | None) -> None:
        self.complaint: str | None = None
        self._conversation = list(conversation)
        self._exchanges = 0  # done so far
        self._end = return_sequence.encode() if return_sequence is not None else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopper, self._stopped = socket.socketpair()
        self._received: dict[socket.socket, bytes] = {}  # not yet understood, by connection
        self.address: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve, name="expected conversation", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the conversation, after everything that was sent has been looked at."""
        self._stopper.close()
        self._thread.join()

    def missing(self) -> str | None:
        """Say what the driver has not sent."""
        if self._exchanges == len(self._conversation):
            return None
        rest = ", ".join(repr(sent) for sent, _ in self._conversation[self._exchanges :])
        return f"expected the driver to send {rest} as well, {self._progress()}"

    def _progress(self) -> str:
        return f"after {self._exchanges} of {len(self._conversation)} exchanges"

    def _serve(self) -> None:
        try:
            while self.complaint is None:
                waiting = [self._stopped, self._listener, *self._received]
                ready, _, _ = select.select(waiting, [], [])
                if ready == [self._stopped]:
                    self._check_leftovers()
                    return
                for each in ready:
                    if each is self._listener:
                        self._received[self._listener.accept()[0]] = b""
                    elif each is not self._stopped and self.complaint is None:
                        self._receive(each)
        finally:
            for each in (self._stopped, self._listener, *self._received):
                each.close()

    def _receive(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._check_leftovers()
            del self._received[connection]
            connection.close()
            return
        self._received[connection] += data
        while self.complaint is None and (line := self._take_line(connection)) is not None:
            self._answer(connection, line)

    def _take_line(self, connection: socket.socket) -> str | None:
        received = self._received[connection]
        end = self._end or _control_characters_after_first_line(received)
        if not end or end not in received:
            return None
        self._end = end
        line, _, self._received[connection] = received.partition(end)
        return line.decode(errors="backslashreplace")

    def _answer(self, connection: socket.socket, line: str) -> None:
        if self._exchanges == len(self._conversation):
            self.complaint = f"expected nothing from the driver, not {line!r}, {self._progress()}"
            return
        sent, answered = self._conversation[self._exchanges]
        if line != sent:
            self.complaint = f"expected the driver to send {sent!r}, not {line!r}, {self._progress()}"
            return
        self._exchanges += 1
        if answered is not None:
            assert self._end is not None
            try:
                connection.sendall(answered.encode() + self._end)
            except ConnectionError:
                pass  # the driver has gone without waiting for the answer

    def _check_leftovers(self) -> None:
        for rest in self._received.values():
            if rest and self.complaint is None:
                end = "a return sequence" if self._end is None else repr(self._end.decode())
                self.complaint = f"expected the driver to end {rest.decode(errors='backslashreplace')!r} with {end}"


def _control_characters_after_first_line(received: bytes) -> bytes:
    text = received.decode("latin-1")
    begin = next((index for index, character in enumerate(text) if not character.isprintable()), len(text))
    end = next((index for index in range(begin, len(text)) if text[index].isprintable()), len(text))
    return received[begin:end]
