"""Who started what: the future or the command that the running code belongs to."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from concert.async_._future import Future


class Command:
    """What a person typed, or a whole script: the root of the futures that no other future started.

    *text* is what was typed, if something was.
    """

    def __init__(self, text: str = "") -> None:
        self.text = text

    def __repr__(self) -> str:
        return f"<command {self.text!r}>" if self.text else "<command>"


Owner = Union["Future", Command]

# The future whose code is running, in this greenlet or thread; None outside of all futures.
running_future: ContextVar[Future | None] = ContextVar("running_future", default=None)

# Called with every new future that no other future started, if somebody wants to know.
on_command_future: Callable[[Future], object] | None = None

_command = Command()


def current_command() -> Command:
    """Return the command that is being executed."""
    return _command


def begin_command(text: str = "") -> Command:
    """Make the futures started from here on belong to a new command; Ctrl-C leaves those of earlier ones alone."""
    global _command
    _command = Command(text)
    return _command


def current_owner() -> Owner:
    """Return the future whose code is running, else the command."""
    return running_future.get() or _command
