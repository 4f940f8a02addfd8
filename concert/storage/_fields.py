"""How the values of one column are kept: what the first point fixes, and what later ones are converted to."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from concert.base._units import Converter
from concert.quantities import q, shown
from concert.storage._values import known_unit, unit_text

BITS = 63  # of an integer without its sign


class TooNarrow(Exception):
    """Raised for a value that a field cannot hold, but a wider one could: the *field*."""

    def __init__(self, field: Field) -> None:
        self.field = field


class Field:
    """A column's values as a row has them: *dtype* and *shape* of plain values, and their *unit*, None without one.

    A text has the dtype ``str``. A unit that is not defined in this process is kept as text: then values are restored
    as plain numbers, and none is taken.
    """

    def __init__(self, name: str, dtype: str, shape: tuple[int, ...] = (), unit: str | None = None) -> None:
        self.name = name
        self.dtype = dtype
        self.shape = shape
        self.unit = unit
        known = None if unit is None else known_unit(unit)
        self._converter = None if known is None else Converter(known)
        #: Returns a value as the row takes it; raises :exc:`ValueError` if it cannot be held, or :exc:`TooNarrow`.
        self.plain: Callable[[Any], Any] = self._choose()

    @property
    def is_text(self) -> bool:
        """Whether the values are texts, which have no fixed size."""
        return self.dtype == "str"

    @property
    def units(self) -> Any:
        """The unit as pint has it, or None without one, or without one that is known."""
        return None if self._converter is None else self._converter.unit

    @property
    def numpy_type(self) -> np.dtype:
        """The type of one value in an array of rows."""
        return np.dtype((self.dtype, self.shape))

    @property
    def code(self) -> str:
        """What :mod:`struct` calls the type."""
        return f"{self.numpy_type.itemsize}s" if self.shape else {"<f8": "d", "<i8": "q", "|b1": "?"}[self.dtype]

    def restore(self, plain: Any) -> Any:
        """Return the value that *plain* was made of: a quantity in the column's unit, or a plain one."""
        return plain if self.units is None else q.Quantity(plain, self.units)

    def describe(self) -> dict[str, Any]:
        """Return the field as JSON takes it: what the constructor takes."""
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape), "unit": self.unit}

    def _choose(self) -> Callable[[Any], Any]:
        if self.unit is not None and self.units is None:
            return self._unknown
        if self.is_text:
            return self._text
        if self.shape:
            return self._array
        return {"<f8": self._number, "<i8": self._integer, "|b1": self._truth}[self.dtype]

    def _unknown(self, value: Any) -> Any:
        raise ValueError(
            f"column {self.name!r} takes a quantity in {self.unit} since its first point, which is not defined here, "
            f"not {shown(value)}; define that unit with q.define"
        )

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._refusal(value, "a text")
        return str(value)

    def _truth(self, value: Any) -> bool:
        value = _scalar(value)
        if not isinstance(value, bool):
            raise TooNarrow(field_for(self.name, self._number_or_refusal(value)))
        return value

    def _integer(self, value: Any) -> int:
        number = self._number_or_refusal(value)
        if isinstance(number, float):
            if not number.is_integer():
                raise TooNarrow(Field(self.name, "<f8"))
            number = int(number)
        if number.bit_length() > BITS:
            raise TooNarrow(Field(self.name, "<f8"))
        return number

    def _number(self, value: Any) -> float:
        if self._converter is not None:
            value = self._converted(value)
        return value if type(value) is float else float(self._number_or_refusal(value))

    def _number_or_refusal(self, value: Any) -> Any:
        value = _scalar(value)
        if not isinstance(value, (int, float)):
            raise self._refusal(value, "a number")
        return value

    def _array(self, value: Any) -> bytes:
        array = np.asarray(value if self._converter is None else self._converted(value))
        if array.shape != self.shape or array.dtype.kind not in "biufc":
            raise self._refusal(value, f"an array of numbers of shape {self.shape}")
        if not np.can_cast(array.dtype, self.dtype, "safe"):
            wide = np.result_type(array.dtype, self.dtype).newbyteorder("<").str
            raise TooNarrow(Field(self.name, wide, self.shape, self.unit))
        return array.astype(self.dtype, copy=False).tobytes()

    def _converted(self, value: Any) -> Any:
        assert self._converter is not None
        converted = self._converter.convert(value)
        if converted is None:
            raise self._refusal(value, f"a quantity in {self._converter.wanted}, or in a unit like it,")
        return converted._magnitude

    def _refusal(self, value: Any, wanted: str) -> ValueError:
        came = f"an array of shape {np.shape(value)}" if np.ndim(value) else shown(value)
        return ValueError(f"column {self.name!r} takes {wanted} since its first point, not {came}")


def field_for(name: str, value: Any) -> Field:
    """Return the field that fits the first *value* of the column *name*; raise :exc:`TypeError` if there is none."""
    plain, unit = value, None
    if isinstance(value, q.Quantity):
        plain, unit = value.magnitude, unit_text(value.units)
    plain = _scalar(plain)
    if isinstance(plain, str) and unit is None:
        return Field(name, "str")
    if isinstance(plain, bool) and unit is None:
        return Field(name, "|b1")
    if isinstance(plain, int) and unit is None and plain.bit_length() <= BITS:
        return Field(name, "<i8")
    if isinstance(plain, (int, float)):
        return Field(name, "<f8", (), unit)
    array = np.asarray(plain) if isinstance(plain, (np.ndarray, list, tuple, complex)) else None
    if array is None or array.dtype.kind not in "biufc" or not array.size or not array.ndim:
        raise TypeError(
            f"column {name!r} cannot hold {shown(value)}; it takes numbers, quantities, texts, and arrays of numbers"
        )
    dtype = array.dtype if unit is None or array.dtype.kind in "fc" else np.dtype(float)
    return Field(name, dtype.newbyteorder("<").str, array.shape, unit)


def _scalar(value: Any) -> Any:
    """Return what NumPy wraps as one value as Python has it."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim):
        return value.item()
    return value


def struct_for(fields: list[Field]) -> struct.Struct:
    """Return what packs the plain values of *fields* that have a fixed size, without gaps."""
    return struct.Struct("<" + "".join(field.code for field in fields if not field.is_text))
