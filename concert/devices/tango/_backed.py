"""Devices that are Tango devices elsewhere: what all of them have in common."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from concert.async_ import dispatcher
from concert.base import LimitError, ParameterValue, StateError
from concert.base._exclusive import passes
from concert.base._parameter import SET
from concert.devices.base import Device
from concert.devices.tango._feeds import Feeds
from concert.devices.tango._parameters import TangoState
from concert.networking.tango import (
    NoEventsError,
    TangoDeviceError,
    TangoProxy,
    TangoRequestError,
)
from concert.quantities import q

LOG = logging.getLogger("concert.devices.tango")


class TangoBacked(Device):
    """A device whose parameters and methods are a Tango device's.

    *uri* and *peer* are as for :func:`.get_tango_device`, *timeout* is the time that each question may take. Nothing is
    asked before the first access. :attr:`tango` is the :class:`.TangoProxy`, for what has no parameter. Without a
    *name*, or a variable of a session, messages call it by its Tango name.

    A driver on top of it uses :meth:`read_attribute`, :meth:`write_attribute` and :meth:`run_command` in its accessors,
    and notes in ``_attributes`` which attribute feeds the subscribers of which parameter, ``{"position": "Position"}``.
    """

    state = TangoState(help="State, as the Tango device tells it, in small letters")

    def __init__(self, uri: str, peer: str | None = None, name: str | None = None, timeout: Any = 3 * q.s) -> None:
        self.tango = TangoProxy(uri, peer, timeout)
        self.tango.set_source("DEV")  # a set is verified by what is, not by what was when the server last looked
        self._attributes = {"state": "State"}
        self._feeds = Feeds()
        super().__init__(name)

    @property
    def name(self) -> str:
        """What messages call the device: the name given, else its name in Tango."""
        return self._name or self.tango.device_name

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    def close(self) -> None:
        """End the subscriptions and forget the connections; the next access makes new ones."""
        self._feeds.clear()
        self.tango.close()

    # -- for drivers --------------------------------------------------------------------------------------------

    def read_attribute(self, attribute: str) -> Any:
        """Return the value of a Tango attribute; raise :exc:`.StateError` if the device says that it is not valid."""
        reading = self._translating(self.tango.read_attribute, attribute)
        if reading.quality == type(reading.quality).ATTR_INVALID:
            raise StateError(self._state_for_messages(), f"{self.name} has no valid value of {attribute} now")
        return reading.value

    def write_attribute(self, attribute: str, value: Any) -> None:
        """Write *value* to a Tango attribute; raise :exc:`.LimitError` if the server finds it outside its limits."""
        self._translating(self.tango.write_attribute, attribute, value)

    def run_command(self, command: str, *arguments: Any, timeout: Any = None) -> Any:
        """Run a Tango command and return what it returns. One that is part of a stop waits for nobody."""
        return self._translating(self.tango.command_inout, command, *arguments, timeout=timeout, urgent=passes())

    def _translating(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return call(*args, **kwargs)
        except TangoDeviceError as error:
            raise StateError(self._state_for_messages(), str(error)) from error
        except TangoRequestError as error:
            if error.reason == "API_WAttrOutsideLimit":
                raise LimitError(str(error)) from error
            raise

    def _get_state(self) -> str:
        return str(self.tango.call("state", doing="reading its state")).lower()

    # -- subscribers --------------------------------------------------------------------------------------------

    def feed(self, value: ParameterValue) -> None:
        """Begin to tell the subscribers of *value*, one of the parameters, of what the server's events say."""
        attribute = self._attributes.get(value.name)
        if attribute is None:
            return
        try:
            self._feeds.begin(value, partial(self.tango.subscribe, attribute), lambda fed: dispatcher.send(fed, SET))
        except NoEventsError:
            LOG.warning("%s sends no events: only sets made here are told", value.full_name)
            self._attributes.pop(value.name, None)

    def starve(self, value: ParameterValue) -> None:
        """End what :meth:`feed` began."""
        self._feeds.end(value)
