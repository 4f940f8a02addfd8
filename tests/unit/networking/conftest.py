import pytest

from concert.networking.base import SocketConnection


@pytest.fixture
def connect():
    """Return a function that makes connections to a server; they are closed after the test."""
    connections = []

    def connect(server, *args, **kwargs):
        connections.append(SocketConnection(server.host, server.port, *args, **kwargs))
        return connections[-1]

    yield connect
    for connection in connections:
        connection.close()
