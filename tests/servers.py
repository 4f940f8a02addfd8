"""TCP peers for tests: real servers on the loopback interface whose side of the talk is a plain function.

They use ``socket`` and ``threading`` as they are: greenlets in a cooperative process, native threads in any other.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic

PATIENCE = 10  # seconds to wait for what must happen; only failing tests wait that long


class Wire:
    """The server's end of a connection."""

    def __init__(self, server: "Server", connection: socket.socket) -> None:
        self._server = server
        self._connection = connection
        self._buffer = b""

    def read(self) -> str | None:
        """Return the next command without its newline, or None when the client has gone."""
        while b"\n" not in self._buffer:
            packet = self._receive()
            if not packet:
                return None
            self._buffer += packet
        line, _, self._buffer = self._buffer.partition(b"\n")
        self._server.received.append(line.decode())
        return line.decode()

    def read_to_end(self) -> bytes:
        """Return whatever comes until the client has gone."""
        while packet := self._receive():
            self._buffer += packet
        return self._buffer

    def write(self, *packets: str | bytes) -> None:
        """Send each of *packets* on its own; do nothing if the client has gone."""
        for packet in packets:
            try:
                self._connection.sendall(packet.encode() if isinstance(packet, str) else packet)
            except OSError:
                return

    def close(self) -> None:
        """Say that nothing more will come, wake who waits for more from the client, and let the talk end."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def reset(self) -> None:
        """End the connection as a crashed peer does, without a farewell."""
        linger = b"\1\0\0\0\0\0\0\0"  # on, for 0 s
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._connection.close()

    def _receive(self) -> bytes:
        try:
            return self._connection.recv(65536)
        except OSError:
            return b""


Talk = Callable[[Wire], object]


class Server:
    """A listening socket; each connection is one call of *talk* in a thread of its own, which ends the connection."""

    def __init__(self, talk: Talk, port: int = 0) -> None:
        self.received: list[str] = []  # every line read, of all connections
        self.connections = 0
        self.failures: list[BaseException] = []
        self._talk = talk
        self._stopping = False
        self._wires: list[Wire] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.host, self.port = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def stop(self) -> None:
        """Close everything and raise what went wrong in a talk."""
        self._stopping = True
        # Closing alone would not wake the native thread that waits for the next connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for wire in self._wires:
            wire.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a talk has not ended"
        if self.failures:
            raise self.failures[0]

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            wire = Wire(self, connection)
            self._wires.append(wire)
            self._threads.append(threading.Thread(target=self._run, args=(wire, connection), daemon=True))
            self._threads[-1].start()

    def _run(self, wire: Wire, connection: socket.socket) -> None:
        try:
            with connection:
                self._talk(wire)
        except BaseException as error:
            self.failures.append(error)


@contextmanager
def serving(talk: Talk, port: int = 0) -> Iterator[Server]:
    """Run a server while the block runs; *talk* is called with the wire to each client."""
    server = Server(talk, port)
    try:
        yield server
    finally:
        server.stop()


def answering(answer: Callable[[str], str | bytes]) -> Talk:
    """Return a talk that answers each line with what *answer* makes of it."""

    def talk(wire: Wire) -> None:
        while (line := wire.read()) is not None:
            wire.write(answer(line))

    return talk


def echo(line: str) -> str:
    """Return the answer of a peer that repeats what it is told."""
    return f"{line}!\n"


def until(condition: Callable[[], object]) -> None:
    """Let others run until *condition* holds."""
    deadline = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < deadline, "it did not happen"
        time.sleep(0)


def wait(event: threading.Event) -> None:
    """Wait for what another thread must do."""
    assert event.wait(PATIENCE), "it did not happen"


@contextmanager
def silent() -> Iterator[tuple[str, int]]:
    """Give an address that neither accepts nor refuses connections: its queue for them is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()


def unused_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
