"""Who set what: a record of every set, for those who listen. While nobody does, a set costs what it costs without."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from concert.async_ import Future
from concert.async_._scope import Command, running_future
from concert.base._errors import LockError, StoppedError, TransitionNotAllowed

if TYPE_CHECKING:
    from concert.base._parameter import ParameterValue

LOG = logging.getLogger("concert.base")

UNKNOWN = type("Unknown", (), {"__repr__": lambda _: "unknown", "__slots__": ()})()

_numbers = itertools.count(1)


class SetRecord:
    """A set of a *parameter* to the *wanted* value, as it was asked for.

    *before* is the last value that was known, which is never read for this, else :data:`UNKNOWN`; *after* is the one
    that is known at the end. *began* and *ended* are times in seconds since the epoch. *command* is what was typed, and
    *by* the asynchronous function of that command that set it; both may be empty. *outcome* is empty while the set is
    in progress, then ``arrived``, ``stopped``, ``failed`` or ``refused``, and *reason* is why, for all but the first.
    *number* counts the sets of this process.
    """

    __slots__ = (
        "after",
        "before",
        "began",
        "by",
        "command",
        "ended",
        "number",
        "outcome",
        "parameter",
        "reason",
        "wanted",
    )

    def __init__(self, parameter: ParameterValue, wanted: Any) -> None:
        self.number = next(_numbers)
        self.parameter = parameter
        self.wanted = wanted
        self.before = parameter.last_known
        self.after: Any = UNKNOWN
        self.began = time.time()
        self.ended: float | None = None
        self.command, self.by = _origin()
        self.outcome = ""
        self.reason = ""

    def end(self, outcome: str, error: BaseException | None = None) -> None:
        """Note how the set has ended."""
        self.ended = time.time()
        self.after = self.parameter.last_known
        self.outcome = outcome
        if isinstance(error, Exception):  # a kill and Ctrl-C give no reasons
            self.reason = str(error) or type(error).__name__


Listener = Callable[[SetRecord], object]

listeners: list[Listener] = []


def listen_to_sets(listener: Listener) -> None:
    """Call *listener* with a :class:`SetRecord` whenever a set of any parameter begins, and again when it has ended.

    It is called in the code of the set, so it has to be quick; what it raises is logged.
    """
    listeners.append(listener)


def ignore_sets(listener: Listener) -> None:
    """Do not call *listener* any more."""
    listeners.remove(listener)


def recorded(parameter: ParameterValue, value: Any, write: Callable[..., None]) -> None:
    """Call *write*, which sets the *parameter* to the *value*, and tell the listeners."""
    record = SetRecord(parameter, value)
    _tell(record)
    accepted = False
    try:
        parameter.check_value(value)
        accepted = True
        parameter.last_known = UNKNOWN
        write(value, False)
    except BaseException as error:
        outcome = _outcome(error) if accepted else "refused"
        if outcome == "refused" and parameter.last_known is UNKNOWN:  # else who holds it has moved it meanwhile
            parameter.last_known = record.before
        record.end(outcome, error)
        if outcome == "refused" and not record.reason:
            record.reason = f"given up while it was held by {', '.join(parameter.holders()) or 'somebody else'}"
        raise
    else:
        if parameter.last_known is UNKNOWN or not parameter.verified:
            parameter.last_known = value
        record.end("arrived")
    finally:
        _tell(record)


def note_refusal(parameter: ParameterValue, value: Any, error: Exception) -> None:
    """Tell the listeners that a set of the *parameter* to the *value* was refused before it was tried."""
    if listeners:
        record = SetRecord(parameter, value)
        record.end("refused", error)
        _tell(record)


def _outcome(error: BaseException) -> str:
    if isinstance(error, LockError) or (isinstance(error, TransitionNotAllowed) and not error.called):
        return "refused"
    future = running_future.get()
    if future is not None and future.held_up:
        return "refused"
    # A thread that was cancelled finds out in its own way, for example because the motor has not arrived.
    cancelled = not isinstance(error, Exception) or (future is not None and future._kills > 0)
    return "stopped" if cancelled or isinstance(error, StoppedError) else "failed"


def _tell(record: SetRecord) -> None:
    for listener in tuple(listeners):
        try:
            listener(record)
        except Exception:
            LOG.exception("the listener %r to sets failed", listener)


def _origin() -> tuple[str, str]:
    """Return the text of the command, and the name of the function started by it, that the running set belongs to."""
    function = ""
    owner: Any = running_future.get()
    owner = None if owner is None else owner._owner  # the set itself says nothing
    while isinstance(owner, Future):
        function = owner.name
        owner = owner._owner
    return (owner.text if isinstance(owner, Command) else ""), function
