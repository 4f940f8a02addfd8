"""``concert tango``: the embedded database, as users start and stop it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.served import PATIENCE, beamline

CONNECT = "import sys, tango; database = tango.Database('127.0.0.1', int(sys.argv[1])); "


@pytest.fixture
def line(tmp_path):
    with beamline(tmp_path) as line:
        yield line
        line.concert("tango", "stop")


def note(line):
    return line.home / "data" / "concert" / "tango" / "running.json"


def noted(line):
    return json.loads(note(line).read_text())


def told(port, code):
    """Return what the code, which is run with the ``database`` at *port*, prints."""
    arguments = [sys.executable, "-c", CONNECT + code, port]
    return subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_started_database_answers_and_stops(line):
    address = line.start_database()
    host, port = address.split(":")
    assert host == "127.0.0.1"
    assert "sys/database/2" in told(port, "print(database.get_device_exported('sys/*').value_string)")
    pid = noted(line)["pid"]
    assert line.concert("tango", "status")[1] == f"TANGO_HOST={address}, process {pid}\n"
    assert os.getsid(pid) == pid  # Ctrl-C in the terminal is for others
    assert line.concert("tango", "stop")[0] == 0
    assert not lives(pid)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), 5).close()


def test_it_listens_on_this_machine_alone(line):
    port = int(line.start_database().split(":")[1])
    listeners = re.findall(r"^ *\d+: ([0-9A-F]{8}):([0-9A-F]{4}) 00000000:0000 0A", tcp_table(), re.MULTILINE)
    assert [address for address, number in listeners if int(number, 16) == port] == ["0100007F"]


def tcp_table():
    with open("/proc/net/tcp") as table:
        return table.read()


def test_two_starts_at_once_start_one(line):
    with ThreadPoolExecutor() as pool:
        outcomes = list(pool.map(lambda _: line.concert("tango", "start"), range(4)))
    assert [status for status, _, _ in outcomes] == [0] * 4
    assert len({out.split("\n")[0] for _, out, _ in outcomes}) == 1
    assert sum("was started" in out for _, out, _ in outcomes) == 1


def test_it_comes_back_at_the_same_port_with_what_it_knew(line):
    address = line.start_database()
    port = address.split(":")[1]
    told(port, "database.put_property('kept', {'what': ['it knew']})")
    line.concert("tango", "stop")
    assert line.start_database() == address
    assert "it knew" in told(port, "print(database.get_property('kept', 'what'))")


def test_killed_database_is_not_believed_in(line):
    line.start_database()
    pid = noted(line)["pid"]
    os.kill(pid, signal.SIGKILL)
    status, _, err = line.concert("tango", "status")
    assert status == 1
    assert "no Tango database" in err
    line.start_database()
    assert noted(line)["pid"] != pid


def test_another_process_with_its_number_is_left_alone(line):
    line.start_database()
    content = noted(line)
    line.concert("tango", "stop")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        note(line).write_text(json.dumps({**content, "pid": bystander.pid}))
        status, _, err = line.concert("tango", "stop")
        assert (status, "no Tango database" in err) == (1, True)
        assert bystander.poll() is None
        bystander.kill()


def test_database_of_another_machine_is_left_alone(line):
    line.start_database()
    content = noted(line)
    note(line).write_text(json.dumps({**content, "machine": "lab3"}))
    for action in ("start", "stop", "status"):
        status, _, err = line.concert("tango", action)
        assert status == 1
        assert "runs on lab3" in err
    assert lives(content["pid"])
    note(line).write_text(json.dumps(content))


def test_port_may_be_chosen_and_a_taken_one_is_refused(line):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = line.concert("tango", "start", "--port", str(port))
    assert status == 1
    assert f"port {port} is taken" in err
    assert line.concert("tango", "start", "--port", str(port))[0] == 0
    status, _, err = line.concert("tango", "start", "--port", str(port + 1))
    assert (status, err) == (1, f"Sorry, the Tango database runs already, on port {port}: stop it first\n")


def test_unreadable_note_is_a_sentence(line):
    note(line).parent.mkdir(parents=True)
    note(line).write_text("{")
    status, _, err = line.concert("tango", "start")
    assert status == 1
    assert err.startswith(f"Sorry, cannot understand {note(line)}")


def test_directory_that_cannot_be_written_is_a_sentence(line):
    (line.home / "data").write_text("a file")
    status, _, err = line.concert("tango", "start")
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("Sorry, cannot use")
