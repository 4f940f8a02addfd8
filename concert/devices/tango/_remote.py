"""Devices of a session that is served elsewhere, as if they were here."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from concert.async_ import async_
from concert.base._exclusive import exclusion_of
from concert.devices.base import STOPS, Device
from concert.devices.tango._feeds import Feeds
from concert.devices.tango._remote_exclusion import RemoteExclusion
from concert.devices.tango._remote_parameters import remote_parameter
from concert.networking._served import Served
from concert.networking.tango import get_tango_device
from concert.quantities import q

_FAMILY = re.compile(r"concert\.devices\.\w+\.base")


class RemoteDevice(Device):
    """A device that :func:`remote` has made; what it is called there is its :attr:`uri`."""

    def __init__(self, served: Served, name: str | None) -> None:
        self._served = served
        self._exclusion = RemoteExclusion(self, served)
        self._feeds = Feeds()
        super().__init__(name)

    @property
    def uri(self) -> str:
        """The full Tango name of the device that is served."""
        return self._served.proxy.uri

    def close(self) -> None:
        """Forget the connection and the events; the next access, or subscriber, makes a new one."""
        self._feeds.clear()
        self._served.proxy.close()

    def feed(self, value: Any) -> None:
        """Begin to tell the subscribers of *value*, one of the parameters, of the sets that the server tells."""
        if value.attribute is not None:
            subscribe = partial(self._served.proxy.subscribe, value.attribute, kind=value.kind)
            self._feeds.begin(value, subscribe, lambda fed: fed.hear())

    def starve(self, value: Any) -> None:
        """End what :meth:`feed` began."""
        self._feeds.end(value)

    def _operate(self, what: str, name: str, **more: Any) -> Any:
        exclusion = exclusion_of(self)
        assert isinstance(exclusion, RemoteExclusion)
        return self._served.operate(what, name, under=exclusion.hold_of(name), **more)


def remote(uri: str, peer: str | None = None, name: str | None = None, timeout: Any = 3 * q.s) -> Any:
    """Return a device like the one that ``concert serve`` offers as *uri*, ``tango://…/concert/<session>/<name>``.

    It has the same parameters, units, limits and state, and is of the same family: a motor is a motor. It has the
    methods that stop the device or are declared with ``@async_``, ``@check`` or ``@transition``; all return futures.

    What is done with it is done there: limits, locks and states are those of the session that serves it, and errors
    come as what they are there. Limits that are set here hold here, in addition. Ending something here (Ctrl-C,
    ``cancel``) ends it there, and ``with device:`` keeps everybody else away, wherever they are.

    *peer* is as for :func:`.get_tango_device`, and *name* what messages call the device here. *timeout* is the time
    that the server may take to answer, not that of a move. Raise :exc:`.TangoRequestError` if the device is none of
    Concert's, and whatever :func:`.get_tango_device` raises.
    """
    served = Served(get_tango_device(uri, peer, timeout))
    return _class_like(served.description)(served, name)


def _class_like(description: dict[str, Any]) -> type[RemoteDevice]:
    """Return a class with the described parameters and methods, of the described family if it is known here."""
    members: dict[str, Any] = {"__doc__": description["doc"], "main_parameter": description["main_parameter"]}
    for each in description["parameters"]:
        members[each["name"]] = remote_parameter(each, description["attributes"].get(each["name"]))
    for each in description["methods"]:
        members[each["name"]] = _method(each)
    return type(description["class"], (RemoteDevice, *_family(description["families"])), members)


def _family(families: list[list[str]]) -> tuple[type, ...]:
    for module, name in families:
        if not _FAMILY.fullmatch(module):
            continue
        try:
            family = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):  # of another version of Concert
            continue
        if isinstance(family, type) and issubclass(family, Device):
            return (family,)
    return ()


def _method(described: dict[str, Any]) -> Callable[..., Any]:
    name = described["name"]

    def method(device: RemoteDevice, *arguments: Any, **keywords: Any) -> Any:
        urgent = name in STOPS
        return device._operate("call", name, urgent=urgent, arguments=list(arguments), keywords=keywords)

    method.__name__ = method.__qualname__ = name
    method.__doc__ = described["doc"]
    method.__signature__ = _signature(described["parameters"])  # type: ignore[attr-defined]
    return async_(method)


def _signature(parameters: list[dict[str, Any]]) -> inspect.Signature:
    first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    others = [
        inspect.Parameter(
            each["name"], getattr(inspect.Parameter, each["kind"]), default=each.get("default", inspect.Parameter.empty)
        )
        for each in parameters
    ]
    return inspect.Signature([first, *others])
