"""A TCP socket with deadlines that greenlets of the hub and native threads may use in turn.

A socket of a patched process belongs to the hub of the thread that made it and fails in any other. So this is the
interpreter's own socket, never blocking, and the code that waits for it decides how: greenlets let the hub run,
native threads block. Deadlines are times of the real :func:`time.monotonic`, whatever clock is put in its place later.

What fails raises :exc:`OSError`, or :exc:`DeadlinePassed`, for the caller to put into words.
"""

from __future__ import annotations

import _socket
import errno
import os
import select
import socket
from time import monotonic
from typing import Any

from concert.async_ import HAVE_GEVENT
from concert.async_._parking import on_hub_thread
from concert.async_._pool import pool
from concert.async_._runtimes import start_beside

if HAVE_GEVENT:
    from gevent import monkey

    _plain_poll = monkey.get_original("select", "poll")
else:
    _plain_poll = select.poll

PACKET = 65536  # bytes to receive at once
LONGEST_WAIT = 1e6  # seconds; poll's milliseconds are a C int


class DeadlinePassed(Exception):
    """Raised when something has not happened by its deadline."""


class Socket:
    """A connected stream socket."""

    interrupted = False  # by interrupt()

    def __init__(self, plain: _socket.socket) -> None:
        self._plain = plain

    def send(self, data: bytes, deadline: float) -> None:
        """Send all of *data*."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._plain.send(rest) :]
            except BlockingIOError:
                _wait_for(self._plain, select.POLLOUT, deadline)

    def receive(self, deadline: float) -> bytes:
        """Return what has arrived, at least a byte; nothing means that the peer has closed the connection."""
        while True:
            try:
                return self._plain.recv(PACKET)
            except BlockingIOError:
                _wait_for(self._plain, select.POLLIN, deadline)

    def receive_now(self) -> bytes:
        """Return what has arrived by now, up to :data:`PACKET` bytes, or nothing."""
        try:
            return self._plain.recv(PACKET)
        except OSError:  # nothing there, or an error that peek() shows as well
            return b""

    def peek(self) -> bytes | None:
        """Return a byte that has arrived, nothing if the connection is known to be lost, or None if all is quiet."""
        try:
            return self._plain.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def interrupt(self) -> None:
        """End the connection under whoever is using it, from any thread."""
        self.interrupted = True
        try:
            self._plain.shutdown(socket.SHUT_RDWR)
        except OSError:  # ended already
            pass

    def close(self) -> None:
        """Close the socket; only for the one whose turn it is."""
        self._plain.close()


def connect(host: str, port: int, deadline: float) -> Socket:
    """Return a socket connected to the first address of *host* that accepts it, or raise the last one's failure."""
    *others, last = _addresses(host, port, deadline)
    for index, address in enumerate(others):
        # A silent address must leave some time for those that follow.
        now = monotonic()
        share = (deadline - now) / (len(others) - index + 1)
        try:
            return _connect(address, now + share)
        except (OSError, DeadlinePassed):
            pass
    return _connect(last, deadline)


def _addresses(host: str, port: int, deadline: float) -> list[Any]:
    try:
        _socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
        return _look_up(host, port)  # never waits
    except socket.gaierror:
        # The system's own look-up knows no time limit, so it goes on in its thread.
        look_up = start_beside(pool, _outcome_of_look_up, host, port).detach()
        try:
            addresses, error = look_up.result(max(0.0, deadline - monotonic()))
        except TimeoutError:
            raise DeadlinePassed from None
        if error is not None:
            raise error from None
        return addresses  # type: ignore[no-any-return]


def _outcome_of_look_up(host: str, port: int) -> tuple[list[Any], OSError | None]:
    """Return the addresses, or what went wrong, which maybe nobody wants to know any more."""
    try:
        return _look_up(host, port), None
    except OSError as error:
        return [], error


def _look_up(host: str, port: int) -> list[Any]:
    return _socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)


def _connect(information: Any, deadline: float) -> Socket:
    family, kind, protocol, _, address = information
    plain = _socket.socket(family, kind, protocol)
    try:
        plain.setblocking(False)
        # A command is one small packet, and it must not wait for more to come.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (code := plain.connect_ex(address)) in (errno.EINPROGRESS, errno.EALREADY):
            _wait_for(plain, select.POLLOUT, deadline)
        if code in (0, errno.EISCONN) and plain.getsockname() == plain.getpeername():
            # Nobody listens, and this socket happens to have got the very port that it tries: it would answer itself.
            code = errno.ECONNREFUSED
        if code not in (0, errno.EISCONN):
            raise OSError(code, os.strerror(code))
    except BaseException:
        plain.close()
        raise
    return Socket(plain)


def _wait_for(plain: _socket.socket, event: int, deadline: float) -> None:
    """Wait until *event*, or an error, seems to be there: it takes another try to know."""
    remaining = deadline - monotonic()
    if remaining <= 0:
        raise DeadlinePassed
    poll = select.poll() if on_hub_thread() else _plain_poll()
    poll.register(plain.fileno(), event)
    poll.poll(min(remaining, LONGEST_WAIT) * 1000)
