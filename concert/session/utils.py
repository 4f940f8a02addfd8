"""What a user asks a session: what devices are there, how are they, what can be done with them, how is it done."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from concert.base import ParameterValue, QuantityValue, SelectionValue
from concert.devices._reading import answer
from concert.devices.base import Device
from concert.quantities import q, shown
from concert.tables import get_default_table, print_table

__all__ = ["code_of", "ddoc", "dstate", "get_default_table", "pdoc"]

Namespace = Mapping[str, Any] | ModuleType | Device | None


def dstate(what: Namespace = None) -> None:
    """Render device state in a table: every readable parameter and the state.

    *what* is a device, a module or a dictionary of names; without it, it is the caller's names. A device that cannot be
    read shows why.
    """
    devices = devices_in(what, inspect.currentframe())
    reads = [(name, value, value.get()) for name, device in devices.items() for value in device if value.readable]
    rows: list[tuple[str, ...]] = [(name, value.name, answer(read)) for name, value, read in reads]
    print_table(("device", "parameter", "value"), _without_repetition(rows))


def ddoc(what: Namespace = None) -> None:
    """Render device documentation: every device, its parameters, their units, access and limits.

    *what* is as for :func:`dstate`.
    """
    rows: list[tuple[str, ...]] = []
    for name, device in devices_in(what, inspect.currentframe()).items():
        rows.append((name, type(device).__name__, "", "", _summary(type(device))))
        rows += [(name, value.name, _access(value), _allowed(value), value.help or "") for value in device]
    print_table(("device", "parameter", "access", "values", "meaning"), _without_repetition(rows))


def pdoc(what: Namespace = None) -> None:
    """Render process documentation: every documented function.

    *what* is a module, a dictionary of names or a device, whose methods are shown; without it, the caller's names.
    """
    names = names_in(what, inspect.currentframe())
    rows = [
        (f"{name}{_signature(function)}", _summary(function))
        for name, function in sorted(names.items())
        if inspect.isroutine(function) and function.__doc__ and not name.startswith("_")
    ]
    print_table(("function", "meaning"), rows)


def code_of(func: Callable[..., Any]) -> None:
    """Show implementation of func: its source, coloured in a terminal.

    Raise :exc:`TypeError` if it has none that Python knows of.
    """
    try:
        source = inspect.getsource(inspect.unwrap(func))
    except (TypeError, OSError) as error:
        raise TypeError(f"the code of {func!r} cannot be shown: {error}") from error
    if sys.stdout.isatty():
        # Pygments comes with IPython; it is loaded only for this.
        from pygments import highlight
        from pygments.formatters import TerminalFormatter
        from pygments.lexers import PythonLexer

        source = highlight(source, PythonLexer(), TerminalFormatter())
    print(source, end="")


def names_in(what: Namespace, frame: Any) -> Mapping[str, Any]:
    """Return the names of *what*, or without it those that the caller of *frame* sees."""
    if what is None:
        caller = frame.f_back
        return {**caller.f_globals, **caller.f_locals}
    if isinstance(what, Device):
        methods = {name: getattr(type(what), name) for name in dir(type(what))}
        return {what.name: what, **{name: each for name, each in methods.items() if inspect.isroutine(each)}}
    if isinstance(what, ModuleType):
        return vars(what)
    if isinstance(what, Mapping):
        return what
    raise TypeError(f"expected a device, a module or a dictionary of names, not {what!r}")


def devices_in(what: Namespace, frame: Any) -> dict[str, Device]:
    """Return the devices of *what*, or of the caller of *frame*, each once, under the first of its public names."""
    names = names_in(what, frame)
    devices: dict[str, Device] = {}
    for name, device in names.items():
        if isinstance(device, Device) and not name.startswith("_") and device not in devices.values():
            devices[name] = device
    return devices


def _without_repetition(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Show a device's name in its first row only."""
    previous = None
    shortened = []
    for row in rows:
        shortened.append(("", *row[1:]) if row[0] == previous else row)
        previous = row[0]
    return shortened


def _access(value: ParameterValue) -> str:
    access = ("r" if value.readable else "") + ("w" if value.writable else "")
    return f"{access} (locked)" if value.locked else access


def _allowed(value: ParameterValue) -> str:
    if isinstance(value, SelectionValue):
        return ", ".join(shown(choice) for choice in value.values)
    if isinstance(value, QuantityValue):
        limits = value.shown_limits() if (value.lower, value.upper) != (None, None) else ""
        return f"{value.unit:~P} {limits}".strip()
    return ""


def _summary(documented: Any) -> str:
    doc = inspect.getdoc(documented)
    text = doc.split("\n\n")[0].replace("\n", " ") if doc else ""
    return re.sub(r":\w+:`[.~]?([^`]*)`|\*(\w+)\*|``([^`]*)``", lambda match: next(filter(None, match.groups())), text)


def _signature(function: Callable[..., Any]) -> str:
    try:
        signature = inspect.signature(function)
        bare = [_bare(each) for each in signature.parameters.values()]
        return str(signature.replace(parameters=bare, return_annotation=signature.empty))
    except (TypeError, ValueError):  # some functions of C modules tell nothing
        return "(...)"


def _bare(parameter: inspect.Parameter) -> inspect.Parameter:
    """Return the *parameter* without its annotation, and with a default that people can read."""
    default = parameter.default
    readable = _AsShown(default) if isinstance(default, q.Quantity) else default
    return parameter.replace(annotation=parameter.empty, default=readable)


class _AsShown:
    """A default in a signature, as messages show values."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return shown(self._value)
