"""The simulated controller as what it is: a process of its own, reached over a socket."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import pytest

from concert.async_ import async_, resolve, threaded
from concert.networking.aerotech import Connection
from concert.simulation.process import simulated
from tests.servers import PATIENCE, until

ENABLED, MOVING = 0x01, 0x04


@pytest.fixture
def controller():
    """A controller whose axes are a hundred times faster than real ones, and without noise."""
    with simulated("aerotech", time_scale=100, noise=0) as controller:
        yield controller


@pytest.fixture
def connection(controller):
    with Connection(controller.host, controller.port) as connection:
        connection.execute("ENABLE X")
        yield connection


def status(connection):
    return int(connection.execute("AXISSTATUS(X)"))


def test_axis_moves(connection):
    connection.execute("MOVEABS X 11")
    until(lambda: not status(connection) & MOVING)
    assert float(connection.execute("PFBK(X)")) == 11
    assert float(connection.execute("AIN(X,0)")) == pytest.approx(1.01)


def test_abort_stops_the_axis_on_its_way(connection):
    connection.execute("MOVEABS X 170 1")
    until(lambda: float(connection.execute("PFBK(X)")) > 0)
    connection.execute("ABORT X")
    until(lambda: not status(connection) & MOVING)
    assert 0 < float(connection.execute("PFBK(X)")) < 170


def test_fault_is_an_error_until_it_is_acknowledged(connection):
    connection.execute("SIMFAULT X")
    with pytest.raises(RuntimeError, match="X has a fault: position error"):
        connection.execute("ENABLE X")
    connection.execute("FAULTACK X")
    connection.execute("ENABLE X")
    assert status(connection) == ENABLED


def test_refusal_is_an_error_of_the_caller(connection):
    with pytest.raises(ValueError, match="refused 'MOVEABS Z 1': expected one of the axes X, Y, not 'Z'"):
        connection.execute("MOVEABS Z 1")


def test_many_clients_talk_to_the_same_axes(controller, connection):
    connection.execute("MOVEABS X 50")
    until(lambda: not status(connection) & MOVING)

    def ask():
        with Connection(controller.host, controller.port) as own:
            return {own.execute("PFBK(X)") for _ in range(20)}

    assert resolve([async_(ask)() for _ in range(20)]) == [{"50.000000"}] * 20


def test_client_that_never_ends_its_line_is_dropped_and_others_are_not(controller, connection):
    with socket.create_connection((controller.host, controller.port), PATIENCE) as babbler:
        babbler.sendall(b"x" * 5000)
        assert babbler.recv(1) == b""
    assert status(connection) == ENABLED


def test_client_that_leaves_in_the_middle_of_a_line_does_no_harm(controller, connection):
    with socket.create_connection((controller.host, controller.port), PATIENCE) as leaver:
        leaver.sendall(b"DISABLE X")
    assert status(connection) == ENABLED


def test_closed_controller_is_gone(controller):
    controller.close()
    controller.close()
    with pytest.raises(ConnectionError, match="connection refused"):
        Connection(controller.host, controller.port).execute("PFBK(X)")


def test_controller_may_be_started_anywhere():
    def talk():
        with simulated("aerotech", axes="A:-1:1") as own, Connection(own.host, own.port) as connection:
            return connection.execute("PFBK(A)")

    assert resolve([async_(talk)(), threaded(talk)(), threaded(talk)()]) == ["0.000000"] * 3


def test_ctrl_c_in_the_terminal_does_not_reach_the_controller(controller):
    assert os.getpgid(controller.pid) != os.getpgid(0)


def test_failure_to_start_is_an_error(capfd):
    with pytest.raises(RuntimeError, match=r"to tell within 10 s where it listens, not b''$"):
        simulated("aerotech", axes="X")
    assert "expected axes such as X:-180:180, not 'X'" in capfd.readouterr().err


@pytest.mark.parametrize("gevent", ["0", "1"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_controller_in_good_order(number, gevent):
    process = subprocess.Popen(
        [sys.executable, "-m", "concert.simulation.aerotech"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"CONCERT_ENABLE_GEVENT": gevent},
    )
    with process:
        host, port = process.stdout.readline().decode().split()[-1].split(":")
        with Connection(host, int(port)) as connection:
            connection.execute("PFBK(X)")
            process.send_signal(number)
            assert process.stderr.read() == b""
            assert process.wait(PATIENCE) == 0


PARENT = """
import sys
from concert.simulation.process import simulated
controller = simulated("aerotech")
print(controller.port, flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("gevent", ["0", "1"])
@pytest.mark.parametrize("end", ["killed", "finished"])
def test_parent_leaves_no_orphan(end, gevent):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"CONCERT_ENABLE_GEVENT": gevent},
    )
    with parent:
        port = int(parent.stdout.readline())
        with closing(socket.create_connection(("127.0.0.1", port), PATIENCE)) as client:
            client.sendall(b"PFBK(X)\n")
            assert client.recv(100) == b"%0.000000\n"
            if end == "killed":
                parent.kill()
            else:
                parent.stdin.write(b"\n")
                parent.stdin.flush()
            assert client.recv(1) == b""
            parent.wait(PATIENCE)


def test_controller_does_not_need_what_is_slow_to_import():
    code = "import sys, concert.simulation.aerotech; print(*{'pint', 'numpy', 'h5py', 'gevent'} & set(sys.modules))"
    environment = os.environ | {"CONCERT_ENABLE_GEVENT": "0"}
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment).stdout == b"\n"
