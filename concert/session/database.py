"""The embedded Tango database: for those who have none, a process that keeps it in a file beside the sessions.

It listens on the loopback interface alone, goes on when who started it has ended, and is ended by :func:`stop`. A file
says which process it is, on which machine; what the file says is believed only while that very process lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import posix
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from concert.async_ import threaded
from concert.session.management import SessionError, directory, explained, write

HOST = "127.0.0.1"
START_TIME = 20.0  # seconds until it has to answer
END_TIME = 10.0  # seconds to end before the process is killed
LOOK = 0.05  # seconds between two looks

_INSTANCE = "2"  # the only one that a new database knows of
_ITSELF = f"sys/database/{_INSTANCE}"
_PORTS_TRIED = 3  # a port that was free a moment ago may be taken


class Database(NamedTuple):
    """A process that serves the database: its *port*, its identifier *pid*, when it was *born*, and its *machine*."""

    port: int
    pid: int
    born: str
    machine: str

    @property
    def address(self) -> str:
        """What ``TANGO_HOST`` is to be."""
        return f"{HOST}:{self.port}"


def place() -> Path:
    """Return the directory of the database's files. It need not exist yet."""
    return directory() / "tango"


def running() -> Database | None:
    """Return the database that was started here and still runs, or None.

    Raise :exc:`.SessionError` if it was started on another machine that shares this directory.
    """
    noted = _noted()
    if noted is not None and noted.machine != socket.gethostname():
        raise SessionError(
            f"the Tango database of these sessions runs on {noted.machine} and is to be stopped there; "
            f"if that machine is gone, remove {_note()}"
        )
    return noted if noted is not None and _birth(noted.pid) == noted.born else None


def start(port: int = 0) -> tuple[Database, bool]:
    """Start the database, unless it runs, and wait until it answers; return it, and whether it was started now.

    *port* 0 is the one it had before, if that is free, else one that the system chooses. Raise :exc:`.SessionError` if
    it does not start.
    """
    with _changing():
        database = running()
        if database is not None:
            if port not in (0, database.port):
                raise SessionError(f"the Tango database runs already, on port {database.port}: stop it first")
            _wait_until_ready(database)
            return database, False
        for candidate in _candidates(port):
            database = _spawn(candidate)
            write(_note(), json.dumps(database._asdict()).encode())
            try:
                _wait_until_ready(database)
                write(place() / "port", str(candidate).encode())
                return database, True
            except SessionError as error:
                _end(database)
                failure = error
        raise failure


def stop() -> Database | None:
    """End the database that was started here and wait for its end; return it, or None if there was none."""
    with _changing():
        database = running()
        if database is not None:
            _end(database)
        return database


# -- the process ----------------------------------------------------------------------------------------------------


def _spawn(port: int) -> Database:
    """Start the process, in a session of its own: Ctrl-C in the terminal is not for it."""
    environment = os.environ | {
        "TANGO_HOST": f"{HOST}:{port}",
        "PYTANGO_DATABASE_NAME": str(place() / "tango.db"),
        "CONCERT_ENABLE_GEVENT": "0",
    }
    code = "from databaseds.database import main; main()"
    log = (posix.POSIX_SPAWN_OPEN, 1, str(_log()), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    nothing = (posix.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    # Under gevent ``subprocess`` works in the main thread only, and watches the child, which is to outlive us.
    pid = posix.posix_spawn(
        sys.executable,
        [sys.executable, "-c", code, "--host", HOST, "--port", str(port), _INSTANCE],
        environment,
        file_actions=[nothing, log, (posix.POSIX_SPAWN_DUP2, 1, 2)],
        setsid=True,
    )
    return Database(port, pid, _birth(pid) or "", socket.gethostname())


def _wait_until_ready(database: Database) -> None:
    """Wait until the database answers: an open port is none yet. Raise :exc:`.SessionError`."""
    deadline = time.monotonic() + START_TIME
    while not _answers(database.port):
        if _birth(database.pid) != database.born:
            raise SessionError(f"the Tango database did not start: {_last_words()}")
        if time.monotonic() > deadline:
            raise SessionError(f"the Tango database has not answered within {START_TIME:g} s; its log is {_log()}")
        time.sleep(LOOK)


def _answers(port: int) -> bool:
    with socket.socket() as probe:  # quick, while Tango's library tries again once a second only
        if probe.connect_ex((HOST, port)):
            return False
    import tango  # optional, and slow; not in the thread, where an import may wait for one of a greenlet

    @threaded
    def ask() -> bool:
        try:
            return bool(tango.Database(HOST, port).get_device_exported(_ITSELF).value_string)
        except tango.DevFailed:
            return False

    return ask().result()


def _end(database: Database) -> None:
    deadline = time.monotonic() + END_TIME
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            if _birth(database.pid) == database.born:
                os.kill(database.pid, number)
        while _birth(database.pid) == database.born and (number == signal.SIGKILL or time.monotonic() < deadline):
            time.sleep(LOOK)
    with contextlib.suppress(ChildProcessError):  # not our own child, or gevent has taken its status
        posix.waitpid(database.pid, posix.WNOHANG)
    _note().unlink(missing_ok=True)


def _birth(pid: int) -> str | None:
    """Return what tells the process from a later one with the same identifier, or None if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    started = rest[18]  # proc(5): starttime, in clock ticks since the machine was started
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return None if state in "ZX" else f"{boot} {started}"


def _candidates(port: int) -> list[int]:
    if port:
        if not _is_free(port):
            raise SessionError(f"the port {port} is taken; choose another one, or none")
        return [port]
    before = _port_before()
    return ([before] if before and _is_free(before) else []) + [_free_port() for _ in range(_PORTS_TRIED)]


def _port_before() -> int:
    try:
        return int((place() / "port").read_text())
    except (OSError, ValueError):
        return 0


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


# -- its files ------------------------------------------------------------------------------------------------------


def _note() -> Path:
    return place() / "running.json"


def _log() -> Path:
    return place() / "tango.log"


def _noted() -> Database | None:
    try:
        return Database(**json.loads(_note().read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise SessionError(f"cannot understand {_note()}: {error}; remove it") from error


def _last_words() -> str:
    lines = _log().read_text(errors="replace").split("\n") if _log().exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


@contextlib.contextmanager
def _changing() -> Iterator[None]:
    """Let nobody else start or stop the database during the block; make its directory."""
    where = place()
    with explained("use", where):
        where.mkdir(parents=True, exist_ok=True)
    with open(where / ".lock", "a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # others start or stop it; waited for like this, other greenlets go on
                time.sleep(LOOK)
        yield
