"""Sessions that go on when the connection to their terminal is lost: each in a terminal of its own, which tmux keeps.

They are apart from the user's other tmux sessions. Nothing goes through a shell: tmux gets the arguments one by one.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from concert.session import running
from concert.session.management import SessionError

SOCKET = "concert"
HISTORY = "50000"  # lines that can be scrolled back to
HINT = " Ctrl-b d leaves it running "
PATIENCE = 30.0  # seconds for a session to begin
POLL = 0.05

LOCAL = ("localhost", "127.0.0.1", "::1")

# Of the variables, tmux keeps those of whoever used it first; a session needs its own user's.
_PASSED_ON = re.compile(r"CONCERT_|XDG_|TANGO_|PYTANGO_|(VIRTUAL_ENV|PATH|PYTHONPATH|EDITOR|LANG|LC_ALL|IPYTHONDIR)$")
_HOST = re.compile(r"([A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9_:][\w.:-]*")


def serve(name: str) -> None:
    """Start the session *name* in a terminal that tmux keeps; raise :exc:`.SessionError` if it runs there already."""
    if name in served():
        raise SessionError(f"{name} is running already; see it with: concert connect localhost {name}")
    variables = [f"{key}={value}" for key, value in os.environ.items() if _PASSED_ON.match(key)]
    _tmux(
        *(
            "start-server",
            ";",
            "set-option",
            "-g",
            "history-limit",
            HISTORY,
            ";",
            "set-option",
            "-g",
            "mouse",
            "on",
            ";",
        ),
        *("new-session", "-d", "-s", name, "-x", "120", "-y", "40"),
        *(argument for variable in variables for argument in ("-e", variable)),
        *(*_concert(), "start", name, ";", "set-option", "-t", f"={name}:", "status-right", HINT),
    )
    _wait_for(name)


def served() -> list[str]:
    """Return the names of the sessions that tmux keeps on this machine."""
    asked = subprocess.run([*_command(), "list-sessions", "-F", "#S"], capture_output=True, text=True)
    return asked.stdout.split()  # without a server there are none


def connect(host: str, name: str | None) -> None:
    """Become a view of the session *name* on *host*, or of the one used last: this does not return.

    Raise :exc:`.SessionError` if there is no such session here, or *host* cannot be a host's name.
    """
    if not _HOST.fullmatch(host):
        raise SessionError(
            f"{host!r} cannot be the name of a host; expected one such as beamline.example.org or jo@cave"
        )
    target = [] if name is None else ["-t", f"={name}"]
    sys.stdout.flush()
    if host in (*LOCAL, platform.node()):
        _require_served(name)
        environment = {key: value for key, value in os.environ.items() if key != "TMUX"}  # one in another is meant
        command = [*_command(), "attach-session", *target]
        os.execve(command[0], command, environment)
    ssh = shutil.which("ssh")
    if ssh is None:
        raise SessionError(f"connecting to {host} needs ssh, which is not installed here")
    # What a remote host is asked to do does go through a shell, there; a session's name has nothing that it would mind.
    quoted = [f"'{each}'" for each in target]
    os.execv(ssh, [ssh, "-t", "--", host, " ".join(["tmux", "-L", SOCKET, "attach-session", *quoted])])


def _require_served(name: str | None) -> None:
    there_are = served()
    if not there_are:
        raise SessionError("no session is kept here; start one with: concert server NAME")
    if name is not None and name not in there_are:
        raise SessionError(f"no session {name} is kept here; there are {', '.join(there_are)}")


def _wait_for(name: str) -> None:
    """Wait until the session has begun, or raise what has become of it."""
    deadline = time.monotonic() + PATIENCE
    while not any(session.name == name for session in running.running()):
        if name not in served():
            raise SessionError(f"{name} has ended at once; try it with: concert start {name}")
        if time.monotonic() > deadline:
            raise SessionError(
                f"{name} has not begun within {PATIENCE:g} s; see it with: concert connect localhost {name}"
            )
        time.sleep(POLL)


def _tmux(*arguments: str) -> None:
    done = subprocess.run([*_command(), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SessionError(f"tmux cannot start the session: {done.stderr.strip() or 'it does not say why'}")


def _command() -> list[str]:
    tmux = shutil.which("tmux")
    if tmux is None:
        raise SessionError("tmux is not installed; it is what keeps a session running without a terminal")
    return [tmux, "-L", SOCKET, "-f", os.devnull]


def _concert() -> list[str]:
    """Return the command line of this installation's command."""
    script = Path(sys.executable).with_name("concert")
    if script.is_file():
        return [str(script)]
    return [sys.executable, "-m", "concert"]
