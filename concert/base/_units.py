"""Converting values to a declared unit, as fast as pint lets a value be checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pint

from concert.quantities import q

FACTORS = 64  # so many units are remembered for a parameter
NUMBERS = (int, float, np.number, np.ndarray)


class Converter:
    """Converts values to *unit*, a unit or a quantity such as ``q.mm``.

    Going through pint takes longer than most setters. Most values come in the declared unit, and the others in one
    that differs by a factor, which is remembered.
    """

    __slots__ = ("_alias", "_container", "_definitions", "_factors", "takes_numbers", "unit")

    def __init__(self, unit: Any) -> None:
        self.unit = getattr(unit, "units", unit)
        if not isinstance(self.unit, q.Unit):
            raise TypeError(f"expected a unit such as q.mm, not {unit!r}")
        self._container = self.unit._units
        self._alias = self._container  # another object for the same unit, which values came with lately
        # Numbers are taken where the unit is one: a bare 5 for an angle in degrees, or in percent, would be a mistake.
        self.takes_numbers = bool(self.unit.dimensionless) and q.Quantity(1, self.unit).m_as("dimensionless") == 1
        self._factors: dict[int, tuple[float, Any]] = {}
        self._definitions = q._memory  # the registry makes another one when definitions change

    @property
    def wanted(self) -> str:
        """The unit, as messages show it."""
        return f"{self.unit:~P}" or "numbers without a unit"

    @property
    def wanted_difference(self) -> str:
        """The unit of differences, as messages show it."""
        return f"{self._difference_unit:~P}" or "numbers without a unit"

    @property
    def _difference_unit(self) -> Any:
        # A difference of temperatures has a unit of its own, in which nothing is added to zero.
        return (q.Quantity(1, self.unit) - q.Quantity(0, self.unit)).units

    def convert(self, value: Any) -> Any:
        """Return the quantity *value* in the declared unit, or None if it is no quantity of this dimension."""
        try:
            container = value._units
            value._magnitude  # noqa: B018  # a unit, q.mm, has none
        except AttributeError:
            return self._from_number(value)
        if (container is self._container or container is self._alias) and value._REGISTRY is q:
            return value
        # Units are looked up by identity: comparing them would take longer than the multiplication.
        known = self._factors.get(id(container))
        if known is not None and value._REGISTRY is q and self._definitions is q._memory:
            converted = object.__new__(q.Quantity)
            try:
                converted._magnitude = value._magnitude * known[0]
            except TypeError:
                return None
            converted._units = self._container
            return converted
        return self._scaled(value, container)

    def difference(self, value: Any) -> Any:
        """Return *value*, a difference of two quantities, as a number of the declared unit, or None."""
        if not isinstance(value, pint.Quantity):
            return value if self.takes_numbers and _is_number(value) else None
        try:
            value = _of_our_registry(value)
            if not value._is_multiplicative:
                value = value - q.Quantity(0, value.units)
            return value.m_as(self._difference_unit)
        except (pint.PintError, TypeError):
            return None

    def _from_number(self, value: Any) -> Any:
        if self.takes_numbers and _is_number(value):
            return q.Quantity(value, "dimensionless").to(self.unit)
        return None

    def _scaled(self, value: Any, container: Any) -> Any:
        if not isinstance(value, pint.Quantity):
            return None
        foreign = value._REGISTRY is not q
        try:
            value = _of_our_registry(value)
            if value._units == self._container:
                self._alias = value._units
                return value
            converted = value.to(self.unit)
            if not foreign:
                self._remember(value, container)
        except (pint.PintError, TypeError):  # TypeError: what is in this unit is no number
            return None
        return converted

    def _remember(self, value: Any, container: Any) -> None:
        """Remember the factor between the units, if a factor is all that there is between them."""
        try:
            zero, one, two = (q.Quantity(number, value.units).to(self.unit).magnitude for number in (0.0, 1.0, 2.0))
        except ArithmeticError:  # in a context, for example from a frequency to a wavelength
            return
        if zero == 0 and two == 2 * one:
            if self._definitions is not q._memory or len(self._factors) >= FACTORS:
                self._factors, self._definitions = {}, q._memory
            self._factors[id(container)] = (one, container)  # which keeps the identity from being used again


def _of_our_registry(value: Any) -> Any:
    """Return the quantity in the same unit of the registry ``q``, or raise pint's error if it does not know it."""
    if value._REGISTRY is q:
        return value
    return q.Quantity(value.magnitude, f"{value.units:D}")


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, NUMBERS) and not isinstance(value, (bool, np.bool_)) and np.asarray(value).dtype.kind in "iuf"
    )
