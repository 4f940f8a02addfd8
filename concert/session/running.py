"""The sessions that are running on this machine: who they are, and how another terminal stops their devices.

A running session holds a lock on a file of its own in the state directory, so that a file whose session has died is
known for what it is. A request to stop is another file there, and a signal, which gets through while the session
computes; the session answers with a third.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import platform
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import platformdirs

from concert.quantities import seconds
from concert.session.management import write
from concert.session.stopping import DEADLINE, Outcome

STOP_SIGNAL = signal.SIGQUIT
PATIENCE = seconds(DEADLINE) + 3.0  # seconds for an answer: the devices' deadline and some for everything else
POLL = 0.02


class RunningSession(NamedTuple):
    """A session called *name* in the process *pid* of the machine *host*."""

    name: str
    pid: int
    host: str


def directory() -> Path:
    """Return where running sessions have their files."""
    return platformdirs.user_state_path("concert") / "running"


@contextmanager
def registered(name: str) -> Iterator[None]:
    """Let others know, during the block, that this process runs the session *name*."""
    file = directory() / f"{name}-{platform.node()}-{os.getpid()}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".new")
    with open(unfinished, "w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        json.dump(RunningSession(name, os.getpid(), platform.node())._asdict(), stream)
        stream.flush()
        unfinished.rename(file)  # who looks at it sees that it is locked
        try:
            yield
        finally:
            file.unlink(missing_ok=True)


def running() -> list[RunningSession]:
    """Return the running sessions of this user, oldest first; what dead ones have left behind is removed."""
    found = []
    for file in sorted(directory().glob("*.json"), key=_age):
        session = _alive(file)
        if session is not None:
            found.append(session)
    return found


def _age(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _alive(file: Path) -> RunningSession | None:
    try:
        with open(file) as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return RunningSession(**json.load(stream))
            file.unlink(missing_ok=True)
    except (OSError, ValueError, TypeError):  # it has ended, or begun, at this moment
        pass
    return None


# -- asking ---------------------------------------------------------------------------------------------------------


def request_stop(session: RunningSession) -> list[Outcome] | None:
    """Let every device of the *session*, which is one of this machine, be stopped; return what became of them.

    None means that the session has not answered in time.
    """
    request = directory() / f"{session.pid}-{uuid4().hex}.stop"
    answer = request.with_suffix(".stopped")
    write(request, json.dumps({"by": f"{getpass.getuser()} in another terminal"}).encode())
    try:
        os.kill(session.pid, STOP_SIGNAL)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if answer.exists():
                return [Outcome(*each) for each in json.loads(answer.read_text())]
            time.sleep(POLL)
        return None
    finally:
        request.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)


# -- answering ------------------------------------------------------------------------------------------------------


def requests() -> list[tuple[Path, str]]:
    """Return the requests to this process to stop its devices, and who made each."""
    found = []
    for file in directory().glob(f"{os.getpid()}-*.stop"):
        try:
            found.append((file, json.loads(file.read_text())["by"]))
        except (OSError, ValueError, KeyError):  # taken back at this moment
            pass
    return found


def answer(request: Path, outcomes: Sequence[Outcome]) -> None:
    """Tell who made the *request* what became of the devices."""
    if request.exists():
        write(request.with_suffix(".stopped"), json.dumps([list(each) for each in outcomes]).encode())
        request.unlink(missing_ok=True)


__all__ = ["RunningSession", "answer", "directory", "registered", "request_stop", "requests", "running"]
