"""The process that draws, as the others see it: ``_painter.py``, started when something is to be drawn."""

from __future__ import annotations

import atexit
import itertools
import json
import math
import os
import posix
import select
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from concert.async_._child import Child
from concert.async_._native import allocate_lock

PROGRAM = Path(__file__).with_name("_painter.py")

PATIENCE = 60.0  # seconds in which a drawing is made, or never; the first one of a user lets matplotlib look for fonts
LOOK = 0.2  # seconds after which one who waits looks whether another one has read the answer
ROWS = 5000  # so many points are sent at a time


class PaintingError(RuntimeError):
    """Raised when something could not be drawn."""


class Painter:
    """A process that draws. Orders are gathered and sent as fast as it takes them; nothing here ever blocks."""

    def __init__(self) -> None:
        self._unsent = bytearray()
        self._unread = b""
        self._outcomes: dict[str, str] = {}  # why a picture could not be saved, empty if it was, by path
        self._last_words = ""
        self.alive = True
        self._lock = allocate_lock()
        self._child = Child(["-P", str(PROGRAM)], os.environ, errors=True)
        self.pid = self._child.pid
        os.set_blocking(self._child.input, False)
        os.set_blocking(self._child.output, False)
        atexit.register(self.close)

    def order(self, do: str, of: int, numbers: Any = None, **order: Any) -> None:
        """Give an order, behind which come *numbers*, an array with a row for each point."""
        line = json.dumps({"do": do, "of": of, **order}).encode() + b"\n"
        block = b"" if numbers is None else np.ascontiguousarray(numbers, dtype=float).tobytes()
        with self._lock:
            self._unsent += line + block
            self._send()

    @property
    def busy(self) -> bool:
        """Whether it has not taken all orders yet."""
        with self._lock:
            self._send()
            return bool(self._unsent)

    def wait_until_sent(self) -> None:
        """Wait, cooperatively, until it has taken all orders; raise :exc:`PaintingError` if it does not."""
        deadline = monotonic() + PATIENCE
        while self.busy:
            self.refuse_if_over(deadline)
            select.select([], [self._child.input], [], LOOK)

    def saved(self, path: str) -> None:
        """Wait, cooperatively, until the picture *path* is saved; raise :exc:`PaintingError` if it cannot be."""
        deadline = monotonic() + PATIENCE
        while path not in self._outcomes:
            self.refuse_if_over(deadline)
            if path not in self._outcomes:
                select.select([self._child.output], [], [], LOOK)
        reason = self._outcomes.pop(path)
        if reason:
            raise PaintingError(f"{path} could not be drawn: {reason}")

    def listen(self) -> None:
        """Take note of what it has answered until now, or that it has ended."""
        with self._lock:
            while self.alive and (block := self._read()) is not None:
                if not block:
                    self._bury()
                    return
                *lines, self._unread = (self._unread + block).split(b"\n")
                for line in lines:
                    self._note(line)

    @property
    def last_words(self) -> str:
        """What it has said before it ended, if it has said something, behind a colon."""
        return f": {self._last_words}" if self._last_words else ""

    def close(self) -> None:
        """Let it end, and wait for that a moment."""
        with self._lock:
            if not self.alive:
                return
            self.alive = False
        self._reap()

    def _bury(self) -> None:
        """Note that it has ended by itself."""
        self.alive = False
        self._reap()

    def _reap(self) -> None:
        atexit.unregister(self.close)
        self._child.end()

    def _send(self) -> None:
        while self._unsent and self.alive:
            try:
                sent = posix.write(self._child.input, memoryview(self._unsent)[: 1 << 16])
            except BlockingIOError:
                return
            except BrokenPipeError:
                self._unsent.clear()
                return
            del self._unsent[:sent]

    def _read(self) -> bytes | None:
        """Return what it has answered, nothing if it has ended, and None if there is no answer yet."""
        try:
            return posix.read(self._child.output, 1 << 16)
        except BlockingIOError:
            return None

    def _note(self, line: bytes) -> None:
        try:
            answer = json.loads(line)
            self._outcomes[answer.get("saved") or answer["failed"]] = answer.get("reason", "")
        except (ValueError, KeyError, TypeError):  # not an answer, but something that went wrong
            self._last_words = line.decode(errors="replace").strip() or self._last_words

    def refuse_if_over(self, deadline: float = math.inf) -> None:
        """Raise :exc:`PaintingError` if it has ended, or does not come to an end before *deadline*."""
        self.listen()
        if not self.alive:
            raise PaintingError(f"the process that draws has ended{self.last_words}")
        if monotonic() > deadline:
            self.close()
            raise PaintingError(f"the process that draws has not done it within {PATIENCE:g} s")


_painters: dict[bool, Painter] = {}  # for windows and for files: a window that fails can take its process with it
_starting = allocate_lock()
_numbers = itertools.count(1)


def painter(window: bool = False) -> Painter:
    """Return the process that draws in files, or in a *window*; started if there is none, or not any more."""
    with _starting:
        known = _painters.get(window)
        if known is not None:
            known.listen()  # perhaps it has ended
        if known is None or not known.alive:
            known = _painters[window] = Painter()
        return known


def next_picture() -> int:
    """Return the number of a new picture."""
    return next(_numbers)


def close_painters() -> None:
    """End the processes that draw, if there are any; windows are closed with them."""
    for each in _painters.values():
        each.close()
