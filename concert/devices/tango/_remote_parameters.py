"""Parameters of a device that is served elsewhere: checked here as far as possible, read and written there."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from concert.async_ import Event, Future, dispatcher
from concert.async_._runtimes import context_for_events, start
from concert.base import (
    Parameter,
    Quantity,
    QuantityValue,
    Selection,
    SelectionValue,
    State,
    StateValue,
)
from concert.base._parameter import SET
from concert.devices.tango._values import Fed
from concert.quantities import q

EVENT_TIME = 2.0  # seconds after a set within which its event should come


class _Remote(Fed):
    """What the values of remote parameters have in common.

    Their subscribers hear of every set that has completed, wherever it was made, by an event; of those made here also
    while no events come.
    """

    kind = "archive"  # of the events that a completed set sends, wherever it was made
    _device: Any

    def __init__(self, instance: Any, parameter: Any) -> None:
        super().__init__(instance, parameter)
        self._cancel = None  # what is cancelled here is cancelled there as a whole
        self.attribute: str | None = parameter.attribute
        self._heard = Event()  # since the last set made here began

    def hear(self) -> None:
        """Tell those who subscribed of an event."""
        self._heard.set()
        super()._tell()

    def _write_exclusively(self, value: Any, future: Future) -> None:
        self._heard.clear()
        super()._write_exclusively(value, future)

    def _tell(self) -> None:
        if not dispatcher.has_subscribers(self, SET):
            return
        if self.name in self._device._feeds:
            context_for_events().run(start, self._tell_unless_heard, (), {}).detach()
        else:
            super()._tell()

    def _tell_unless_heard(self) -> None:
        if not self._heard.wait(EVENT_TIME):
            super()._tell()

    def _verify(self, value: Any) -> None:
        """Nothing: it was verified there."""


class _RemoteSelectionValue(_Remote, SelectionValue):
    pass


class _RemoteStateValue(_Remote, StateValue):
    kind = "change"


class _RemoteQuantityValue(_Remote, QuantityValue):
    """A quantity there, whose limits hold, and those set here in addition."""

    def __init__(self, instance: Any, parameter: Any) -> None:
        self._own: list[Any] = [None, None]
        super().__init__(instance, parameter)

    @property
    def lower(self) -> Any:
        """The lower soft limit: the narrower of that there and that set here."""
        self._follow_limits()
        return self._limits[0]

    @lower.setter
    def lower(self, limit: Any) -> None:
        self._change_limits(limit, self._own[1])

    @property
    def upper(self) -> Any:
        """The upper soft limit: the narrower of that there and that set here."""
        self._follow_limits()
        return self._limits[1]

    @upper.setter
    def upper(self, limit: Any) -> None:
        self._change_limits(self._own[0], limit)

    def _set_limits(self, lower: Any, upper: Any) -> None:
        super()._set_limits(lower, upper)  # which raises what is wrong with them
        before, self._own = self._own, [lower, upper]
        try:
            self._follow_limits(strict=True)
        except BaseException:
            self._own = before
            raise

    def shown_limits(self) -> str:
        """Return the soft limits as text, and whether they leave nothing that could be set."""
        limits = super().shown_limits()
        low, high = self._bounds
        return limits if np.all(low <= high) else f"{limits}: those there and those set here do not overlap"

    def _follow_limits(self, strict: bool = False) -> None:
        """Take over the limits there, where they can be had; otherwise a set fails for a better reason.

        They may have changed, so that together with those set here they leave nothing; if *strict*, refuse that.
        """
        with contextlib.suppress(ConnectionError, TimeoutError):
            theirs = self._device._served.limits()[self.name]
            lower = _narrower(np.maximum, self._own[0], theirs[0])
            upper = _narrower(np.minimum, self._own[1], theirs[1])
            try:
                super()._set_limits(lower, upper)
            except ValueError:
                if strict:
                    raise
                self._limits = [lower, upper]
                self._bounds = (self._converted_limit(lower), self._converted_limit(upper))
                self._low = self._high = math.nan  # which nothing is between

    def _converted(self, value: Any) -> Any:
        self._follow_limits()
        return super()._converted(value)


def _narrower(choose: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return q.Quantity(choose(one.magnitude, other.m_as(one.units)), one.units)


class _RemoteParameter(Parameter):
    value_class = _Remote
    attribute: str | None = None


class _RemoteQuantity(Quantity):
    value_class: ClassVar[type[Any]] = _RemoteQuantityValue
    attribute: str | None = None


class _RemoteSelection(Selection):
    value_class = _RemoteSelectionValue
    attribute: str | None = None


class _RemoteState(State):
    value_class: ClassVar[type[Any]] = _RemoteStateValue
    attribute: str | None = None


def remote_parameter(described: dict[str, Any], attribute: str | None) -> Parameter:
    """Return the parameter that is *described*; *attribute* is its Tango attribute, if it has one."""
    name, kind = described["name"], described["kind"]
    common: dict[str, Any] = {"help": described["help"]}
    if described["readable"]:
        common["fget"] = lambda device: device._operate("get", name)
    if described["writable"]:
        common["fset"] = lambda device, value: device._operate("set", name, value=value)
    made: Any
    if kind == "quantity":
        unit = q.Unit(described["unit"])
        if described["readable"] and attribute is not None:
            common["fget"] = lambda device: q.Quantity(device._served.read(attribute), unit)
        # Limits are asked for there.
        made = _RemoteQuantity(unit, tolerance=described["tolerance"], shape=described["shape"], **common)
    elif kind == "selection":
        made = _RemoteSelection(described["values"], **common)
    elif kind == "state":
        attribute = "concert_state"
        made = _RemoteState(fget=lambda device: device._served.read(attribute), help=described["help"])
    else:
        made = _RemoteParameter(**common)
    made.attribute = attribute
    return made
