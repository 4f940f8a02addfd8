"""Served sessions when things break: servers killed, frozen and restarted, the database gone, many clients at once."""

import os
import re
import signal

import pytest

from tests.served import beamline
from tests.servers import unused_port

OPTICS = """
    from concert.devices.motors.dummy import LinearMotor
    from concert.devices.photodiodes.dummy import PhotoDiode

    class Stage(LinearMotor):
        @async_
        def echo(self, what):
            "Return it."
            return what

    stage = Stage(speed=4 * q.mm / q.s)
    diode = PhotoDiode(stage, 1 * q.mm, 1 * q.mm)
"""

REMOTE = """
from concert.devices.tango import remote
def connect(uri):
    patience = 3 * q.s if "#dbase=no" in uri else 30 * q.s  # the database of these tests is slow under load
    return remote(uri, name=uri.partition("#")[0].rpartition("/")[2], timeout=patience)

stage, *others = map(connect, sys.argv[1:])
say("connected")

def reached():
    return "no error" in error(lambda: stage.state)
"""


@pytest.fixture
def line(tmp_path):
    with beamline(tmp_path) as line:
        line.session("optics", OPTICS)
        yield line


@pytest.fixture
def without_database(line):
    """Return a function that serves the session, at the same port each time it is called."""
    port = unused_port()
    return lambda: line.serve("optics", "--no-database", "--port", str(port))


def connected(line, code, *names):
    client = line.client(REMOTE + code, *names)
    client.expect("^connected$")
    return client


def told(client):
    status, out = client.wait()
    assert status == 0, out
    return out.splitlines()


MOVE = """
future = stage.set_position(80 * q.mm)
until(lambda: stage.position > 0.5 * q.mm)
say("moving")
say(error(future.join))
go()
until(reached)
until(lambda: stage.state == "standby")
say(stage.position < 60 * q.mm)
stage.position = 0.5 * q.mm
say(stage.position)
"""


def test_server_killed_during_a_move(line, without_database):
    server = without_database()
    client = connected(line, MOVE, server.names["stage"])
    client.expect("^moving$")
    server.kill()
    client.expect(
        "^TangoConnectionError: .*concert/optics/stage while setting position: it is not running or cannot be"
    )
    without_database()
    client.go()
    assert told(client) == ["True", "0.5 millimeter"]


def test_server_frozen_during_a_move(line, without_database):
    server = without_database()
    client = connected(line, MOVE, server.names["stage"])
    client.expect("^moving$")
    server.send(signal.SIGSTOP)
    client.expect(
        "^TangoTimeoutError: concert/optics/stage did not answer within 3 s.*; what it moves may go on moving$"
    )
    server.send(signal.SIGCONT)
    client.go()
    # The move was cancelled as soon as the server could be told.
    assert told(client)[-2:] == ["True", "0.5 millimeter"]


def test_server_that_leaves_stops_the_move_and_says_so(line, without_database):
    server = without_database()
    client = connected(line, MOVE, server.names["stage"])
    client.expect("^moving$")
    server.send(signal.SIGTERM)
    client.expect("^StoppedError: stage.position was stopped: its session has ended$")
    assert server.wait()[0] == 0
    without_database()
    client.go()
    assert told(client) == ["True", "0.5 millimeter"]


def test_hold_does_not_outlive_its_server(line, without_database):
    server = without_database()
    client = connected(
        line,
        """
        with stage:
            say("holding")
            go()
            until(reached)
            say(error(setattr, stage, "position", 1 * q.mm))
        with stage:
            stage.position = 0.5 * q.mm
            say(stage.position)
        """.replace("\n        ", "\n"),
        server.names["stage"],
    )
    client.expect("^holding$")
    server.kill()
    without_database()
    client.go()
    client.expect("^LockError: stage is not held any more: it is served anew$")
    assert told(client) == ["0.5 millimeter"]


def test_server_killed_during_a_scan(line, without_database):
    server = without_database()
    client = connected(
        line,
        """
        from concert.processes import ascan
        diode, = others
        done = []
        def read():
            value = diode.intensity
            done.append(value)
            if len(done) == 4:
                say("half way")
            return value
        say(error(lambda: ascan(stage, 0 * q.mm, 20 * q.mm, 100, read=diode)))
        """.replace("\n        ", "\n"),
        server.names["stage"],
        server.names["diode"],
    )
    watcher = connected(line, "until(lambda: stage.position > 1 * q.mm)", server.names["stage"])
    told(watcher)
    server.kill()
    client.expect("TangoConnectionError: .*concert/optics/(stage|diode)")
    server = without_database()
    again = connected(
        line,
        """
        from concert.processes import ascan
        scan = ascan(stage, 0 * q.mm, 2 * q.mm, 4, read=others[0])
        say("peak", scan.peak)
        """.replace("\n        ", "\n"),
        server.names["stage"],
        server.names["diode"],
    )
    assert "peak" in told(again)[-1]


