"""Undoing moves: which command has set what, from where to where, so that it can be taken back."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from concert.async_ import Future
from concert.async_._native import allocate_lock
from concert.async_._scope import Command, current_owner
from concert.base import UNKNOWN, ParameterValue, SetRecord, ignore_sets, listen_to_sets
from concert.base._audit import listeners
from concert.processes._errors import ScanError
from concert.processes._run import Run

KEPT = 100  # so many steps can be undone

Moves = list[tuple[ParameterValue, Any]]


class Step:
    """What one command, or in a script one move or scan, has set: each parameter from where it was to where it is.

    *label* is what people call it. A value that was never read or set before is :data:`.UNKNOWN`.
    """

    def __init__(self, label: str, cause: Any = None) -> None:
        self.label = label
        self._cause = None if cause is None else weakref.ref(cause)
        self._changes: dict[ParameterValue, tuple[Any, Any]] = {}

    def is_of(self, cause: Any) -> bool:
        """Tell whether *cause*, a command or a future, has made the step."""
        return cause is not None and self._cause is not None and self._cause() is cause

    def note(self, parameter: ParameterValue, before: Any, after: Any) -> None:
        """Note a set; only the first value and the last one of each parameter count."""
        first, _ = self._changes.get(parameter, (before, after))
        self._changes[parameter] = (first, after)

    def back(self) -> Moves:
        """Return what has to be set to undo it, as far as that is known."""
        return [(parameter, before) for parameter, (before, after) in self._changes.items() if _differ(before, after)]

    def forth(self) -> Moves:
        """Return what has to be set to do it again."""
        return [(each, after) for each, (before, after) in self._changes.items() if _differ(before, after)]

    def unknown(self) -> list[ParameterValue]:
        """Return the parameters of which nobody knows what they were before."""
        return [each for each, (before, _) in self._changes.items() if before is UNKNOWN]

    def __bool__(self) -> bool:
        return bool(self.back() or self.unknown())


class Steps:
    """The steps made in this process, the latest last, and those undone."""

    def __init__(self) -> None:
        self._done: deque[Step] = deque(maxlen=KEPT)
        self._undone: deque[Step] = deque(maxlen=KEPT)
        self._lock = allocate_lock()  # sets may end in native threads

    def note(self, record: SetRecord) -> None:
        """Take note of a set that has ended; one that was refused has changed nothing."""
        if record.outcome in ("", "refused"):
            return
        after = record.wanted if record.after is UNKNOWN else record.after
        with self._lock:
            self._step_of(record).note(record.parameter, record.before, after)

    def last(self) -> Step:
        """Return the step to undo next; raise :exc:`.ScanError` if there is none."""
        while self._done and not self._done[-1]:
            self._done.pop()
        if not self._done:
            remembers = "nothing has been moved" if self.note in listeners else "moves are not remembered here"
            raise ScanError(f"there is nothing to undo: {remembers}")
        return self._done[-1]

    def last_undone(self) -> Step:
        """Return the step to do again; raise :exc:`.ScanError` if there is none."""
        if not self._undone:
            raise ScanError("there is nothing to do again: nothing was undone, or something was moved since")
        return self._undone[-1]

    @contextmanager
    def undoing(self, step: Step) -> Iterator[None]:
        """In the block *step* is undone. If that works, the one before it is next."""
        with _within(None):
            yield
        self._done.remove(step)
        self._undone.append(step)

    @contextmanager
    def redoing(self, step: Step) -> Iterator[None]:
        """In the block *step*, which was undone, is done again."""
        with _within(None):
            yield
        self._undone.remove(step)
        self._done.append(step)

    def clear(self) -> None:
        """Forget all of them."""
        self._done.clear()
        self._undone.clear()

    def _step_of(self, record: SetRecord) -> Step:
        step = _step.get()
        if step is None:  # of an undo
            return Step("")
        cause = None if step is not _by_cause else _cause()
        last = self._done[-1] if self._done else None
        if last is not None and (last is step or last.is_of(cause)):  # as in a long scan
            return last
        if step is _by_cause:
            known = next((each for each in self._done if each.is_of(cause)), None)
            step = known or Step(_label_of(cause, record), cause)
        if step not in self._done:
            self._done.append(step)
            self._undone.clear()
        return step


steps = Steps()

_by_cause = Step("")  # stands for that of the command that is executed
_step: ContextVar[Step | None] = ContextVar("step", default=_by_cause)


def remember_moves() -> None:
    """Remember from now on what is set from where to where, for undo; a session does so from its beginning."""
    if steps.note not in listeners:
        listen_to_sets(steps.note)


def forget_moves() -> None:
    """Do not remember anything any more, and forget what there is."""
    if steps.note in listeners:
        ignore_sets(steps.note)
    steps.clear()


@contextmanager
def one_step(label: str) -> Iterator[None]:
    """Let what is set in the block be undone as one step, called *label*, if it is not part of a typed command."""
    cause = _cause()
    if _step.get() is not _by_cause or (isinstance(cause, Command) and cause.text) or isinstance(cause, Run):
        yield
        return
    with _within(Step(label)):
        yield


@contextmanager
def _within(step: Step | None) -> Iterator[None]:
    token = _step.set(step)
    try:
        yield
    finally:
        _step.reset(token)


def _cause() -> Any:
    """Return what the running code belongs to: a typed command, in a script the future that it has started."""
    outermost: Any = None
    owner: Any = current_owner()
    while isinstance(owner, Future):
        outermost, owner = owner, owner._owner
    typed = isinstance(owner, Command) and owner.text
    return owner if typed or outermost is None else outermost


def _label_of(cause: Any, record: SetRecord) -> str:
    if isinstance(cause, Command):
        return " ".join(cause.text.split())
    return cause.title if isinstance(cause, Run) else f"set of {record.parameter.full_name}"


def _differ(before: Any, after: Any) -> bool:
    if before is UNKNOWN:
        return False
    try:
        return not bool(np.all(before == after))
    except Exception:  # values that cannot be compared are not the same
        return True
