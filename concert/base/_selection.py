"""Selections: parameters that take one of several values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from concert.base._parameter import Parameter, ParameterValue
from concert.quantities import shown


class SelectionValue(ParameterValue):
    """One selection of one device."""

    __slots__ = ()

    @property
    def values(self) -> tuple[Any, ...]:
        """What can be selected."""
        return self._parameter.values  # type: ignore[attr-defined]

    def _converted(self, value: Any) -> Any:
        for choice in self.values:
            if _same(choice, value):
                return choice
        choices = ", ".join(shown(choice) for choice in self.values)
        raise ValueError(f"{self.full_name} must be one of {choices}, not {shown(value)}")

    def _compared(self, value: Any) -> Any:
        return self._converted(super()._compared(value))


def _same(choice: Any, value: Any) -> bool:
    # 1 is no switch and True no number; NumPy's numbers and strings, from a scan for example, are as good as Python's.
    if isinstance(choice, bool) is not isinstance(value, (bool, np.bool_)):
        return False
    try:
        return bool(choice == value)
    except (TypeError, ValueError):  # an array, for example
        return False


class Selection(Parameter):
    """A :class:`Parameter` that takes one of *values*; the rest is as there."""

    value_class = SelectionValue

    def __init__(
        self,
        values: Iterable[Any],
        fget: Callable[..., Any] | None = None,
        fset: Callable[..., Any] | None = None,
        data: Any = None,
        check: Any = None,
        help: str | None = None,
    ) -> None:
        super().__init__(fget, fset, data, check, help)
        self.values = tuple(values)
        if not self.values:
            raise ValueError("a selection needs something to select from")
