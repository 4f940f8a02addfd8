"""Which process writes a scan, and whether it still lives."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STARTED = 19  # field of /proc/PID/stat behind the name: when the process started, which no later one with its PID has


def this_process() -> dict[str, Any]:
    """Return what tells the running process from every other one."""
    return {
        "host": socket.gethostname(),
        "boot": _boot(),
        "namespace": _namespace(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
    }


def lives(writer: Mapping[str, Any]) -> bool:
    """Tell whether *writer*, what :func:`this_process` returned there, still runs, as far as can be seen from here."""
    if (writer["boot"], writer["namespace"]) == (_boot(), _namespace()):
        return _started(writer["pid"]) == writer["started"]
    # Another container, or another machine: only that the machine has been started anew is known for sure.
    return writer["host"] != socket.gethostname() or writer["boot"] == _boot()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        return ""


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def exists(pid: int) -> bool:
    """Tell whether there is a process with that number, whichever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _started(pid: int) -> str:
    """Return when the process started, or an empty text if there is none, or only what its parent has not noticed."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return "lives" if not Path("/proc/self").exists() and exists(pid) else ""
    return "" if fields[0] in (b"Z", b"X") else fields[_STARTED].decode()
