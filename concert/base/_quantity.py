"""Quantities: parameters with a unit, soft limits and a tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from concert.async_ import dispatcher
from concert.base._errors import HardLimitError, LockError, SoftLimitError, ToleranceError, UnitError
from concert.base._parameter import PERMANENTLY, SLEEP_TIME, Parameter, ParameterValue
from concert.base._units import Converter
from concert.quantities import shown

INFINITY = math.inf

LIMITS = "limits"  # the message that a QuantityValue sends when its limits have changed


class QuantityValue(ParameterValue):
    """One quantity of one device; its limits and its tolerance are the device's own."""

    __slots__ = ("_bounds", "_converter", "_high", "_limits", "_limits_lock", "_low", "_tolerance")

    def __init__(self, instance: Any, quantity: Quantity) -> None:
        super().__init__(instance, quantity)
        self._converter: Converter = quantity.converter
        self._limits: list[Any] = [None, None]
        self._bounds: tuple[Any, Any] = (-INFINITY, INFINITY)  # the limits as numbers, or arrays, of the declared unit
        self._low: Any = -INFINITY  # the same, if they are two numbers, else nothing lies between them
        self._high: Any = INFINITY
        self._limits_lock = ""
        self._tolerance: Any = None
        self._set_limits(quantity.lower, quantity.upper)
        self.tolerance = quantity.tolerance

    @property
    def unit(self) -> Any:
        """The declared unit, in which setters receive values and getters give them to the user."""
        return self._converter.unit

    @property
    def takes_numbers(self) -> bool:
        """Whether it takes numbers without a unit, which it does if its unit is 1."""
        return self._converter.takes_numbers

    # -- limits -------------------------------------------------------------------------------------------------

    @property
    def lower(self) -> Any:
        """The lower soft limit, a quantity in any compatible unit; None for no limit."""
        return self._limits[0]

    @lower.setter
    def lower(self, limit: Any) -> None:
        self._change_limits(limit, self._limits[1])

    @property
    def upper(self) -> Any:
        """The upper soft limit, a quantity in any compatible unit; None for no limit."""
        return self._limits[1]

    @upper.setter
    def upper(self, limit: Any) -> None:
        self._change_limits(self._limits[0], limit)

    def lock_limits(self, permanent: bool = False) -> None:
        """Lock the limits; if *permanent*, they cannot be unlocked any more."""
        if permanent or not self._limits_lock:
            self._limits_lock = PERMANENTLY if permanent else "locked"

    def unlock_limits(self) -> None:
        """Unlock the limits; raise :exc:`.LockError` if they were locked permanently."""
        if self._limits_lock == PERMANENTLY:
            raise LockError(f"the limits of {self.full_name} are permanently locked")
        self._limits_lock = ""

    @property
    def limits_locked(self) -> bool:
        """Whether the limits are locked."""
        return bool(self._limits_lock)

    def _change_limits(self, lower: Any, upper: Any) -> None:
        if self._limits_lock:
            raise LockError(f"the limits of {self.full_name} are {self._limits_lock}")
        self._set_limits(lower, upper)
        dispatcher.send(self, LIMITS)

    def _set_limits(self, lower: Any, upper: Any) -> None:
        low = -INFINITY if lower is None else self._converted_limit(lower)
        high = INFINITY if upper is None else self._converted_limit(upper)
        if not _all_less(low, high):
            raise ValueError(
                f"the lower limit {shown(lower)} of {self.full_name} is not below its upper limit {shown(upper)}"
            )
        self._limits = [lower, upper]
        self._bounds = (low, high)
        plain = np.ndim(low) == np.ndim(high) == 0
        self._low, self._high = (low, high) if plain else (math.nan, math.nan)

    def _converted_limit(self, limit: Any) -> Any:
        number = self._magnitude(limit, "limits")
        if not _is_real(number) or np.any(np.isnan(number)):
            raise ValueError(f"{shown(limit)} cannot be a limit of {self.full_name}")
        return number

    def _magnitude(self, value: Any, what: str) -> Any:
        converted = self._converter.convert(value)
        if converted is None:
            raise UnitError(f"{what} of {self.full_name} must be in {self._converter.wanted}, not {shown(value)}")
        return converted._magnitude

    # -- tolerance ----------------------------------------------------------------------------------------------

    @property
    def tolerance(self) -> Any:
        """How far from the wanted value a set may end; None if that is not looked at.

        With a tolerance the value is read back after each set, which fails if it is farther away.
        """
        return self._tolerance

    @tolerance.setter
    def tolerance(self, tolerance: Any) -> None:
        if tolerance is not None and not np.all(np.greater_equal(self._as_difference(tolerance), 0)):
            raise ValueError(f"the tolerance of {self.full_name} cannot be {shown(tolerance)}")
        self._tolerance = tolerance

    def _as_difference(self, value: Any) -> float:
        """Return a difference of two values as a number of the declared unit (for temperatures: without the offset)."""
        difference = self._converter.difference(value)
        if difference is None:
            raise UnitError(
                f"differences of {self.full_name} must be in {self._converter.wanted_difference}, not {shown(value)}"
            )
        return difference

    # -- reading and writing ------------------------------------------------------------------------------------

    def _converted(self, value: Any) -> Any:
        converted = self._converter.convert(value)
        if converted is None:
            raise UnitError(f"{self.full_name} must be given in {self._converter.wanted}, not {shown(value)}")
        number = converted._magnitude
        kind = type(number)
        plain = (kind is float or kind is int) and not self._parameter.shape  # type: ignore[attr-defined]
        if plain and self._low <= number <= self._high:
            return converted
        self._check_number(value, number)
        return converted

    def _check_number(self, value: Any, number: Any) -> None:
        """Raise if *number*, which may be an array, has the wrong shape or is outside the limits anywhere."""
        if not _is_real(number):
            raise ValueError(f"{self.full_name} must be given in real numbers, not {shown(value)}")
        shape = self._parameter.shape  # type: ignore[attr-defined]
        if shape is not None and np.shape(number) != shape:
            wanted = f"an array of shape {shape}" if shape else "a single value"
            raise ValueError(f"{self.full_name} must be {wanted}, not {shown(value)}")
        low, high = self._bounds
        try:
            inside = np.less_equal(low, number) & np.less_equal(number, high)
        except ValueError:
            limits = f"its limits {self.shown_limits()}"
            raise ValueError(f"{self.full_name} must have the shape of {limits}, not {shown(value)}") from None
        if np.any(np.isnan(number)):
            limits = self.shown_limits()
            raise SoftLimitError(f"{self.full_name} cannot be {shown(value)}; its soft limits are {limits}")
        if not np.all(inside):
            raise SoftLimitError(f"{self.full_name} {shown(value)} is outside its soft limits {self.shown_limits()}")

    def sides(self, values: Any) -> Any:
        """Return where *values* are, an array quantity whose first axis counts them: an array of one number for each.

        0 stands for a value that is taken, -1 for one below the lower limit, 1 for one above the upper limit, and 2 for
        one that is not a number. Raise as a set would what is wrong with the unit or the shape of all of them.
        """
        if len(values):
            try:
                self._converted(values[0])
            except SoftLimitError:
                pass
        number = self._magnitude(values, "values")
        axes = tuple(range(1, np.ndim(number)))
        low, high = self._bounds
        sides = np.zeros(len(number), np.int8)
        for side, there in ((1, number > high), (-1, number < low), (2, np.isnan(number))):
            sides[there.any(axis=axes) if axes else there] = side
        return sides

    def shown_limits(self) -> str:
        """Return the soft limits as text, ``[0 mm, none]`` for example."""
        low = shown(self.lower) if self.lower is not None else "none"
        high = shown(self.upper) if self.upper is not None else "none"
        return f"[{low}, {high}]"

    def _received(self, value: Any) -> Any:
        converted = self._converter.convert(value)
        if converted is None:
            raise UnitError(
                f"the driver of {self.full_name} answered {shown(value)} instead of {self._converter.wanted}"
            )
        return converted

    @property
    def verified(self) -> bool:
        """Whether a set reads back where the device is: with a tolerance, where it can be read."""
        return self._tolerance is not None and self._getter is not None

    def _compared(self, value: Any) -> Any:
        number = self._magnitude(super()._compared(value), "conditions")
        if not _is_real(number) or np.any(np.isnan(number)):
            raise ValueError(f"{self.full_name} cannot be compared with {shown(value)}")
        return number

    def _comparable(self, reading: Any) -> Any:
        return reading._magnitude

    def _verify(self, value: Any) -> None:
        if self._tolerance is None or self._getter is None:
            return
        actual = self._read()
        if not np.all(np.abs(actual._magnitude - value._magnitude) <= self._as_difference(self._tolerance)):
            self._raise_not_arrived(value, actual)

    def _raise_not_arrived(self, value: Any, actual: Any) -> None:
        state = self._device._state_for_messages()
        message = f"{self.full_name} is {shown(actual)} and not within {shown(self._tolerance)} of {shown(value)}"
        if state == "hard-limit":
            raise HardLimitError(state, f"{message}: it ran into a limit switch")
        raise ToleranceError(state, message)

    def wait(  # type: ignore[override]  # documented so: eps comes before what all parameters have
        self, value: Any, eps: Any = None, sleep_time: Any = SLEEP_TIME, timeout: Any = None
    ) -> None:
        """Wait until the parameter is *value*, give or take *eps*, looking every *sleep_time*.

        *value* and *eps* have the parameter's unit, *sleep_time* and *timeout* are times. Without *eps* the values must
        be equal. Raise :exc:`.WaitError`, with the last value, if *timeout* passes first.
        """
        wanted = self._magnitude(value, "values")
        allowed = 0 if eps is None else self._as_difference(eps)
        target = f"be {shown(value)}" if eps is None else f"be within {shown(eps)} of {shown(value)}"

        def arrived(actual: Any) -> bool:
            return bool(np.all(np.abs(actual._magnitude - wanted) <= allowed))

        self._wait_until(arrived, target, sleep_time, timeout)


