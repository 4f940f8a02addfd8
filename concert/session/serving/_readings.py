"""Reading a device for Tango, which lets one request at a time into a device and keeps it in while it is read.

Attributes are read before Tango begins with a request, while others may come in: one that does not answer keeps nobody
out. The state has no such moment; a slow one is waited for a little, once, and the last one known is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any

from concert.async_ import Future, async_
from concert.devices.base import Device
from concert.session.serving._attributes import Conversion, tango_text

ANSWER_TIME = 2.5  # seconds that a device has to answer; Tango's clients wait for three
STATE_TIME = 0.2  # seconds for which others are kept out to wait for the state

STATE = "concert_state"  # the attribute with the state in Concert's word

Outcome = tuple[Any, BaseException | None]  # a value as Tango takes it, or what went wrong


class Readings:
    """Reads one *device*, whose attributes the *conversions* describe."""

    def __init__(self, device: Device, conversions: Iterable[Conversion]) -> None:
        self._device = device
        self._conversions = {each.name: each for each in conversions}
        self._state: Future | None = None  # being read
        self._known = ("", -ANSWER_TIME)  # the last state, and when it was

    def fetch(self, names: Iterable[str]) -> dict[str, Outcome]:
        """Read the attributes called *names*, all at the same time, and return what came of each."""
        deadline = monotonic() + ANSWER_TIME
        started = {name: self._begin(name) for name in names}
        return {name: self._outcome(name, future, deadline) for name, future in started.items()}

    def state(self) -> str:
        """Return the state in Concert's word, from a native thread; do not wait long."""
        reading = self._state
        if reading is None or reading.done():
            if reading is not None and reading.exception() is None:
                self._known = reading.result(), monotonic()
            reading = self._state = async_(state_of)(self._device)
        try:
            self._known = reading.result(STATE_TIME), monotonic()
        except TimeoutError:
            if reading.done() or monotonic() - self._known[1] > ANSWER_TIME:
                raise
        return self._known[0]

    def _begin(self, name: str) -> Future:
        if name == STATE:
            return async_(state_of)(self._device)
        return self._conversions[name].value.get()

    def _outcome(self, name: str, reading: Future, deadline: float) -> Outcome:
        try:
            value = answer_of(reading, self._what(name), deadline)
            return tango_text(value) if name == STATE else self._conversions[name].to_tango(value), None
        except Exception as error:  # which is told to who asked for this attribute; others get theirs
            return None, error

    def _what(self, name: str) -> str:
        return f"the state of {self._device.name}" if name == STATE else self._conversions[name].value.full_name


def state_of(device: Device) -> str:
    """Return the device's state in Concert's word; a device without one is on."""
    name = device._state_name
    if name is None:
        return "on"
    return answer_of(device[name].get(), f"the state of {device.name}", monotonic() + ANSWER_TIME)


def answer_of(reading: Future, what: str, deadline: float) -> Any:
    """Return what *reading* gives, or raise :exc:`TimeoutError` if that is nothing until *deadline*."""
    try:
        return reading.result(max(0.0, deadline - monotonic()))
    except TimeoutError:
        if reading.done():
            raise
        reading.cancel(block=False)
        raise TimeoutError(f"{what} did not answer within {ANSWER_TIME:g} s") from None
