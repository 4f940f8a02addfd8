"""The device: parameters, and exclusive access to them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar, Self

from concert.base import Parameterizable
from concert.base._exclusive import exclusion_of, passing
from concert.base._state import inside
from concert.devices._html import html_of

STOPS = ("stop", "abort")  # methods that pass all locks, and whose call makes sets in progress fail


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

    def __init__(self, name: str | None = None) -> None:
        super().__init__()
        if name is not None:
            self.name = name

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, function in list(vars(cls).items()):
            if name in STOPS:
                setattr(cls, name, inside(function, _noting_stop))
            elif not name.startswith("_") and _acts(function):
                setattr(cls, name, inside(function, _sharing))

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


def _acts(function: Any) -> bool:
    """Tell whether a method does something to the device, as far as its decorators tell."""
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
