"""The device: parameters, and exclusive access to them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar, Self
from weakref import WeakValueDictionary

from concert.async_._native import members
from concert.base import Parameterizable
from concert.base._exclusive import exclusion_of, passing
from concert.base._state import inside
from concert.devices._html import html_of

STOPS = ("stop", "abort")  # methods that pass all locks, and whose call makes sets in progress fail

_made: WeakValueDictionary[int, Device] = WeakValueDictionary()  # by id, as drivers may say what equals what


class Device(Parameterizable):
    """A Device provides locked access to a real-world device.

    *name* is what messages call it. Without one, a session gives the device the name of its variable.

    ::

        with device:
            # device is locked: only this block, and what it starts, may write to it and call its methods
            device.parameter = 1 * q.m

        # device is unlocked again

    Others wait meanwhile. Reading is free, and ``stop`` and ``abort`` always pass.
    """

    main_parameter: ClassVar[str | None] = None  # what the device stands for in scans and tables
    detects: ClassVar[bool] = False  # whether its main parameter is something to be read in scans

    _borrowed: ClassVar[tuple[str, ...]] = ()  # methods of bases that are no devices, wrapped here

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls, *args, **kwargs)
        _made[id(self)] = self
        return self

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        if name is not None:
            self.name = name

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, function in list(vars(cls).items()):
            if name in STOPS:
                setattr(cls, name, inside(function, _noting_stop))
            elif not name.startswith("_") and acts(function):
                setattr(cls, name, inside(function, _sharing))
        stops = {name: stop for name in STOPS if (stop := _stop_of_other_base(cls, name)) is not None}
        for name, stop in stops.items():
            setattr(cls, name, inside(stop, _noting_stop))
        cls._borrowed = tuple(stops)

    def __enter__(self) -> Self:
        exclusion_of(self).acquire(None)
        return self

    def __exit__(self, *_exception: Any) -> None:
        exclusion_of(self).release(None)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>" if self._name else f"<{type(self).__name__}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: every parameter, with what the device answers now."""
        return html_of(self, type(self).__name__)


def every_device_made() -> list[Device]:
    """Return every device that there is in this process, wherever it is kept."""
    return [device for key in members(_made) if (device := _made.get(key)) is not None]


def _stop_of_other_base(cls: type[Device], name: str) -> Any:
    """Return the method that *cls* inherits from a class that is no device, if that is the one it would use."""
    for base in cls.__mro__:
        if name in vars(base) and name not in vars(base).get("_borrowed", ()):
            function = vars(base)[name]
            return None if issubclass(base, Device) or not callable(function) else function
    return None


def acts(function: Any) -> bool:
    """Tell whether a method does something to the device, as far as its decorators tell: async_, check, transition."""
    marked = not isinstance(function, staticmethod | classmethod)
    return marked and any(hasattr(function, mark) for mark in ("asynchronous", "state_check", "state_transition"))


def _sharing(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(device: Device, *args: Any, **kwargs: Any) -> Any:
        with exclusion_of(device).method():
            return function(device, *args, **kwargs)

    return call


def _noting_stop(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(device: Device, *args: Any, **kwargs: Any) -> Any:
        exclusion_of(device).note_stop()
        return passing(function, device, *args, **kwargs)

    return call
