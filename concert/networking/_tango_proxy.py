"""The proxy of a Tango device, as ``DeviceProxy`` but never stalling the hub."""

from __future__ import annotations

import functools
from collections.abc import Callable
from math import ceil
from typing import Any

from concert.async_._pool import pool
from concert.async_._runtimes import start_beside
from concert.networking._tango_errors import (
    Call,
    TangoConnectionError,
    TangoError,
    TangoRequestError,
    TangoTimeoutError,
    error_of,
)
from concert.networking._tango_events import KINDS, TangoEvent, TangoSubscription
from concert.networking._tango_line import Method, TangoLine
from concert.networking._tango_members import Member, members_of
from concert.networking._tango_names import parse
from concert.networking._timeouts import checked_timeout
from concert.quantities import q

GLANCE = 0.5  # seconds that Tab waits for the names of attributes and commands


class TangoProxy:
    """A Tango device, for code in any greenlet or thread.

    *uri* and *peer* are as for :func:`.get_tango_device`; but nothing is asked of the network before the first call.

    Everything that PyTango's ``DeviceProxy`` has is here under the same name: its methods, the device's attributes and
    its commands. The calls block whoever makes them, and nobody else: they are made in native threads. They take one
    more argument, *timeout*, a quantity or a number of seconds, for that call alone::

        device = get_tango_device("tango://cryo:10000/exp/cryo/1")
        device.temperature                          # an attribute
        device.temperature = 80.0
        device.CoolDown(80.0, timeout=10 * q.min)   # a command
        device.read_attribute("temperature").quality
        device.subscribe("temperature", handler)    # events

    A call that is killed or interrupted returns at once; what the server was told, it was told. After a restart of
    the server or the database the same object works again.

    A server takes at most 32 calls at once, from all proxies together; others wait for their turn, so one that hangs is
    nobody else's trouble. Failures are :exc:`.TangoDeviceError`, :exc:`.TangoRequestError`,
    :exc:`.TangoConnectionError` and :exc:`.TangoTimeoutError`. :attr:`proxy` is the bare ``DeviceProxy``, whose calls
    stall the hub.
    """

    def __init__(self, uri: str, peer: str | None = None, timeout: Any = 3 * q.s) -> None:
        # Optional, and slow. Not in the thread: imports there and in greenlets may wait for each other for ever.
        import tango

        self._tango = tango
        self._name = parse(uri, peer, tango.ApiUtil.get_env_var("TANGO_HOST"))
        self._timeout = checked_timeout(timeout)
        self._line = TangoLine(tango, self._name)
        self._members: dict[str, Member] = {}
        self._subscriptions: dict[int, TangoSubscription] = {}

    @property
    def uri(self) -> str:
        """The full name, which stands for the device everywhere: ``tango://host:port/domain/family/member``."""
        return self._name.full

    @property
    def device_name(self) -> str:
        """``domain/family/member``, or the alias that was given; what messages call it."""
        return self._name.device

    @property
    def proxy(self) -> Any:
        """The bare ``tango.DeviceProxy``."""
        return self.call(lambda proxy: proxy, doing="connecting")

    @property
    def timeout(self) -> Any:
        """The time that a call may take if it brings none of its own."""
        return self._timeout * q.s

    @timeout.setter
    def timeout(self, timeout: Any) -> None:
        self._timeout = checked_timeout(timeout)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.uri}>"

    def close(self) -> None:
        """End the subscriptions and forget the connections; the next call makes new ones."""
        for subscription in list(self._subscriptions.values()):
            subscription.close()
        self._line.close()

    # -- calls --------------------------------------------------------------------------------------------------

    def read_attribute(self, name: str, *args: Any, timeout: Any = None, **kwargs: Any) -> Any:
        """Read the attribute *name* and return its ``DeviceAttribute``: value, quality, time."""
        return self.call("read_attribute", name, *args, timeout=timeout, doing=f"reading {name}", **kwargs)

    def write_attribute(self, name: str, value: Any, timeout: Any = None) -> None:
        """Write *value* to the attribute *name*."""
        self.call("write_attribute", name, value, timeout=timeout, doing=f"writing {name}")

    def command_inout(self, name: str, *args: Any, timeout: Any = None, urgent: bool = False) -> Any:
        """Run the command *name*, with its argument if it takes one, and return what it returns.

        An *urgent* one, a stop, does not wait until others are done with the server.
        """
        return self.call("command_inout", name, *args, timeout=timeout, doing=f"running {name}", urgent=urgent)

    def call(
        self, method: Method, *args: Any, timeout: Any = None, doing: str = "", urgent: bool = False, **kwargs: Any
    ) -> Any:
        """Call a *method* of the ``DeviceProxy``, or a function with it, in a native thread and return the result.

        *timeout* is the time that it may take; *doing* is what error messages say it was.
        """
        return self._line.call(self._describe(doing or f"calling {method}", timeout), method, args, kwargs, urgent)

    def _describe(self, doing: str, timeout: Any) -> Call:
        time = self._timeout if timeout is None else checked_timeout(timeout)
        return Call(self.device_name, self._name.place, doing, time)

    # -- as a DeviceProxy ---------------------------------------------------------------------------------------

    def set_timeout_millis(self, timeout: int) -> None:
        """Set :attr:`timeout`, here in ms."""
        self.timeout = timeout / 1000

    def get_timeout_millis(self) -> int:
        """Return :attr:`timeout`, here in ms."""
        return ceil(self._timeout * 1000)

    def set_source(self, source: Any) -> None:
        """Choose where polled attributes are read: a ``DevSource``, or its name. ``DEV`` is the device itself."""
        self._line.source = getattr(self._tango.DevSource, source) if isinstance(source, str) else source
        self._line.close()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._tango.DeviceProxy, name, None)
        if callable(method):
            call = functools.partial(self.call, name, doing=f"calling {name}")
            return functools.update_wrapper(call, method, ("__doc__", "__name__"), ())
        member = self._member(name)
        if member is None:
            raise AttributeError(f"{self.device_name} has no attribute or command {name!r}")
        if member.is_command:
            return functools.partial(self.command_inout, member.name)
        return member.from_wire(self.read_attribute(member.name).value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or hasattr(type(self), name):
            object.__setattr__(self, name, value)
            return
        member = self._member(name)
        if member is None or member.is_command:
            raise AttributeError(f"{self.device_name} has no attribute {name!r} that could be set")
        self.write_attribute(member.name, member.to_wire(value))

    def __dir__(self) -> list[str]:
        if not self._members:
            try:
                self._look_up_members(GLANCE)
            except TangoError:  # whoever presses Tab does not want to read about it
                pass
        methods = [name for name in dir(self._tango.DeviceProxy) if not name.startswith("_")]
        return sorted({*object.__dir__(self), *methods, *(member.name for member in self._members.values())})

    def _member(self, name: str) -> Member | None:
        if name.lower() not in self._members:
            self._look_up_members(None)
        return self._members.get(name.lower())

    def _look_up_members(self, timeout: Any) -> None:
        self._members = self.call(members_of, timeout=timeout, doing="looking for its attributes and commands")

    # -- events -------------------------------------------------------------------------------------------------

    def subscribe(
        self, attribute: str, handler: Callable[[TangoEvent], Any], kind: str = "change", timeout: Any = None
    ) -> TangoSubscription:
        """Call *handler* with a :class:`.TangoEvent` now and whenever the device tells of *attribute*.

        *kind* is change, periodic, archive or user. Handlers run as those of the dispatcher do: in order, in greenlets
        of the hub or in threads, and a failing one is logged. When events cease to come, because the server has ended
        for example, the handler is told so once; they come again, some seconds after it is back, with the *gap*. Raise
        :exc:`.NoEventsError` if the server does not send events of *attribute*.
        """
        if kind not in KINDS:
            raise ValueError(f"expected a kind of events ({', '.join(KINDS)}), not {kind!r}")
        event_type = getattr(self._tango.EventType, f"{kind.upper()}_EVENT")
        subscription = self._subscribe(attribute, event_type, handler, timeout)
        if kind == "change":
            subscription.of_changes = True
            start_beside(pool, subscription.look_again).detach()
        return subscription

    def subscribe_event(
        self, attribute: str, event_type: Any, callback: Callable[[Any], Any], *_more: Any, **_options: Any
    ) -> int:
        """Call *callback* with Tango's ``EventData``, as ``DeviceProxy`` does, but not in a foreign thread.

        The further options of ``DeviceProxy`` are taken and ignored: a server that is down is tried again anyway.
        """
        return self._subscribe(attribute, event_type, lambda event: callback(event.raw), None).number

    def unsubscribe_event(self, event_id: int) -> None:
        """End what :meth:`subscribe_event` began."""
        subscription = self._subscriptions.get(event_id)
        if subscription is None:
            raise TangoRequestError(f"{self.device_name} has no subscription {event_id!r}", self.device_name)
        subscription.close()

    def _subscribe(
        self, attribute: str, event_type: Any, handler: Callable[[TangoEvent], Any], timeout: Any
    ) -> TangoSubscription:
        call = self._describe(f"subscribing to {attribute}", timeout)
        subscription = TangoSubscription(call, attribute, handler, self._end_subscription)

        def subscribe(proxy: Any) -> None:
            try:
                number = proxy.subscribe_event(attribute, event_type, subscription.receive)
            except self._tango.DevFailed as failure:
                if not isinstance(error_of(failure, call), TangoConnectionError | TangoTimeoutError):
                    raise
                # Tango tries again every 10 s.
                number = proxy.subscribe_event(attribute, event_type, subscription.receive, **self._patiently())
            if not subscription.begun(proxy, number):
                proxy.unsubscribe_event(number)  # nobody has waited for it

        try:
            self.call(subscribe, timeout=timeout, doing=call.doing)
        except BaseException:
            subscription.give_up()
            raise
        self._subscriptions[subscription.number] = subscription
        return subscription

    def _patiently(self) -> dict[str, Any]:
        modes = getattr(self._tango, "EventSubMode", None)  # its name in new versions
        return {"stateless": True} if modes is None else {"sub_mode": modes.Stateless}

    def _end_subscription(self, subscription: TangoSubscription) -> None:
        self._subscriptions.pop(subscription.number, None)
        self.call(
            lambda _: subscription.proxy.unsubscribe_event(subscription.number),
            doing=f"unsubscribing from {subscription.attribute}",
            urgent=True,
        )
