"""The Tango device of a Concert device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from tango import AutoTangoAllowThreads, DevState, DispLevel, Except
from tango.server import Device as TangoDevice
from tango.server import attribute, command

from concert.async_ import Future, async_
from concert.async_._native import thread_ident
from concert.base import refusing
from concert.devices.base import STOPS, Device
from concert.networking._wire import PREFIX, dumps, loads, packed_error
from concert.session.serving._attributes import Conversion, tango_text
from concert.session.serving._description import begin, describe, limits, methods
from concert.session.serving._desk import LEASE, Desk
from concert.session.serving._methods import method_command
from concert.session.serving._readings import ANSWER_TIME, STATE, Outcome, Readings
from concert.session.serving._states import dev_state

ACCEPT_TIME = 0.3  # seconds that a plain client waits to be refused; what takes longer goes on, and the State tells


class ServedDevice(TangoDevice):
    """A Tango device for the Concert device :attr:`served`; each has a class of its own.

    Tango lets one request at a time into a device. While a request waits for the Concert device, others are let in, so
    that a stop comes through whatever else hangs.
    """

    served: ClassVar[Device]
    desk: ClassVar[Desk]
    conversions: ClassVar[list[Conversion]]
    last_failure = ""  # of what a plain client has started and did not wait for

    def init_device(self) -> None:
        """Make the device ready; called by Tango."""
        super().init_device()
        self.readings = Readings(self.served, self.conversions)
        self._fetched: dict[int, dict[str, Outcome]] = {}  # by Tango's thread, which does one request at a time
        for name in ("State", "Status", STATE, *(each.name for each in self.conversions)):
            self.set_change_event(name, True, False)
            self.set_archive_event(name, True, False)

    def outside(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run *function* as a future, let others into the device meanwhile, and return its result.

        What it raises becomes Tango's error, with the sentence as description and the class in the reason. Not to be
        used by what reads attributes: Tango would mix up the values of requests that overlap, or wait for ever.
        """
        with AutoTangoAllowThreads(self):
            future = async_(function)(*arguments)
            error = future.exception()
        if error is not None:
            self._throw(error)
        return future.result()

    def read_attr_hardware(self, indices: Any) -> None:
        """Read what a request asks for; called by Tango at its beginning."""
        known = self.get_device_attr()
        names = [known.get_attr_by_ind(index).get_name() for index in indices]
        self._fetched[thread_ident()] = self.outside(self.readings.fetch, names)

    def fetched(self, name: str) -> Any:
        """Return what was read of the attribute for this request, or raise what went wrong."""
        value, error = self._fetched[thread_ident()].pop(name)
        if error is not None:
            self._throw(error)
        return value

    def _throw(self, error: BaseException) -> NoReturn:
        packed = packed_error(error)
        state = f" [{packed['state']}]" if packed["state"] else ""
        text = "\n".join([packed["message"], *packed["notes"]])
        # As it is it would be sent as UTF-8, and Tango's clients read Latin-1.
        Except.throw_exception(PREFIX + packed["kind"], tango_text(text).encode("latin-1"), f"{self.get_name()}{state}")
        raise AssertionError("Tango has raised")

    def dev_state(self) -> DevState:
        """Return the state, as Tango knows it."""
        return dev_state(self._state())

    def dev_status(self) -> str:
        """Return the state in Concert's word, who holds the device, and what went wrong last."""
        return self.status_for(self._state())

    def _state(self) -> str:
        try:
            return self.readings.state()
        except Exception as error:
            self._throw(error)

    def status_for(self, state: str) -> str:
        """Return the Status for the *state*."""
        holder = self.desk.holder()
        told = [f"{self.served.name} is {state}"]
        if holder:
            told.append(f"held by {holder}")
        return tango_text("\n".join([*told, self.last_failure] if self.last_failure else told))

    def settle(self, start: Callable[[], Future], stops: bool = False) -> None:
        """Start what a plain client wants, wait a moment for its end, and raise how it has failed by then.

        Before that wait a moment for the end of a move: the State tells that the device stands a little earlier. What
        *stops* the device does not wait, and is waited for.
        """
        time = ANSWER_TIME if stops else ACCEPT_TIME

        def begin() -> None:
            if not stops:
                self.desk.wait_until_still(ACCEPT_TIME)
            with refusing():
                future = start()
            self.desk.adopt(future)
            try:
                future.result(time)
                self.last_failure = ""
            except TimeoutError:
                if future.done():
                    raise
                future.add_done_callback(self._note_failure)

        self.outside(begin)

    def _note_failure(self, future: Future) -> None:
        error = future.exception()
        self.last_failure = "" if error is None else f"{type(error).__name__}: {error}"

    # -- for devices that remote() makes ------------------------------------------------------------------------

    @attribute(dtype=str, doc="The state in Concert's word", display_level=DispLevel.EXPERT)
    def concert_state(self) -> str:
        """Return the state in Concert's word."""
        return self.fetched(STATE)

    @command(dtype_out=str, display_level=DispLevel.EXPERT)
    def ConcertDescribe(self) -> str:
        """Return what a device elsewhere has to know to be like this one."""
        attributes = {each.value.name: each.name for each in self.conversions}
        return self.outside(lambda: dumps({**describe(self.served), "attributes": attributes, "lease": LEASE}))

    @command(dtype_out=str, display_level=DispLevel.EXPERT)
    def ConcertLimits(self) -> str:
        """Return the soft limits of now."""
        return self.outside(lambda: dumps(limits(self.served)))

    @command(dtype_in=str, dtype_out=str, display_level=DispLevel.EXPERT)
    def ConcertStart(self, request: str) -> str:
        """Begin an operation; return what became of it, if it ends soon."""
        return self._answer(self.desk.start, request)

    @command(dtype_in=str, dtype_out=str, display_level=DispLevel.EXPERT)
    def ConcertOutcome(self, request: str) -> str:
        """Return what became of an operation, if it ends soon."""
        return self._answer(self.desk.outcome, request)

    @command(dtype_in=str, dtype_out=str, display_level=DispLevel.EXPERT)
    def ConcertEnd(self, request: str) -> str:
        """Cancel an operation or release a hold."""
        return self._answer(self.desk.end, request)

    @command(dtype_in=str, dtype_out=str, display_level=DispLevel.EXPERT)
    def ConcertSign(self, request: str) -> str:
        """Take a client's sign of life; return which of its operations are under way."""
        return self._answer(self.desk.sign, request)

    def _answer(self, function: Callable[[dict[str, Any]], Any], request: str) -> str:
        return self.outside(lambda: dumps(function(loads(request))))


