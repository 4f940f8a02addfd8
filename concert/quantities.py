"""Units: ``q``, the one registry of them, and times as bare seconds for what cannot take a quantity.

Values of different registries do not mix, so everything in the process takes its units from here::

    from concert.quantities import q

    motor.position = 1.5 * q.mm
"""

import math
import numbers
from typing import Any

import numpy as np
import pint

FEW = 10  # values that are shown one by one


class Unit(pint.UnitRegistry.Unit):
    """A unit, such as ``q.mm``, that multiplies numbers directly once pint has shown how it does that."""

    _used = False
    # The registry's memory at the time when this unit was found to scale; with any other it has to be found anew.
    _scales_since: dict[str, Any] | None = None

    def __mul__(self, other: Any) -> Any:
        # Exact types: pint refuses bool, and NumPy's numbers and arrays have rules of their own.
        if type(other) is not float and type(other) is not int:
            return super().__mul__(other)
        registry: Any = self._REGISTRY
        memory = registry._memory
        if self._scales_since is not memory:
            product = super().__mul__(other)
            # Most units serve once, as in 3 * (q.mm / q.s), which is not worth a probe.
            if self._used and self._scales():
                self._scales_since = memory
            self._used = True
            return product
        # All that Quantity.__new__ would do with a number and a unit. The class is the registry's, so that a copied
        # registry makes its own quantities.
        quantity = object.__new__(registry.Quantity)
        quantity._magnitude = other
        quantity._units = self._units
        return quantity

    __rmul__ = __mul__

    def _scales(self) -> bool:
        """Return whether a number times this unit is just that number with this unit.

        It is not for ``20 * q.degC`` and ``3 * q.dBm``, which pint refuses, nor where a setting of the registry reduces
        units or makes arrays. The probe is 2 because pint does not look at the unit when it multiplies by 1.
        """
        try:
            product = super().__mul__(2)
        except pint.PintError:
            return False
        return type(product.magnitude) is int and product.units == self


class UnitRegistry(pint.UnitRegistry):
    """A pint registry that remembers its units as attributes, for ``q.mm`` in a loop.

    It behaves as pint's own, only faster: pint parses the name each time. What it remembers is dropped by whatever can
    change the outcome: a definition, a setting, a context. (Not by ``q.preprocessors.append``: assign a new list.)
    """

    Unit = Unit

    # The units asked for so far, by name. A new dictionary replaces it when they are dropped.
    _memory: dict[str, Any]

    def __getattr__(self, item: str) -> Any:
        unit = super().__getattr__(item)
        # ``name in q`` comes here with any name, and a unit must not hide a method or a setting.
        if not hasattr(type(self), item) and item not in vars(self):
            self._memory[item] = vars(self)[item] = unit
        return unit

    def __setattr__(self, name: str, value: Any) -> None:
        # Settings are attributes, and entering and leaving a context assigns some.
        super().__setattr__(name, value)
        self._forget()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        # A unit belongs to one registry: the copy has to make its own.
        self._forget()
        return super().__deepcopy__(memo)

    def define(self, definition: Any) -> None:
        super().define(definition)
        self._forget()

    def load_definitions(self, file: Any, is_resource: bool = False) -> Any:
        loaded = super().load_definitions(file, is_resource)
        self._forget()
        return loaded

    def _forget(self) -> None:
        own = vars(self)
        for name, unit in list(own.get("_memory", {}).items()):
            # Not what a user has assigned since, as in ``q.step = 5 * q.um``.
            if own.get(name) is unit:
                del own[name]
        own["_memory"] = {}


q = UnitRegistry()
# Pickled quantities come back as values of the application's registry.
pint.set_application_registry(q)


def seconds(time: Any) -> float:
    """Return *time*, a quantity of time or a number of seconds, as a float in seconds.

    Infinity is a time. Raise :exc:`TypeError` for what is not one number, and :exc:`ValueError` for a quantity of
    something else, a negative time or NaN.
    """
    number = time
    if isinstance(time, pint.Quantity):
        if not time.check("[time]"):
            raise ValueError(_refusal(time))
        number = time.m_as(q.s)
    # NumPy's scalars and arrays without dimension hold one Python number.
    if getattr(number, "ndim", None) == 0:
        number = number.item()
    if isinstance(number, bool) or not isinstance(number, numbers.Real):
        raise TypeError(_refusal(time))
    if math.isnan(number) or number < 0:
        raise ValueError(_refusal(time, "a time of 0 s or more"))
    return float(number)


def shown(value: Any) -> str:
    """Return *value* as messages show it: quantities rounded and with short units, everything else as in code.

    Of many values, an image for example, it is said how many they are, and their mean.
    """
    many = shape_and_mean(getattr(value, "magnitude", value))
    if many is not None:
        unit = f" {value.units:~P}".rstrip() if isinstance(value, pint.Quantity) else ""
        return f"{many[0]} values, mean {many[1]}{unit}"
    if isinstance(value, pint.Quantity):
        return f"{value:.7g~P}" if isinstance(value.magnitude, float) else f"{value:~P}"
    return repr(value)


def shape_and_mean(value: Any) -> tuple[str, str] | None:
    """Return as texts how many numbers *value* is an array of, ``48×64``, and their mean; None for a few of them."""
    if not isinstance(value, np.ndarray) or value.size <= FEW or value.dtype.kind not in "biuf":
        return None
    return "×".join(map(str, value.shape)), f"{value.mean():.4g}"


def _refusal(came: Any, expected: str = "a time such as 2 * q.s or a number of seconds") -> str:
    return f"expected {expected}, not {shown(came)}"