# -- with a database ----------------------------------------------------------------------------------------------


def test_session_registers_leaves_and_comes_back(line):
    line.start_database()
    server = line.serve("optics", "--device", "stage")
    assert server.names == {"stage": f"tango://{line.database}/concert/optics/stage"}
    exported = "database = tango.Database(*sys.argv[1].split(':')); say(*database.get_device_exported('concert/*'))"
    assert told(line.client(exported, line.database)) == ["concert/optics/stage"]
    assert line.concert("serve", "optics")[2].startswith(f"Sorry, optics is served already, by process {server.pid}")
    server.send(signal.SIGTERM)
    assert server.wait() == (0, "optics is not served any more\n")
    assert told(line.client(exported, line.database)) == [""]
    # The other device is new, and one that is not served any more is forgotten.
    server = line.serve("optics", "--device", "diode")
    known = "database = tango.Database(*sys.argv[1].split(':')); say(*database.get_device_member('concert/optics/*'))"
    assert told(line.client(known, line.database)) == ["diode"]
    # A killed one cannot say good-bye, and may be started again.
    server.kill()
    line.serve("optics")
    name = f"tango://{line.database}/concert/optics/diode"
    assert told(connected(line, "say(stage.state if 'state' in stage else 'on')", name)) == ["on"]


def test_limits_are_those_of_the_session_and_not_of_an_earlier_one(line):
    line.start_database()
    told_limits = """
        told = tango.DeviceProxy(sys.argv[1]).get_attribute_config("position")
        say(told.min_value, told.max_value)
    """
    for limits, seen in (("0 * q.mm, 10 * q.mm", "0.0 10.0"), ("None, None", "Not specified Not specified")):
        line.session("optics", OPTICS + f"    stage['position'].lower, stage['position'].upper = {limits}\n")
        server = line.serve("optics")
        assert told(line.client(told_limits, server.names["stage"])) == [seen]
        server.send(signal.SIGTERM)
        server.wait()


def test_restart_of_the_database_disturbs_nobody(line):
    line.start_database()
    server = line.serve("optics")
    name = server.names["stage"]
    code = """
with stage:
    stage.position = 0.5 * q.mm
    say("holding")
    go()
    stage.position = 1 * q.mm
    go()
    stage.position = 1.5 * q.mm
    say(stage.position)
"""
    client = connected(line, code, name)
    client.expect("^holding$")
    line.concert("tango", "stop")
    client.go()
    line.start_database()
    assert told(connected(line, "say(stage.state in ('standby', 'moving'))", name)) == ["True"]
    client.go()
    assert told(client) == ["1.5 millimeter"]
    # Even without its database a server ends in good order.
    line.concert("tango", "stop")
    server.send(signal.SIGTERM)
    status, out = server.wait()  # Tango complains, with its own words
    assert (status, out.splitlines()[-1]) == (0, "optics is not served any more")


MANY = """
own, other = stage, others[0]
me = sys.argv[3]
@async_
def ask(device, number):
    value = f"{me} {number} {device.uri}"
    return device.echo(value).result() == value

@async_
def read(device):
    return device.state in ("standby", "moving")

calls = [ask(device, number) for number in range(200) for device in (own, other)]
calls += [read(device) for _ in range(100) for device in (own, other)]
say(all(resolve(calls)), len(calls))
"""


def test_nobody_s_answer_reaches_another(line):
    line.session("second", OPTICS)
    line.start_database()
    names = [line.serve(session).names["stage"] for session in ("optics", "second")]
    code = REMOTE.replace("sys.argv[1:]", "sys.argv[1:3]") + MANY
    clients = [line.client(code, *names, who) for who in ("jo", "kim", "lee")]
    assert [told(client)[-1] for client in clients] == ["True 600"] * 3


def test_only_asked_for_addresses_listen(line, without_database):
    server = without_database()
    assert os.path.exists(f"/proc/{server.pid}")
    assert {address for address, _ in listening(server.pid)} == {"0100007F"}


def listening(pid):
    """Return the addresses and ports that the process listens at, as /proc writes them."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{descriptor}"))
        if match:
            inodes.add(match[1])
    with open(f"/proc/{pid}/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return [row[1].split(":") for row in rows if row[3] == "0A" and row[9] in inodes]