def read(tango_device: ServedDevice, conversion: Conversion) -> Any:
    """Read an attribute."""
    return tango_device.fetched(conversion.name)


def write(tango_device: ServedDevice, conversion: Conversion, number: Any) -> None:
    """Write an attribute: begin to, and wait a moment for a refusal."""
    tango_device.settle(lambda: conversion.value.set(conversion.from_tango(number)))


def call(tango_device: ServedDevice, name: str, arguments: list[Any]) -> None:
    """Call a method: begin to, and wait a moment for a refusal; for a stop, until the device has stopped."""
    tango_device.settle(lambda: begin(tango_device.served, name, *arguments), stops=name in STOPS)


def served_class(device: Device, desk: Desk, conversions: list[Conversion]) -> type[ServedDevice]:
    """Return the Tango class of *device*, named after its class and itself."""
    # Parameters must not hide what Tango devices have, whatever they are called; only Tango sees these names.
    members: dict[str, Any] = {f"attribute_{each.name}": each.declaration(read, write) for each in conversions}
    for name in methods(device):
        command_name = f"{name}_" if hasattr(ServedDevice, name) else name
        members[command_name] = method_command(name, command_name, getattr(device, name), call)
    members |= {"served": device, "desk": desk, "conversions": conversions, "__doc__": type(device).__doc__}
    return type(f"{type(device).__name__}_{device.name}", (ServedDevice,), members)
