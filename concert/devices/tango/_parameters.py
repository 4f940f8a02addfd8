"""Parameters for the attributes of a Tango device."""

from __future__ import annotations

from typing import Any, ClassVar

from concert.base import Parameter, ParameterValue, Quantity, Selection, State
from concert.devices.motors.base import Position
from concert.devices.tango._kinds import Kind
from concert.devices.tango._values import (
    TangoParameterValue,
    TangoPositionValue,
    TangoQuantityValue,
    TangoSelectionValue,
    TangoStateValue,
)


class TangoParameter(Parameter):
    """An attribute that is text, an array of something, or otherwise unusual."""

    value_class: ClassVar[type[ParameterValue]] = TangoParameterValue

    def __init__(self, kind: Kind) -> None:
        super().__init__(*_accessors(kind), help=kind.help)
        self.kind = kind


class TangoQuantity(Quantity):
    """An attribute that is a number, or an array of numbers."""

    value_class = TangoQuantityValue

    def __init__(self, kind: Kind) -> None:
        shape = None if kind.rank else ()
        super().__init__(kind.unit, *_accessors(kind), kind.lower, kind.upper, help=kind.help, shape=shape)
        self.kind = kind


class TangoSelection(Selection):
    """An attribute that is an enumeration, or yes or no."""

    value_class = TangoSelectionValue

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind.labels or (False, True), *_accessors(kind), help=kind.help)


class TangoState(State):
    """The state, as the server tells it."""

    value_class = TangoStateValue


class TangoPosition(Position):
    """The position of a motor."""

    value_class = TangoPositionValue


def parameter_of(kind: Kind) -> Parameter:
    """Return the parameter for an attribute of this *kind*."""
    if kind.dtype is not None:
        return TangoQuantity(kind)
    if not kind.rank and (kind.labels or kind.data_type == "DevBoolean"):
        return TangoSelection(kind)
    return TangoParameter(kind)


def _accessors(kind: Kind) -> tuple[Any, Any]:
    def get(device: Any) -> Any:
        return kind.from_wire(device.read_attribute(kind.attribute))

    def set(device: Any, value: Any) -> None:
        device.write_attribute(kind.attribute, kind.to_wire(getattr(value, "magnitude", value)))

    return get if kind.readable else None, set if kind.writable else None
