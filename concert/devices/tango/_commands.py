"""Methods for the commands of a Tango device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from concert.async_ import async_


def method_of(name: str, command: Any) -> Callable[..., Any]:
    """Return the method *name*, asynchronous, for *command*, a ``CommandInfo``."""
    takes = str(command.in_type).rpartition(".")[2]

    def run_plain(self: Any, timeout: Any = None) -> Any:
        return self.run_command(command.cmd_name, timeout=timeout)

    def run_with_argument(self: Any, argument: Any, timeout: Any = None) -> Any:
        return self.run_command(command.cmd_name, argument, timeout=timeout)

    run: Any = run_plain if takes == "DevVoid" else run_with_argument
    run.__name__ = name
    run.__qualname__ = f"TangoDevice.{name}"
    run.__doc__ = f"Run the command {command.cmd_name}: a future{_described(takes, command)}."
    return async_(run)


def _described(takes: str, command: Any) -> str:
    gives = str(command.out_type).rpartition(".")[2]
    parts = []
    if takes != "DevVoid":
        parts.append(f"*argument* is {_meaning(command.in_type_desc, takes)}")
    if gives != "DevVoid":
        parts.append(f"its result is {_meaning(command.out_type_desc, gives)}")
    return "".join(f"; {part}" for part in parts)


def _meaning(description: str, kind: str) -> str:
    text = " ".join(description.split())
    said = text and text != "Uninitialised" and not text.startswith(":")  # which PyTango makes of what was not said
    return f"{text} ({kind})" if said else kind
