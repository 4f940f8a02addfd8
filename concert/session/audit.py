"""The audit trail: a line for every set of every parameter in a session, in a file that all sessions share.

A line is a JSON object. A set that takes longer than a moment has two, of which the first, without an outcome, says
that it began: so it is not lost if the process is. A native thread writes them, and nothing in the session waits for
it.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import platform
import shlex
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import platformdirs

from concert.async_._native import allocate_lock, allocate_rlock, start_new_thread
from concert.base import UNKNOWN, SetRecord, ignore_sets, listen_to_sets
from concert.quantities import q, shown
from concert.session.logs import SharedFileHandler, read

FILE = "audit.jsonl"
LARGEST = 10 * 2**20  # bytes in a file
KEPT = 20  # files of older lines

GATHER = 0.1  # seconds for which lines are gathered before they are written: what a kill may lose
PATIENCE = 5.0  # seconds for the last lines
LONGEST = 200  # characters of a value or a command


def path() -> Path:
    """Return where the audit trail is."""
    return platformdirs.user_state_path("concert") / FILE


_writer: Writer | None = None


def set_up(session: str) -> None:
    """Record all sets from now on as made in *session*, until :func:`close`."""
    global _writer
    close()
    _writer = Writer(session)
    listen_to_sets(_writer.note)


def close() -> None:
    """Write what is not written yet, and record no more."""
    global _writer
    if _writer is not None:
        ignore_sets(_writer.note)
        _writer.close()
        _writer = None


class Writer:
    """Writes the records of one *session*, from a native thread."""

    def __init__(self, session: str) -> None:
        self._origin = {
            "session": session,
            "user": _user(),
            "host": platform.node(),
            "pid": os.getpid(),
        }
        self._program = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])  # who sets what nobody has typed
        self._records: deque[dict[str, Any]] = deque()
        self._wake = allocate_lock()
        self._wake.acquire()
        self._awake = False
        self._ended = allocate_lock()
        self._ended.acquire()
        self._closed = False
        self._handler = SharedFileHandler(path(), "audit trail", LARGEST, KEPT)
        self._handler.lock = allocate_rlock()  # the thread uses it, and other locks are greenlets' under gevent
        start_new_thread(self._run, ())

    def note(self, record: SetRecord) -> None:
        """Take a record, to be written in a moment."""
        self._records.append(_line(record, self._program))
        if not self._awake:
            self._awake = True
            self._rouse()

    def close(self) -> None:
        """Write what is left, which takes no longer than a moment; a disk that hangs is not waited for."""
        self._closed = True
        self._rouse()
        if self._ended.acquire(timeout=PATIENCE):
            self._handler.close()

    def _rouse(self) -> None:
        try:
            self._wake.release()
        except RuntimeError:  # two threads at once; once is enough
            pass

    def _run(self) -> None:
        try:
            while not self._closed:
                self._wake.acquire()
                self._awake = True
                if not self._closed:
                    self._wake.acquire(timeout=GATHER)  # only close comes earlier
                self._awake = False
                self._write()
            self._write()
        finally:
            self._ended.release()

    def _write(self) -> None:
        lines = self._gathered()
        if not lines:
            return
        record = logging.makeLogRecord({"msg": "\n".join(lines)})
        try:
            path().parent.mkdir(parents=True, exist_ok=True)
            self._handler.emit(record)
        except OSError:  # the handler has dealt with its own
            self._handler.handleError(record)

    def _gathered(self) -> list[str]:
        """Return the lines to write: one for what has begun and ended, two for what only begins now."""
        records = [self._records.popleft() for _ in range(len(self._records))]
        ended = {record["number"] for record in records if "outcome" in record}
        wanted = [record for record in records if "outcome" in record or record["number"] not in ended]
        return [json.dumps(self._origin | record, ensure_ascii=False) for record in wanted]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, in a container for example
        return str(os.getuid())


def _line(record: SetRecord, program: str) -> dict[str, Any]:
    line = {
        "number": record.number,
        "time": record.began,
        "parameter": record.parameter.full_name,
        "from": _text(record.before),
        "to": _text(record.wanted),
        "command": (record.command or program)[:LONGEST],
        "by": record.by,
    }
    if record.outcome:
        assert record.ended is not None
        line |= {"outcome": record.outcome, "reason": record.reason, "after": _text(record.after)}
        line["seconds"] = round(record.ended - record.began, 3)
    return line


_units: dict[Any, str] = {}  # as text, which pint takes its time for


def _text(value: Any) -> str | None:
    """Return a value with all the digits it has, as short as may be; None for one that is not known."""
    if value is UNKNOWN:
        return None
    magnitude = getattr(value, "magnitude", None)
    if isinstance(magnitude, (int, float)) and isinstance(value, q.Quantity):
        unit = value.units
        if unit not in _units:
            _units[unit] = f"{unit:~P}"
        return f"{magnitude:.12g} {_units[unit]}".rstrip()
    return " ".join(shown(value).split())[:LONGEST]


def entries(session: str | None = None, follow: bool = False) -> Iterator[Mapping[str, Any]]:
    """Yield the sets recorded, of *session* or of all, in the order in which they ended, each once.

    Those of which no end was recorded come last and have no outcome. With *follow* go on with new ones for ever.
    """
    begun: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for entry in _parsed(read(follow, path())):
        if session is not None and entry["session"] != session:
            continue
        key = entry["host"], entry["pid"], entry["number"], entry["time"]
        if "outcome" in entry:
            begun.pop(key, None)
            yield entry
        else:
            begun[key] = entry
    yield from begun.values()


def _parsed(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:  # cut by a power failure
            continue


def sentence(entry: Mapping[str, Any]) -> str:
    """Return a set as a line for people."""
    moment = datetime.fromtimestamp(entry["time"]).isoformat(" ", "milliseconds")
    where = f"{entry['parameter']} {entry['from'] or '?'} → {entry['to']}"
    outcome = entry.get("outcome", "no end recorded")
    if "outcome" in entry:
        after = entry["after"] if entry["after"] not in (None, entry["to"]) and outcome != "refused" else None
        outcome += f" at {after}" if after else ""
        took = entry["seconds"] >= 0.01 and outcome != "refused"
        outcome += f" after {entry['seconds']:g} s" if took else ""
        outcome += f": {entry['reason']}" if entry["reason"] else ""
    said = [" ".join(entry["command"].split()), f"by {entry['by']}" if entry["by"] else ""]
    who = " · ".join(each for each in (entry["user"], *said) if each)
    return f"{moment} {entry['session']}  {where}  {outcome}  ({who})"
