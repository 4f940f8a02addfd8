"""Connections to devices: over TCP, a line of text each way, and through Tango."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple, Self, TypeVar

from concert.networking._lines import Lines, LineTooLongError
from concert.networking._socket import DeadlinePassed, Socket, connect
from concert.networking._timeouts import checked_timeout
from concert.networking._turns import Place, Turns
from concert.networking.tango import get_tango_device
from concert.quantities import q

__all__ = ["SocketConnection", "get_tango_device"]

LOG = logging.getLogger("concert.networking")

LONGEST_SHOWN = 80  # characters of a command or reply in a message

T = TypeVar("T")


class Allowance(NamedTuple):
    """The *time* that a call may take, in seconds, and when that is over."""

    time: float
    deadline: float


class SocketConnection:
    """A two-way connection to the peer at *host* and *port*: commands go out, replies come back, as lines of text.

    Each line ends with *return_sequence*, which is added to what is sent and removed from what is received, and
    consists of ASCII characters. Only these tell where a reply ends, not how it was cut into packets.

    *timeout* is the time that a call may take, a quantity or a number of seconds, and each method takes its own. It
    starts when it is the caller's turn, and ends with a :exc:`TimeoutError`.

    The connection is made when it is first needed, and anew after it was lost. A command is never sent twice: what is
    known to be lost before the command goes out is replaced, what is lost afterwards is a :exc:`ConnectionError`, and
    so is everything else that goes wrong on the line.

    An answer never reaches the wrong question. Whatever ends a call early, a timeout, an error or a kill, also ends the
    connection, so that its late reply goes nowhere; and :meth:`execute` throws away replies that were there before its
    command.

    Any number of greenlets and threads may use a connection. Each call has it for itself for as long as it takes, and
    the others follow in the order in which they came. So a question and its answer belong into one :meth:`execute`;
    with :meth:`send` and :meth:`recv` other callers may come in between.

    >>> connection = SocketConnection("10.0.3.7", 4001, return_sequence="\\r\\n", timeout=2 * q.s)
    >>> connection
    <SocketConnection 10.0.3.7:4001>
    """

    def __init__(self, host: str, port: int, return_sequence: str = "\n", timeout: Any = 5 * q.s) -> None:
        if not isinstance(host, str) or not host:
            raise ValueError(f"expected the name or address of a host, not {host!r}")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
            raise ValueError(f"expected a port from 1 to 65535, not {port!r}")
        if not return_sequence or not return_sequence.isascii():
            raise ValueError(f"expected a return sequence of ASCII characters, not {return_sequence!r}")
        self.host = host
        self.port = port
        self._end = return_sequence.encode("ascii")
        self._timeout = checked_timeout(timeout)
        self._turns = Turns()
        # These are for the one whose turn it is; all others may only interrupt the socket.
        self._socket: Socket | None = None
        self._lines = Lines(self._end)
        self._question: str | None = None  # the last command that was sent

    def send(self, data: str, timeout: Any = None) -> None:
        """Send *data*, as it is, and the return sequence.

        A command that is answered should be followed by :meth:`recv`, else its answer may arrive after the next command
        and be taken for that one's. Raise :exc:`ValueError` for text that is not ASCII.
        """
        message = self._encode(data)

        def talk(allowed: Allowance) -> None:
            if self._socket is not None and self._socket.peek() == b"":
                self._drop()
            self._send(message, data, allowed)

        self._in_turn(talk, timeout)

    def recv(self, timeout: Any = None) -> str:
        """Wait for a reply and return it without the return sequence, empty if it consists of nothing else.

        Replies come in the order in which they arrived. Raise :exc:`ConnectionError` for one that is not ASCII.
        """
        return self._in_turn(self._receive, timeout)

    def execute(self, data: str, timeout: Any = None) -> str:
        """Send *data* as :meth:`send` does, wait for the reply and return it as :meth:`recv` does.

        Safe for many callers: each gets the answer to its own question.
        """
        message = self._encode(data)

        def talk(allowed: Allowance) -> str:
            if self._socket is not None:
                self._discard_unasked(self._socket)
            self._send(message, data, allowed)
            return self._receive(allowed)

        return self._in_turn(talk, timeout)

    def close(self) -> None:
        """End the connection; a call that is under way elsewhere fails, and the next one connects anew."""
        socket = self._socket
        if socket is not None:
            socket.interrupt()
        self._in_turn(lambda allowed: self._drop(), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def peer(self) -> str:
        """The other side, as ``host:port``."""
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.peer}>"

    # -- one call -----------------------------------------------------------------------------------------------

    def _in_turn(self, talk: Callable[[Allowance], T], timeout: Any) -> T:
        """Return what *talk* returns, when it is its turn; whatever ends it early ends the connection."""
        time = self._timeout if timeout is None else checked_timeout(timeout)
        place = Place()
        try:
            self._turns.enter(place)
            try:
                return talk(Allowance(time, monotonic() + time))
            except BaseException:
                self._drop()
                raise
        finally:
            try:
                self._turns.leave(place)
            finally:
                self._turns.leave(place)  # again, in case that Ctrl-C struck just before the first one began

    def _encode(self, data: str) -> bytes:
        if not isinstance(data, str):
            raise TypeError(f"expected text to send to {self.peer}, not {data!r}")
        if not data.isascii():
            raise ValueError(f"expected ASCII text to send to {self.peer}, not {_shown(data)}")
        return data.encode("ascii") + self._end

    def _discard_unasked(self, socket: Socket) -> None:
        """Make sure that the next line to come is the answer to the next command."""
        self._lines.feed(socket.receive_now())
        unasked = self._lines.rest
        while self._lines.take() is not None:
            pass
        if unasked:
            LOG.warning("%s: discarded what had come unasked: %s", self.peer, _shown(unasked))
        # The end of what has begun, or still comes, would be the beginning of the answer. If nothing came, it is lost.
        if self._lines.rest or socket.peek() is not None:
            self._drop()

    def _connect(self, allowed: Allowance) -> Socket:
        try:
            self._socket = connect(self.host, self.port, allowed.deadline)
        except DeadlinePassed:
            raise TimeoutError(f"no connection to {self.peer} within {allowed.time:g} s") from None
        except OSError as error:
            raise ConnectionError(f"no connection to {self.peer}: {_reason(error)}") from error
        return self._socket

    def _drop(self) -> None:
        socket, self._socket = self._socket, None
        self._lines = Lines(self._end)
        self._question = None
        if socket is not None:
            socket.close()

    def _send(self, message: bytes, data: str, allowed: Allowance) -> None:
        socket = self._socket or self._connect(allowed)
        self._question = data
        try:
            socket.send(message, allowed.deadline)
        except DeadlinePassed:
            raise TimeoutError(f"{self.peer} has not taken {_shown(data)} within {allowed.time:g} s") from None
        except OSError as error:
            raise ConnectionError(f"{self.peer} did not take {_shown(data)}: {_reason(error)}") from error

    def _receive(self, allowed: Allowance) -> str:
        socket = self._socket or self._connect(allowed)
        try:
            while (line := self._lines.take()) is None:
                self._lines.feed(self._next_packet(socket, allowed))
            return line.decode("ascii")
        except LineTooLongError as error:
            raise LineTooLongError(f"no end of the {self._answer}: {error}") from error
        except UnicodeDecodeError as error:
            raise ConnectionError(f"expected the {self._answer} to be ASCII, not {_shown(error.object)}") from error

    def _next_packet(self, socket: Socket, allowed: Allowance) -> bytes:
        try:
            packet = socket.receive(allowed.deadline)
        except DeadlinePassed:
            raise TimeoutError(f"no {self._answer} within {allowed.time:g} s{self._instead}") from None
        except OSError as error:
            raise ConnectionError(f"no {self._answer}: {_reason(error)}{self._instead}") from error
        if not packet:
            who = "the connection was closed here" if socket.interrupted else "it closed the connection"
            raise ConnectionError(f"no {self._answer}: {who}{self._instead}")
        return packet

    @property
    def _answer(self) -> str:
        if self._question is None:
            return f"message from {self.peer}"
        return f"answer from {self.peer} to {_shown(self._question)}"

    @property
    def _instead(self) -> str:
        rest = self._lines.rest
        return f", only {_shown(rest)} without {self._end!r}" if rest else ""


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _shown(text: str | bytes) -> str:
    shown = repr(text[:LONGEST_SHOWN])
    return shown if len(text) <= LONGEST_SHOWN else f"{shown} … ({len(text)} in all)"
