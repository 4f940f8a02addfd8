"""Serving a simulated device on a port of the loopback interface: lines in, lines out, any number of clients.

One loop without threads, so that a device sees one line at a time and needs no locks.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
from collections.abc import Callable

from concert.networking._lines import Lines, LineTooLongError

LONGEST_LINE = 4096  # bytes
PACKET = 65536


def serve(reply: Callable[[str], str], port: int = 0, until_stdin_closes: bool = False) -> None:
    """Answer each line with what *reply* returns for it, both ASCII without newline, until the process is told to end.

    That is by SIGTERM or SIGINT or, with *until_stdin_closes*, when nobody holds the other end of the standard input
    any more: the system sees to that, whatever happens to the parent process. Print where the server listens as soon as
    it does. With *port* 0 the system chooses one. To be called in the main thread.
    """
    wake_up, woken = socket.socketpair()
    wake_up.setblocking(False)
    with wake_up, woken, socket.create_server(("127.0.0.1", port)) as listener:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        # The interpreter writes to it whatever the loop is doing, so no signal is too early.
        signal.set_wakeup_fd(wake_up.fileno())
        host, port = listener.getsockname()
        print(f"listening on {host}:{port}", flush=True)
        _Loop(reply, listener, woken, until_stdin_closes).run()
        signal.set_wakeup_fd(-1)


class _Loop:
    """Waits for whatever comes first and deals with it, until *ender* is readable or the standard input has ended."""

    def __init__(
        self, reply: Callable[[str], str], listener: socket.socket, ender: socket.socket, watch_stdin: bool
    ) -> None:
        self._reply = reply
        self._listener = listener
        self._ender = ender
        self._others = [ender, listener, *([sys.stdin] if watch_stdin else [])]
        self._clients: dict[socket.socket, Lines] = {}

    def run(self) -> None:
        try:
            while True:
                ready, _, _ = select.select([*self._others, *self._clients], [], [])
                if self._ender in ready or (sys.stdin in ready and not os.read(sys.stdin.fileno(), PACKET)):
                    return
                for each in ready:
                    if each is self._listener:
                        self._welcome()
                    elif each in self._clients and not self._talk(each):
                        del self._clients[each]
                        each.close()
        finally:
            for client in self._clients:
                client.close()

    def _welcome(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:  # gone already
            return
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client] = Lines(b"\n", LONGEST_LINE)

    def _talk(self, client: socket.socket) -> bool:
        """Answer what has come from *client*; return whether it is still there and behaves."""
        lines = self._clients[client]
        try:
            packet = client.recv(PACKET)
            lines.feed(packet)
            while (line := lines.take()) is not None:
                answer = self._reply(line.decode("ascii", "backslashreplace")) + "\n"
                # A client that leaves so many answers unread that they do not fit into the socket has to go.
                client.sendall(answer.encode("ascii"))
        except (OSError, LineTooLongError):
            return False
        return bool(packet)
