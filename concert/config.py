"""Settings: every one in a table, read once from the environment, and changed by assignment.

A setting is an attribute of this module::

    from concert import config

    config.ENABLE_GEVENT = False

and, before Python starts, a variable: ``CONCERT_ENABLE_GEVENT=0``. A switch also has its negation, the same value seen
from the other side: ``config.DISABLE_GEVENT`` is then True, and ``CONCERT_DISABLE_GEVENT=1`` says the same.
"""

import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

ENABLE_ASYNC: bool
DISABLE_ASYNC: bool
ENABLE_GEVENT: bool
DISABLE_GEVENT: bool
DATA: str

_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class Setting(NamedTuple):
    """A row of the table.

    Values are of type *kind*. *convert* makes one from the text of the environment variable, or raises
    :exc:`ValueError` or :exc:`LookupError`; *accepts* tells people which texts it takes.
    """

    name: str
    default: Any
    meaning: str
    negation: str | None = None
    kind: type = bool
    convert: Callable[[str], Any] = lambda text: _SWITCH[text.lower()]
    accepts: str = "1, true, yes, on, 0, false, no or off"

    @property
    def variable(self) -> str:
        return f"CONCERT_{self.name}"


class CurrentSetting(NamedTuple):
    """What :func:`settings` tells about a setting."""

    name: str
    value: Any
    default: Any
    variable: str
    meaning: str


def _directory(text: str) -> str:
    if not text:
        raise ValueError("an empty name")
    return text


_TABLE = (
    Setting(
        "ENABLE_ASYNC",
        True,
        "run asynchronous functions concurrently; otherwise each call runs to its end and returns a finished future",
        negation="DISABLE_ASYNC",
    ),
    Setting(
        "ENABLE_GEVENT",
        True,
        "run them as greenlets, in a process made cooperative; otherwise in a pool of threads",
        negation="DISABLE_GEVENT",
    ),
    Setting(
        "DATA",
        "",
        "the directory that scans of sessions are stored in; empty for ~/data/<session>",
        kind=str,
        convert=_directory,
        accepts="the name of a directory",
    ),
)

# By the name they were registered under, which may be a negation.
_callbacks: dict[str, list[Callable[[Any], object]]] = {}


def settings() -> list[CurrentSetting]:
    """Return the table of all settings with their current values, for display."""
    return [CurrentSetting(row.name, globals()[row.name], row.default, row.variable, row.meaning) for row in _TABLE]


def on_change(name: str, callback: Callable[[Any], object]) -> None:
    """Call *callback* with the new value whenever the setting *name* is about to change.

    It is called before the value takes effect and may raise to refuse it; then nothing changes. Callbacks are called in
    the order of registration, and none hears of a later one's refusal: one that acts should be the only one.
    """
    _find(name)
    _callbacks.setdefault(name, []).append(callback)


def _find(name: str) -> Setting:
    for row in _TABLE:
        if name in (row.name, row.negation):
            return row
    known = ", ".join(known for row in _TABLE for known in (row.name, row.negation) if known)
    raise AttributeError(f"there is no setting {name!r}; there are {known}")


def _views(row: Setting, value: Any) -> dict[str, Any]:
    """Return each name under which *value* is seen with what is seen there."""
    return {row.name: value} | ({row.negation: not value} if row.negation else {})


def _set(name: str, value: Any) -> None:
    row = _find(name)
    if not isinstance(value, row.kind):
        raise TypeError(f"{name} takes a {row.kind.__name__}, not {value!r}")
    views = _views(row, value if name == row.name else not value)
    if views[row.name] == globals()[row.name]:
        return
    for view, seen in views.items():
        for callback in tuple(_callbacks.get(view, ())):
            callback(seen)
    globals().update(views)


def _from_environment(row: Setting, environment: Mapping[str, str]) -> Any:
    """Return what *environment* says about a setting, else its default."""
    said = {}
    for name in filter(None, (row.name, row.negation)):
        variable = f"CONCERT_{name}"
        if variable not in environment:
            continue
        text = environment[variable]
        try:
            value = row.convert(text)
        except (ValueError, LookupError) as error:
            raise ValueError(f"expected {variable} to be {row.accepts}, not {text!r}") from error
        said[f"{variable}={text}"] = value if name == row.name else not value
    if len(set(said.values())) > 1:
        raise ValueError(f"{' and '.join(said)} contradict each other; set one of them")
    return next(iter(said.values()), row.default)


class _Settings(ModuleType):
    """The module itself, so that an assignment to a setting is checked and takes effect in both its views."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name.isupper() and not name.startswith("_"):
            _set(name, value)
        else:
            super().__setattr__(name, value)


for _row in _TABLE:
    globals().update(_views(_row, _from_environment(_row, os.environ)))

sys.modules[__name__].__class__ = _Settings
