"""Tango events of a served device.

A completed set sends a change event and an archive event; a device that moves is followed by change events.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from tango import AttrDataFormat

from concert.async_ import Future, async_, dispatcher, threaded
from concert.base import ParameterValue, QuantityValue, StateValue
from concert.base._quantity import LIMITS
from concert.session.serving._attributes import Conversion, tango_text
from concert.session.serving._device import ServedDevice
from concert.session.serving._readings import ANSWER_TIME, STATE, answer_of, state_of
from concert.session.serving._states import dev_state

LOG = logging.getLogger("concert.serving")

FOLLOW = 0.2  # seconds between two events of a device that is moving


class Events:
    """Sends the events of one Tango device, from native threads: Tango's sending may block."""

    def __init__(self, tango_device: ServedDevice) -> None:
        self._tango_device = tango_device
        self._device = tango_device.served
        self._conversions = {each.value.name: each for each in tango_device.conversions}
        self._following = self._wanted = self._ended = False
        self._last: dict[str, Any] = {}
        self._turn = threading.RLock()  # so that what was read first is sent first

    def begin(self) -> None:
        """Send the values of now, and those of every completed set from now on."""
        for value in self._device:
            if isinstance(value, StateValue):
                value.subscribe(self._send_state)
            elif value.name in self._conversions and value.readable:
                value.subscribe(self._send_set)
            if isinstance(value, QuantityValue) and value.writable:
                dispatcher.subscribe(value, LIMITS, self._configure)
        self.follow()

    def end(self) -> None:
        """Begin nothing any more: Tango, once it has ended, must not be asked to send."""
        self._ended = True
        for value in self._device:
            value.unsubscribe(self._send_state)
            value.unsubscribe(self._send_set)
            dispatcher.unsubscribe(value, LIMITS, self._configure)

    def wait_until_quiet(self, limit: float) -> None:
        """Wait, at most *limit* seconds, until nothing is being sent, after :meth:`end`."""
        if self._turn.acquire(timeout=limit):
            self._turn.release()

    def follow(self) -> None:
        """Send the state, and where the device is, again and again until nothing is under way."""
        self._wanted = True
        if not self._following:
            self._following = True
            async_(self._follow)().detach()

    def _follow(self) -> None:
        try:
            while not self._ended:
                self._wanted = False
                moving = self._tango_device.desk.busy or bool(self._device.being_set())
                self._send_changes()
                if not moving and not self._wanted:  # nothing has begun meanwhile
                    return
                time.sleep(FOLLOW)
        finally:
            self._following = False

    def _send_changes(self) -> None:
        try:
            with self._turn:
                self._send_state()
                main = self._device.main_parameter
                if main in self._conversions and self._device[main].readable:
                    self._send(self._device[main], only_changes=True)
        except Exception as error:  # a device that does not answer; who reads it is told
            LOG.info("no events of %s: %s", self._device.name, error)

    def _send_set(self, value: ParameterValue) -> None:
        with self._turn:
            name = self._conversions[value.name].name
            self._send(value)
            self._tell(_push_archive, name, self._last[name])
            self._send_state()  # what has ended a set has often changed it

    def _configure(self, value: ParameterValue) -> None:
        with self._turn:
            self._tell(_set_limits, self._conversions[value.name])

    def _send(self, value: ParameterValue, only_changes: bool = False) -> None:
        conversion = self._conversions[value.name]
        content = conversion.to_tango(answer_of(value.get(), value.full_name, time.monotonic() + ANSWER_TIME))
        if only_changes and conversion.format == AttrDataFormat.SCALAR and self._last.get(conversion.name) == content:
            return
        self._last[conversion.name] = content
        self._tell(_push, conversion.name, content)

    def _send_state(self, _value: Any = None) -> None:
        with self._turn:
            state = state_of(self._device)
            status = self._tango_device.status_for(state)
            if self._last.get("State") != state:
                self._last["State"] = state
                self._tell(_push, STATE, tango_text(state))
                self._tell(_push_state, dev_state(state))
            if self._last.get("Status") != status:
                self._last["Status"] = status
                self._tell(_push_status, status)

    def _tell(self, send: Callable[..., Future], *what: Any) -> None:
        """Let Tango *send* something, in this object's turn."""
        if not self._ended:
            send(self._tango_device, *what).result()


@threaded
def _push(tango_device: ServedDevice, name: str, content: Any) -> None:
    tango_device.push_change_event(name, content)


@threaded
def _push_archive(tango_device: ServedDevice, name: str, content: Any) -> None:
    tango_device.push_archive_event(name, content)


@threaded
def _set_limits(tango_device: ServedDevice, conversion: Conversion) -> None:
    own = tango_device.get_device_attr().get_attr_by_name(conversion.name)
    properties = own.get_properties()
    properties.min_value = properties.max_value = "Not specified"
    for name, limit in conversion.limits().items():
        setattr(properties, name, limit)
    own.set_properties(properties)


@threaded
def _push_state(tango_device: ServedDevice, state: Any) -> None:
    tango_device.set_state(state)
    tango_device.push_change_event("State")


@threaded
def _push_status(tango_device: ServedDevice, status: str) -> None:
    tango_device.set_status(status)
    tango_device.push_change_event("Status")
