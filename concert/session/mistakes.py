"""Mistakes in a line that was typed: told in a line as well, with what may have been meant."""

from __future__ import annotations

import builtins
import keyword
import re
import traceback
from collections.abc import Collection, Iterable, Mapping
from types import TracebackType
from typing import Any

_FIRST_WORD = re.compile(r"\s*([A-Za-z_]\w*)")
_ARGUMENTS = re.compile(r"(\w+)\(\) (?:missing|takes|got)\b")


def mistake(
    error: BaseException, trace: TracebackType | None, typed: str, verbs: Collection[str], names: Mapping[str, Any]
) -> str | None:
    """Return the line that says what is wrong with what was *typed*, one line of Python or with one of *verbs*.

    None if *error* says more than that: where a program, which may be the user's, has gone wrong.
    """
    if "\n" in typed:
        return None
    if isinstance(error, SyntaxError):
        return _misspelt(error, typed, verbs, names)
    if not _happened_in(trace, names):
        return None
    if isinstance(error, NameError) and error.name:
        return _told(error, error.name, [*names, *dir(builtins)])
    if isinstance(error, AttributeError) and error.name and error.obj is not None:
        return _told(error, error.name, dir(error.obj))
    called = _ARGUMENTS.match(str(error)) if isinstance(error, TypeError) else None
    if called is not None and called[1] in verbs:
        return f"TypeError: {error}; {called[1]}? tells what it takes"
    return None


def _misspelt(error: SyntaxError, typed: str, verbs: Collection[str], names: Mapping[str, Any]) -> str | None:
    match = _FIRST_WORD.match(typed)
    word = match[1] if match is not None else ""
    if word in verbs:
        return f"SyntaxError: {error.msg}; {word}? tells what it takes"
    if not word or word in names or hasattr(builtins, word) or keyword.iskeyword(word):
        return None
    meant = _near(word, names)
    return f"SyntaxError: {error.msg}; did you mean {meant} instead of {word}" if meant else None


def _told(error: BaseException, name: str, names: Iterable[str]) -> str:
    meant = _near(name, names)
    return f"{type(error).__name__}: {error}" + (f"; did you mean {meant}" if meant else "")


def _near(name: str, names: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # loaded for this alone

    near = get_close_matches(name, [each for each in names if not each.startswith("_")], n=1)
    return near[0] if near else None


def _happened_in(trace: TracebackType | None, names: Mapping[str, Any]) -> bool:
    """Tell whether the error has come up in what was typed, and not in a function or a file that this has called."""
    typed = [frame.f_globals is names for frame, _ in traceback.walk_tb(trace)]
    return sum(typed) == 1 and typed[-1]
