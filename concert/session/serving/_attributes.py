"""Parameters as Tango attributes: their type, unit, limits and choices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tango import AttrDataFormat, AttrWriteType, CmdArgType
from tango.server import attribute

from concert.base import ParameterValue, QuantityValue, SelectionValue
from concert.quantities import q, shown

LONGEST = 2**16  # values along one dimension of an array whose size nobody has told

# Units in Tango are ASCII: what pint writes otherwise, as Tango's users write it.
_ASCII = {"µ": "u", "Å": "angstrom", "Ω": "ohm", "Δ°C": "delta_degC", "°C": "degC", "°": "deg", "Δ": "delta_"}

# Texts are Latin-1, in which these are missing.
_LATIN = {"Ω": "ohm", "Δ": "delta_", "→": "->", "−": "-", "–": "-", "…": "...", "≤": "<=", "≥": ">="}
_TAKEN = ("state", "status")  # attributes of every Tango device


class Conversion:
    """How one parameter looks as an attribute called *name*: its Tango type, and its values there and here.

    *example* is a value of the parameter, or None where there is none: many parameters say only by it what they are.
    """

    def __init__(self, value: ParameterValue, example: Any) -> None:
        self.value = value
        self.name = attribute_name(value.name)
        self.format = AttrDataFormat.SCALAR
        self.size: tuple[int, ...] = ()
        self.to_tango: Callable[[Any], Any] = _text
        self.from_tango: Callable[[Any], Any] = str
        if isinstance(value, QuantityValue):
            self._be_quantity(value, example)
        elif isinstance(value, SelectionValue):
            self._be_choice(value)
        else:
            self._be_what_it_is(example)

    def _be_quantity(self, value: QuantityValue, example: Any) -> None:
        unit = value.unit
        self.type = CmdArgType.DevDouble
        self.to_tango = lambda quantity: quantity.m_as(unit)
        self.from_tango = lambda number: q.Quantity(number, unit)
        shape = value._parameter.shape  # type: ignore[attr-defined]
        if shape is None:
            shape = np.shape(getattr(example, "magnitude", 0.0))
            self.size = (LONGEST,) * len(shape)
        else:
            self.size = shape
        self._be_array(len(shape))
        kind = np.asarray(getattr(example, "magnitude", 0.0)).dtype
        if shape and kind in _NUMBERS:  # frames, for example, stay as small as they are
            self.type = _NUMBERS[kind]

    def _be_array(self, dimensions: int) -> None:
        if dimensions > 2:
            raise TypeError(f"{self.value.full_name} has {dimensions} dimensions, and Tango's attributes at most two")
        self.format = (AttrDataFormat.SCALAR, AttrDataFormat.SPECTRUM, AttrDataFormat.IMAGE)[dimensions]

    def _be_choice(self, value: SelectionValue) -> None:
        choices = value.values
        self.type = CmdArgType.DevEnum
        self.labels = [_text(choice if isinstance(choice, str) else shown(choice)) for choice in choices]
        self.to_tango = lambda choice: choices.index(choice)
        self.from_tango = lambda index: choices[int(index)]

    def _be_what_it_is(self, example: Any) -> None:
        plain = example.item() if isinstance(example, np.generic) else example
        self.type = _PLAIN.get(type(plain), CmdArgType.DevString)
        if type(plain) in (bool, int, float):
            self.to_tango = self.from_tango = type(plain)
        elif isinstance(plain, np.ndarray) and plain.dtype in _NUMBERS:
            self.type, self.size = _NUMBERS[plain.dtype], (LONGEST,) * plain.ndim
            self._be_array(plain.ndim)
            self.to_tango = self.from_tango = np.asarray

    def limits(self) -> dict[str, str]:
        """Return the soft limits as the attribute's properties, if they are numbers."""
        if not isinstance(self.value, QuantityValue):
            return {}
        low, high = self.value._bounds
        known = {"min_value": low, "max_value": high}
        return {key: repr(float(each)) for key, each in known.items() if np.ndim(each) == 0 and np.isfinite(each)}

    def declaration(self, read: Callable[..., Any], write: Callable[..., Any]) -> attribute:
        """Return the attribute, which calls *read* and *write* with the Tango device and this object."""
        value = self.value
        options: dict[str, Any] = {
            "label": value.name,
            "doc": tango_text(value.help or value.full_name),
            **self.limits(),
        }
        if isinstance(value, QuantityValue):
            options |= {"unit": tango_unit(value.unit), "format": "%.7g"}
        if isinstance(value, SelectionValue):
            options["enum_labels"] = self.labels
        dimensions = ("max_dim_x", "max_dim_y")[: len(self.size)]
        options |= dict(zip(dimensions, reversed(self.size), strict=True))
        if value.readable:
            options["fget"] = _method(read, self)
        if value.writable:
            options["fset"] = _method(write, self)
            if not value.readable:
                options["access"] = AttrWriteType.WRITE
        return attribute(name=self.name, dtype=self.type, dformat=self.format, **options)


def attribute_name(parameter: str) -> str:
    """Return what the parameter is called as an attribute: Tango does not tell capitals from small letters."""
    return f"{parameter}_" if parameter.lower() in _TAKEN else parameter


def tango_unit(unit: Any) -> str:
    """Return the unit as Tango's users write it."""
    text = f"{unit:~C}"
    for theirs, ours in _ASCII.items():
        text = text.replace(theirs, ours)
    return text.encode("ascii", "replace").decode()


def tango_text(text: str) -> str:
    """Return the text with what Tango cannot write replaced."""
    for theirs, ours in _LATIN.items():
        text = text.replace(theirs, ours)
    return text.encode("latin-1", "replace").decode("latin-1")


def _text(value: Any) -> str:
    return tango_text(str(value))


def _method(function: Callable[..., Any], conversion: Conversion) -> Callable[..., Any]:
    # Tango looks at the arguments of accessors, so they are what it expects.
    if function.__name__ == "write":

        def accessor(device: Any, number: Any) -> Any:
            return function(device, conversion, number)
    else:

        def accessor(device: Any) -> Any:  # type: ignore[misc]
            return function(device, conversion)

    return accessor


_PLAIN = {
    bool: CmdArgType.DevBoolean,
    int: CmdArgType.DevLong64,
    float: CmdArgType.DevDouble,
    str: CmdArgType.DevString,
}
_NUMBERS = {
    np.dtype("uint8"): CmdArgType.DevUChar,
    np.dtype("int16"): CmdArgType.DevShort,
    np.dtype("uint16"): CmdArgType.DevUShort,
    np.dtype("int32"): CmdArgType.DevLong,
    np.dtype("uint32"): CmdArgType.DevULong,
    np.dtype("int64"): CmdArgType.DevLong64,
    np.dtype("uint64"): CmdArgType.DevULong64,
    np.dtype("float32"): CmdArgType.DevFloat,
    np.dtype("float64"): CmdArgType.DevDouble,
}
