"""Values of parameters that Tango's change events feed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from concert.async_ import dispatcher
from concert.base import ParameterValue, QuantityValue, SelectionValue, StateValue
from concert.base._parameter import SET
from concert.devices.motors.base import PositionValue


class Fed(ParameterValue):
    """A parameter whose subscribers hear of every change that the server tells, whoever has made it.

    They hear of the sets made here as well, of some twice, and of what may have changed while no events came. Where the
    server does not send events they hear of the sets made here alone, and the log says so.
    """

    __slots__ = ()
    _device: Any

    def subscribe(self, handler: Callable[[ParameterValue], Any]) -> None:
        """Call *handler* with this object after every change, through the dispatcher."""
        self._device.feed(self)
        super().subscribe(handler)

    def unsubscribe(self, handler: Callable[[ParameterValue], Any]) -> None:
        """Do not call *handler* any more."""
        super().unsubscribe(handler)
        if not dispatcher.has_subscribers(self, SET):
            self._device.starve(self)


class TangoParameterValue(Fed):
    """A parameter of a Tango device."""

    __slots__ = ()

    def _converted(self, value: Any) -> Any:
        self._parameter.kind.check(self.full_name, value, value)  # type: ignore[attr-defined]
        return value


class TangoQuantityValue(Fed, QuantityValue):
    """A quantity of a Tango device."""

    __slots__ = ()

    @property
    def unit_text(self) -> str:
        """The unit as the server spells it."""
        return self._parameter.kind.unit_text  # type: ignore[attr-defined]

    def _converted(self, value: Any) -> Any:
        converted = super()._converted(value)
        self._parameter.kind.check(self.full_name, converted.magnitude, value)  # type: ignore[attr-defined]
        return converted


class TangoSelectionValue(Fed, SelectionValue):
    """A selection of a Tango device."""

    __slots__ = ()


class TangoStateValue(Fed, StateValue):
    """The state of a Tango device."""

    __slots__ = ()


class TangoPositionValue(Fed, PositionValue):
    """The position of a motor that is a Tango device."""

    __slots__ = ()
