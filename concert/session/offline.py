"""Devices that could not be made when their session was loaded: what stands in their place, and how it gives way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from concert.base import State
from concert.devices.base import Device

_OWN = ("name",)


class OfflineError(ConnectionError):
    """Raised by whatever is done with a device that is offline, the *device*, an :class:`Offline`."""

    def __init__(self, device: Offline) -> None:
        super().__init__(f"{device.name} is offline: {device._reason}; reconnect({device.name})")
        self.device = device


class Offline(Device):
    """A device that could not be made because of *error*. Whatever is asked of it raises :exc:`OfflineError`.

    *again* makes it, or raises; :meth:`_reconnect` returns what it made.
    """

    main_parameter = "main parameter"  # there is none of that name: whoever looks for it is told that it is offline
    state = State(help="offline")

    def __init__(self, name: str, error: Exception, again: Callable[[], Any]) -> None:
        super().__init__(name)
        self._reason = reason_of(error)
        self._again = again
        self._left_out: list[Any] = []  # statements of the session that wait for the device

    def _get_state(self) -> str:
        return "offline"

    def stop(self) -> NoReturn:
        """Raise :exc:`OfflineError`: nobody knows whether it moves."""
        raise OfflineError(self)

    def _reconnect(self) -> Any:
        """Make the device and return it; raise :exc:`OfflineError` with what is wrong with it now."""
        try:
            return self._again()
        except Exception as error:
            self._reason = reason_of(error)
            raise OfflineError(self) from error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise OfflineError(self)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in _OWN:
            raise OfflineError(self)
        super().__setattr__(name, value)

    def __getitem__(self, name: str) -> Any:
        if name != "state":
            raise OfflineError(self)
        return super().__getitem__(name)

    def __enter__(self) -> NoReturn:
        raise OfflineError(self)


def stand_in(kind: str, name: str, error: Exception, again: Callable[[], Any]) -> Offline:
    """Return an :class:`Offline` device for a device of the class called *kind*, which tables show."""
    return type(kind, (Offline,), {"__module__": Offline.__module__, "__doc__": Offline.__doc__})(name, error, again)


def reason_of(error: Exception) -> str:
    """Return in one line why a device is offline."""
    told = " ".join(str(error).split())
    if isinstance(error, OSError) and told:  # says itself what is wrong with the line
        return told
    return f"{type(error).__name__}: {told}" if told else type(error).__name__
