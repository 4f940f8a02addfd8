"""Asynchronous methods as Tango commands, for clients that know nothing of Concert: their arguments are texts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from tango import CmdArgType
from tango.server import command

from concert.quantities import q

_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*)")

Call = Callable[[Any, str, list[Any]], None]


def method_command(name: str, called: str, method: Callable[..., Any], call: Call) -> Any:
    """Return the Tango command *called* so for the method *name*; it calls *call* with the Tango device and arguments.

    A method without arguments is a command without; one with one takes a text, and others take several. A text is a
    number, a quantity such as ``1.5 mm``, or else a text.
    """
    count = len(inspect.signature(method).parameters)
    if not count:

        def run(device: Any) -> None:
            call(device, name, [])

        dtype = CmdArgType.DevVoid
    elif count == 1:

        def run(device: Any, argument: str) -> None:  # type: ignore[misc]
            call(device, name, arguments([argument]))

        dtype = CmdArgType.DevString
    else:

        def run(device: Any, given: Sequence[str]) -> None:  # type: ignore[misc]
            call(device, name, arguments(given))

        dtype = CmdArgType.DevVarStringArray
    run.__name__ = called
    run.__doc__ = inspect.getdoc(method)
    return command(run, dtype_in=dtype, doc_in=str(inspect.signature(method)))


def arguments(texts: Sequence[str]) -> list[Any]:
    """Return what the *texts* of a command say: numbers, quantities and, for the rest, texts."""
    return [_argument(text.strip()) for text in texts if text.strip()]


def _argument(text: str) -> Any:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    number = float(match[1])
    if not match[2]:
        return int(number) if re.fullmatch(r"[-+]?\d+", match[1]) else number
    try:
        return q.Quantity(number, match[2])
    except Exception:  # pint raises many kinds; no unit, so it is no quantity, and the method will say what it wants
        return text
