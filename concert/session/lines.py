"""Verbs typed without parentheses: ``mv stage 3 mm`` becomes ``mv(stage, 3 * q.mm)``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from string import whitespace
from typing import Any

from concert.base import ParameterValue
from concert.devices.base import Device
from concert.quantities import q

COMPARISONS = ("<", "<=", ">", ">=")
COMBINATIONS = ("&", "|")

_LINE = re.compile(r"(?P<verb>[A-Za-z_]\w*)(?:[ \t]+(?P<rest>.*))?")
_NUMBER = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?P<unit>[^\d\s,()\[\]][^\s,()\[\]]*)?")
_OPERATORS = re.compile(r"[=(.,:;|&<>!*/%@^]|(?:[-+]\s)|(?:in|is|and|or|not|if|for)\b")
_ASSIGNMENT = re.compile(r"(?P<target>(?P<name>[A-Za-z_]\w*)\.[A-Za-z_]\w*)\s*=\s*(?P<value>[-+.\d].*)")
_LIST = re.compile(r"\[.*\]")
_OPTION = re.compile(r"--(?P<name>[a-z][a-z-]*)(?:=(?P<value>.*))?")


def translate_verb(line: str, verbs: Collection[str], names: Mapping[str, Any]) -> str:
    """Return *line* as Python if it is one of *verbs* and its arguments, else unchanged.

    Words are separated by spaces. A number and a unit make a quantity, ``3 mm`` or ``3mm``, and so do several,
    ``[1, 2] mm``; ``mono.energy`` means the parameter where *names* has such a device; ``--dry-run`` means
    ``dry_run=True``, and ``ring.current > 80 mA`` a condition; everything else is Python. After a number the name of a
    device is no unit: ``20 px`` are two arguments where *names* has a motor ``px``, and ``20px`` is one. Commas after
    words and comments are left out, and after ``;`` there may be another verb.
    """
    match = _LINE.fullmatch(line.strip())
    if match is None or match["verb"] not in verbs:
        return line
    rest = (match["rest"] or "").strip()
    if rest and _OPERATORS.match(rest) and not _OPTION.match(rest):
        return line
    first, *others = _split(rest, ";")
    translated = f"{match['verb']}({', '.join(_arguments(_words(first), names))})"
    return "; ".join([translated, *(translate_verb(other.strip(), verbs, names) for other in others)]).rstrip()


def translate_assignment(line: str, names: Mapping[str, Any]) -> str:
    """Return *line* as Python if it assigns a number and a unit to something of a device, else unchanged.

    ``stage.position = 3 mm`` becomes ``stage.position = q.Quantity(3, 'mm')``.
    """
    match = _ASSIGNMENT.fullmatch(line.strip())
    if match is None or not isinstance(names.get(match["name"]), Device):
        return line
    arguments = _arguments(_words(match["value"]), {})
    if len(arguments) != 1 or not arguments[0].startswith("q.Quantity("):
        return line
    return f"{match['target']} = {arguments[0]}"


def _words(text: str) -> list[str]:
    """Split *text* at spaces that are not inside brackets or quotes, and at the commas before them."""
    return [word for piece in _split(text, whitespace) if (word := piece.rstrip(","))]


def _split(text: str, separators: str) -> list[str]:
    """Split *text*, as far as it is no comment, at *separators* that are not inside brackets or quotes."""
    pieces, piece, closing = [], "", ""
    for character in text:
        if closing:
            if character == closing[-1]:
                closing = closing[:-1]
            elif closing[-1] not in "'\"" and character in "([{":
                closing += ")]}"["([{".index(character)]
        elif character == "#":
            break
        elif character in "'\"":
            closing = character
        elif character in "([{":
            closing = ")]}"["([{".index(character)]
        elif character in separators:
            pieces.append(piece)
            piece = ""
            continue
        piece += character
    return [*pieces, piece]


def _arguments(words: list[str], names: Mapping[str, Any]) -> list[str]:
    arguments: list[str] = []
    options: list[str] = []  # Python wants them last
    pending = list(words)
    while pending:
        word = pending.pop(0)
        number = _NUMBER.fullmatch(word)
        option = _OPTION.fullmatch(word)
        if number is not None and number["unit"] and _is_unit(number["unit"]):
            arguments.append(_quantity(number["number"], number["unit"]))
        elif _wants_unit(word, number) and pending and not _is_device(pending[0], names) and _is_unit(pending[0]):
            arguments.append(_quantity(word, pending.pop(0)))
        elif option is not None:
            options.append(f"{option['name'].replace('-', '_')}={option['value'] or 'True'}")
        else:
            arguments.append(_parameter(word, names))
    return _joined(_joined(arguments, COMPARISONS), COMBINATIONS) + options


def _joined(arguments: list[str], operators: Collection[str]) -> list[str]:
    """Return *arguments* with those that one of *operators* is between as one."""
    joined: list[str] = []
    for at, argument in enumerate(arguments):
        if joined and at + 1 < len(arguments) and argument in operators:
            joined.append(f"{joined.pop()} {argument}")
        elif joined and joined[-1].rpartition(" ")[2] in operators:
            joined.append(f"({joined.pop()} {argument})")
        else:
            joined.append(argument)
    return joined


def _wants_unit(word: str, number: re.Match[str] | None) -> bool:
    """Tell whether a word is a number without a unit, or a list of numbers."""
    return not number["unit"] if number is not None else _LIST.fullmatch(word) is not None


def _is_device(word: str, names: Mapping[str, Any]) -> bool:
    return isinstance(names.get(word), (Device, ParameterValue))


def _is_unit(word: str) -> bool:
    if not re.match(r"[^\W\d]|°|%", word):
        return False
    try:
        q.Unit(word)
    except Exception:  # whatever pint thinks of it, it is not a unit
        return False
    return True


def _quantity(number: str, unit: str) -> str:
    # Not number * unit, which a temperature in degC does not allow.
    return f"q.Quantity({number}, {unit!r})"


def _parameter(word: str, names: Mapping[str, Any]) -> str:
    name, dot, parameter = word.partition(".")
    device = names.get(name)
    if dot and isinstance(device, Device) and parameter in device:
        return f"{name}[{parameter!r}]"
    return word
