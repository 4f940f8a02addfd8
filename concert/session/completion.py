"""Completing what is typed after a verb: devices, their parameters, and the units of what is to be set."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from concert.base import ParameterValue, QuantityValue
from concert.devices.base import Device

MOVING = ("mv", "mvr", "umv", "umvr", "tw")  # verbs that set what they are given
_TIMES = ("s", "ms", "us", "min", "h")

# What people write, of the thousands that pint knows.
_UNITS = (
    *("mm", "um", "nm", "m", "cm", "pm", "angstrom", "pixel"),
    *("deg", "mrad", "urad", "rad", "arcsec", *_TIMES),
    *("eV", "keV", "MeV", "J", "V", "mV", "uV", "kV", "A", "mA", "uA", "nA", "pA", "W", "mW", "kW"),
    *("Hz", "kHz", "MHz", "GHz", "K", "mK", "degC", "Pa", "hPa", "kPa", "MPa", "bar", "mbar"),
    *("T", "mT", "N", "kN", "kg", "g", "mg", "ohm", "kohm", "mm/s", "um/s", "m/s", "deg/s", "percent"),
)

_VERB_LINE = re.compile(r"\s*(?P<verb>[A-Za-z_]\w*)[ \t]+(?P<rest>[^()\[\]{}'\"=;]*)")
_ASSIGNMENT = re.compile(r"\s*(?P<target>[A-Za-z_]\w*\.[A-Za-z_]\w*)\s*=\s*(?P<rest>[-+]?[\d.][^()\[\]{}'\"=;]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class Completions(NamedTuple):
    """What the last *fragment* of a line may become."""

    fragment: str
    words: list[str]


def complete(line: str, verbs: Collection[str], names: Mapping[str, Any]) -> Completions | None:
    """Return what the end of *line* may become, if it is one of *verbs* with arguments, or sets something of a device.

    *names* are those of the session. None means that this is nothing special, but Python.
    """
    match = _VERB_LINE.fullmatch(line)
    if match is not None and match["verb"] in verbs and callable(names.get(match["verb"])):
        return _after_verb(match["verb"], match["rest"], names)
    match = _ASSIGNMENT.fullmatch(line)
    if match is not None:
        *before, fragment = re.split(r"\s+", match["rest"])
        return _units(before, fragment, _unit_of([match["target"]], names))
    return None


def _after_verb(verb: str, rest: str, names: Mapping[str, Any]) -> Completions | None:
    *before, fragment = re.split(r"\s+", rest)
    unit = _unit_of(before, names)
    times = () if verb in MOVING else _TIMES
    completions = _units(before, fragment, unit, times)
    if completions is not None:
        return completions
    device, dot, beginning = fragment.rpartition(".")
    if dot:
        of: Any = names.get(device)
        if not isinstance(of, Device):
            return None
        wanted = (each.name for each in of if (each.writable if verb in MOVING else each.readable))
        return Completions(fragment, [f"{device}.{each}" for each in wanted if each.startswith(beginning)])
    devices = [name for name, each in names.items() if isinstance(each, Device) and not name.startswith("_")]
    return Completions(fragment, sorted(name for name in devices if name.startswith(fragment)))


def _units(before: list[str], fragment: str, unit: Any, more: Iterable[str] = ()) -> Completions | None:
    """Return the units that may follow a number, if there is one: before the fragment, or in it, as in ``3m``."""
    number = _NUMBER.match(fragment)
    if number is not None and number.end() < len(fragment):
        beginning = fragment[number.end() :]
    elif before and _NUMBER.fullmatch(before[-1]):
        beginning = fragment
    else:
        return Completions(fragment, []) if number is not None else None
    words = dict.fromkeys([*_compatible(unit), *more])
    prefix = fragment[: len(fragment) - len(beginning)]
    return Completions(fragment, [prefix + each for each in words if each.startswith(beginning)])


def _compatible(unit: Any) -> list[str]:
    """Return units of the same dimension, the parameter's own one first."""
    if unit is None:
        return []
    own = f"{unit:~C}"
    return list(dict.fromkeys([*([own] if own else []), *(each for each in _UNITS if unit.is_compatible_with(each))]))


def _unit_of(words: list[str], names: Mapping[str, Any]) -> Any:
    """Return the unit of the last of *words* that is a device or a parameter."""
    for word in reversed(words):
        name, _, parameter = word.partition(".")
        device = names.get(name)
        if isinstance(device, Device):
            value = _parameter(device, parameter or device.main_parameter)
            return value.unit if isinstance(value, QuantityValue) else None
    return None


def _parameter(device: Device, name: str | None) -> ParameterValue | None:
    return device[name] if name is not None and name in device else None


def matcher(verbs: Callable[[], Collection[str]], names: Callable[[], Mapping[str, Any]]) -> Any:
    """Return a matcher for IPython's completer, which offers nothing else where this has something to say."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier="concert")
    def match(context: Any) -> Any:
        found = complete(context.text_until_cursor, verbs(), names())
        if found is None:
            return {"completions": []}
        completions = [SimpleCompletion(text=word, type="device") for word in found.words]
        return {"completions": completions, "matched_fragment": found.fragment, "suppress": True, "ordered": True}

    return match
