"""Who started what: the future or the command that the running code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from concert.async_._future import Future


class Command:
    """What a person typed, or a whole script: the root of the futures that no other future started."""

    def __repr__(self) -> str:
        return "<command>"


Owner = Union["Future", Command]

# The future whose code is running, in this greenlet or thread; None outside of all futures.
running_future: ContextVar[Future | None] = ContextVar("running_future", default=None)

_command = Command()


def current_command() -> Command:
    """Return the command that is being executed."""
    return _command


def begin_command() -> Command:
    """Make the futures started from here on belong to a new command; Ctrl-C leaves those of earlier ones alone."""
    global _command
    _command = Command()
    return _command


def current_owner() -> Owner:
    """Return the future whose code is running, else the command."""
    return running_future.get() or _command