class Quantity(Parameter):
    """A :class:`Parameter` associated with a *unit*.

    *unit* is a unit or a quantity, ``q.mm`` for example. *lower* and *upper* are soft limits, between which, themselves
    included, values may lie; they are the defaults of every device's own. *tolerance* is how far from the wanted value
    a set may end: with one, the value is read back. *shape* is the shape of arrays, () for a single number; by default
    both are taken. The rest is as for :class:`Parameter`.

    A setter always receives the declared unit, a getter may answer in any compatible one.
    """

    value_class = QuantityValue

    def __init__(
        self,
        unit: Any,
        fget: Callable[..., Any] | None = None,
        fset: Callable[..., Any] | None = None,
        lower: Any = None,
        upper: Any = None,
        data: Any = None,
        check: Any = None,
        help: str | None = None,
        tolerance: Any = None,
        shape: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(fget, fset, data, check, help)
        self.converter = Converter(unit)
        self.lower = lower
        self.upper = upper
        self.tolerance = tolerance
        self.shape = shape

    @property
    def unit(self) -> Any:
        """The declared unit."""
        return self.converter.unit


def _is_real(number: Any) -> bool:
    return np.asarray(number).dtype.kind in "iuf"


def _all_less(low: Any, high: Any) -> bool:
    try:
        return bool(np.all(np.less(low, high)))
    except ValueError:  # arrays of different shapes
        return False


def quantity(unit: Any, help: str | None = None) -> Callable[[Callable[[Any], Any]], Quantity]:
    """Make a method of a device a read-only quantity.

    >>> from concert.base import Parameterizable
    >>> from concert.quantities import q
    >>> class Ring(Parameterizable):
    ...     @quantity(q.mA)
    ...     def current(self):
    ...         "Current of the stored beam."
    ...         return 0.125 * q.A
    >>> print(Ring().current)
    125.0 milliampere
    """

    def declare(getter: Callable[[Any], Any]) -> Quantity:
        return Quantity(unit, fget=getter, help=help or getter.__doc__)

    return declare
