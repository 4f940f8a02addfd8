"""The log: a file beside the sessions, written by every process that loads one.

A record is a line, or begins with one::

    2026-11-22 19:26:53,123 imaging INFO concert.devices: stage arrived
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from concert.session.management import directory, explained

LOG = logging.getLogger("concert.session")

FILE = "concert.log"
LARGEST = 2**20  # bytes in a file
KEPT = 5  # files of older records

LEVELS = ("debug", "info", "warning", "error", "critical")

NO_SESSION = "-"
POLL = 0.2  # seconds between two looks for new records

_RECORD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (\S+) ")

_handler: logging.Handler | None = None  # of the current arrangement
_level_before = logging.WARNING


def set_up(session: str | None = None, to: str = "file", file: Path | None = None, level: str = "info") -> None:
    """Log what happens from now on: records of *level* and above, with the name of the *session*.

    *to* is ``file`` or ``stderr``; *file* is another one than that beside the sessions. If it cannot be written, say so
    and log to stderr: a full disk must not stop a session. Called again, the new arrangement replaces the old one.
    """
    global _handler, _level_before
    close()
    _handler, problem = _make_handler(to, path() if file is None else file)
    _handler.setFormatter(logging.Formatter(f"%(asctime)s {session or NO_SESSION} %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(_handler)
    _level_before = root.level
    root.setLevel(level.upper())
    if problem is not None:
        root.warning("the log goes to stderr: %s", problem)


def close() -> None:
    """Undo :func:`set_up`."""
    global _handler
    if _handler is not None:
        logging.getLogger().removeHandler(_handler)
        logging.getLogger().setLevel(_level_before)
        handler, _handler = _handler, None
        try:
            handler.close()
        except OSError:  # on a full disk, which has been complained about
            pass


def note_failure(what: str, error: BaseException) -> None:
    """Record that *what* failed with *error*, if the log is a file: people have been told already."""
    if isinstance(_handler, SharedFileHandler):
        LOG.error("%s failed", what, exc_info=error)


def path() -> Path:
    """Return where the log is, unless it was asked for elsewhere."""
    return directory() / FILE


def files(of: Path | None = None) -> list[Path]:
    """Return the files of the log, or of what is kept likewise in the file *of*, that there are, the oldest first."""
    newest = path() if of is None else of
    numbered = [each for each in newest.parent.glob(f"{newest.name}.*") if each.suffix[1:].isdigit()]
    older = sorted(numbered, key=lambda each: int(each.suffix[1:]), reverse=True)
    return [each for each in (*older, newest) if each.is_file()]


def read(follow: bool = False, of: Path | None = None) -> Iterator[str]:
    """Yield the lines of the log, the oldest first; with *follow* go on with new ones for ever.

    *of* is another file that is kept like the log.
    """
    newest = path() if of is None else of
    for file in files(newest):
        if not (follow and file == newest):
            with explained("read", file), _opened(file) as stream:
                yield from stream
    while follow:
        if newest.is_file():
            with explained("read", newest), _opened(newest) as stream:
                yield from _until_renamed(stream, newest)
        else:
            time.sleep(POLL)


def of_session(lines: Iterable[str], session: str) -> Iterator[str]:
    """Yield those *lines* of the log that belong to records of *session*, tracebacks included."""
    belongs = False
    for line in lines:
        start = _RECORD.match(line)
        if start is not None:
            belongs = start[1] == session
        if belongs:
            yield line


def _opened(file: Path) -> TextIO:
    return open(file, encoding="utf-8", errors="replace")


def _until_renamed(stream: TextIO, file: Path) -> Iterator[str]:
    """Yield the lines that are there and those that come, until a new *file* is begun."""
    line = ""
    while True:
        current = _is_named(stream, file)  # looked at before reading: what was written until then is not missed
        line += (more := stream.readline())
        if line.endswith("\n"):
            yield line
            line = ""
        elif not more:
            if not current:
                return
            time.sleep(POLL)


def _is_named(stream: TextIO, file: str | Path) -> bool:
    """Tell whether what is open is still the file of that name."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), os.stat(file))
    except FileNotFoundError:
        return False


def _make_handler(to: str, file: Path) -> tuple[logging.Handler, OSError | None]:
    if to == "stderr":
        return logging.StreamHandler(), None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = SharedFileHandler(file)
        handler.open()
        return handler, None
    except OSError as problem:
        return logging.StreamHandler(), problem


class SharedFileHandler(RotatingFileHandler):
    """Appends to a file that several processes write to, and renames it, once for all of them, when it is large."""

    _complained = False

    def __init__(self, file: Path, what: str = "log", largest: int | None = None, kept: int = KEPT) -> None:
        super().__init__(
            file,
            maxBytes=LARGEST if largest is None else largest,
            backupCount=kept,
            encoding="utf-8",
            errors="backslashreplace",
            delay=True,
        )
        self._what = what

    def open(self) -> None:
        """Open the file now and not with the first record; raise what the system says against it."""
        self._reopen()

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        """Tell whether the file is too large for the *record*, after moving on to the new file if there is one."""
        if not self._is_current():
            self._reopen()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:
        """Rename the file, unless another process has just done so."""
        assert self.stream is not None  # it has just been looked at
        held = os.dup(self.stream.fileno())  # keeps the lock, which is the file's, when the stream is closed
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            if self._is_current():
                super().doRollover()
            else:
                self._reopen()
        finally:
            os.close(held)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say in a line, once, that the log cannot be written: what is done in the session is more important."""
        if not self._complained:
            self._complained = True
            print(f"cannot write the {self._what} {self.baseFilename}: {sys.exc_info()[1]}", file=sys.stderr)

    def _is_current(self) -> bool:
        return self.stream is not None and _is_named(self.stream, self.baseFilename)

    def _reopen(self) -> None:
        if self.stream is not None:
            self.stream.close()
        self.stream = self._open()
