"""The values that one parameter takes in a scan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pint

from concert.quantities import q, shown

BLOCK = 4096  # so many values at a time become Python numbers


class Values(Sequence[Any]):
    """A sequence of values, numbers of one unit as an array where they are that.

    A million quantities would take half a minute and a gigabyte; an array and its unit take neither.
    """

    def __init__(self, values: Iterable[Any]) -> None:
        self.numbers: Any = None  # an array whose first axis counts the values, None for other values
        self.unit: Any = None
        self._items: list[Any] = []
        if isinstance(values, np.ndarray) and values.ndim == 1:
            values = values.tolist()  # Python's numbers, which messages show as they are typed
        quantity = values if isinstance(values, q.Quantity) else _as_one(items := list(values))
        if quantity is not None and np.ndim(quantity.magnitude):
            # A copy: who has given an array may go on calculating with it.
            self.numbers, self.unit = np.array(quantity.magnitude), quantity.units
            self._make = _maker(self.unit)
        else:
            self._items = [quantity] if quantity is not None else items

    @property
    def quantity(self) -> Any:
        """All of them as one array quantity, or None if they are not numbers of one unit."""
        return None if self.numbers is None else q.Quantity(self.numbers, self.unit)

    def __len__(self) -> int:
        return len(self._items) if self.numbers is None else len(self.numbers)

    def __getitem__(self, index: Any) -> Any:
        if self.numbers is None:
            return self._items[index]
        if isinstance(index, slice):
            return q.Quantity(self.numbers[index], self.unit)
        return self._make(_plain(self.numbers[index]))

    def __iter__(self) -> Iterator[Any]:
        if self.numbers is None:
            yield from self._items
            return
        for begin in range(0, len(self.numbers), BLOCK):
            block = self.numbers[begin : begin + BLOCK]
            for number in block.tolist() if block.ndim == 1 else block:
                yield self._make(number)

    def extremes(self) -> Iterable[Any]:
        """Return values that a range accepts only if it accepts all of them."""
        if self.numbers is None or self.numbers.ndim != 1 or not len(self.numbers):
            return self
        if np.isnan(self.numbers).any():
            return self
        return [self[int(self.numbers.argmin())], self[int(self.numbers.argmax())]]

    def shifted(self, here: Any) -> Any:
        """Return *here* plus each of them, as an array quantity."""
        if self.numbers is None:
            raise ValueError(f"expected differences from {shown(here)} as quantities, not {shown(self._items)}")
        return here + self.quantity


def _as_one(items: list[Any]) -> Any:
    """Return quantities as one array quantity in the unit of the first, or None if they are something else."""
    if not items or not all(isinstance(item, pint.Quantity) for item in items):
        return None
    unit = items[0].units
    try:
        return q.Quantity(np.asarray([item.m_as(unit) for item in items]), unit)
    except (pint.PintError, ValueError):  # of different dimensions or shapes: what takes them will say what is wrong
        return None


def _plain(number: Any) -> Any:
    return number.item() if np.ndim(number) == 0 else number


def _maker(unit: Any) -> Callable[[Any], Any]:
    """Return the function that makes a quantity of a number."""
    try:
        unit * 2.0  # pint does not look at the unit when it multiplies by 1
    except pint.PintError:  # a temperature in degC, for example
        return lambda number: q.Quantity(number, unit)
    return lambda number: unit * number
