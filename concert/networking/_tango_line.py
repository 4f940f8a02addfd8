"""The line to a Tango device: calls in native threads, which the server's share of them limits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any
from weakref import WeakValueDictionary

from concert.async_._native import allocate_lock
from concert.async_._pool import Share, pool
from concert.async_._runtimes import start_beside
from concert.networking._tango_end import end_well, under_way
from concert.networking._tango_errors import Call, TangoDatabaseError, TangoTimeoutError, error_of, refusal_of
from concert.networking._tango_names import TangoName

SHARE = 32  # calls of one server that may be under way at once
GRACE = 0.5  # seconds after its timeout that a call gets to say what went wrong
LONGEST = (2**31 - 1) / 1000  # seconds: what Tango can count
TIMEOUTS = 8  # so many different ones are kept ready

REFUSALS = (TypeError, ValueError, OverflowError, LookupError, AttributeError)

Method = str | Callable[..., Any]


class TangoLine:
    """What makes calls to the device called *name*; *tango* is the library."""

    def __init__(self, tango: Any, name: TangoName) -> None:
        end_well()
        self._tango = tango
        self._name = name
        # The device's full name and its server's share, when it is known where to find them.
        self._server: tuple[str, Share] | None = None if name.database else (name.full, _share_of(name.place))
        self._proxies: dict[int, Any] = {}  # by their timeouts in ms, which belong to the proxies and not to the calls
        self._lock = allocate_lock()
        self.source: Any = None  # where polled attributes are read, if not as Tango does

    def call(self, call: Call, method: Method, args: tuple[Any, ...], kwargs: dict[str, Any], urgent: bool) -> Any:
        """Call a *method* of the ``DeviceProxy``, or a function with it, in a native thread and return the result.

        Who is killed or interrupted meanwhile waits no more. An *urgent* call does not wait for its turn.
        """
        try:
            server = self._server
            if server is None:
                server = self._server = self._look_up(call)
            timeout = ceil(min(call.time, LONGEST) * 1000)
            jobs = pool if urgent else server[1]
            return self._perform(jobs, call, self._on_proxy, server[0], timeout, method, args, kwargs)
        except TangoDatabaseError:
            if len(self._name.hosts) > 1:  # the next call asks another one
                self._server = None
                self.close()
            raise

    def close(self) -> None:
        """Forget the connections; the next call makes new ones."""
        with self._lock:
            self._proxies = {}

    def _look_up(self, call: Call) -> tuple[str, Share]:
        place = self._name.place
        try:
            return self._perform(_share_of(place), call, self._find_server)
        except TangoTimeoutError as error:
            message = f"{place} did not tell within {call.time:g} s where {call.device} is"
            raise TangoTimeoutError(message, call.device, error.reason) from error

    def _perform(self, jobs: Any, call: Call, function: Callable[..., Any], *args: Any) -> Any:
        future = start_beside(jobs, self._translated, call, function, args)
        future.label = f"{call.device}, {call.doing}"
        try:
            return future.result(min(call.time, LONGEST) + GRACE)
        except TimeoutError:
            if future.done():
                return future.result()
            future.cancel(block=False)
            raise call.no_answer() from None

    def _translated(self, call: Call, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Call the function, in a native thread, and translate what goes wrong."""
        with under_way(call):
            try:
                return function(*args)
            except self._tango.DevFailed as failure:
                raise error_of(failure, call) from failure
            except REFUSALS as error:
                raise refusal_of(error, call) from error

    def _find_server(self) -> tuple[str, Share]:
        """Ask the first database that answers which server the device belongs to."""
        for host in self._name.hosts:
            address, port = host.split(":")
            try:
                database = self._tango.Database(address, int(port))
            except self._tango.DevFailed:
                if host == self._name.hosts[-1]:
                    raise
            else:
                break
        device = self._name.device
        if "/" not in device:
            device = database.get_device_from_alias(device)
        return self._name.at(host), _share_of(f"{host} {database.get_device_info(device).ds_full_name}")

    def _on_proxy(self, name: str, timeout: int, method: Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        proxy = self._proxies.get(timeout)
        if proxy is None:
            proxy = self._make_proxy(name, timeout)
        try:
            return (getattr(proxy, method) if isinstance(method, str) else partial(method, proxy))(*args, **kwargs)
        except REFUSALS:
            proxy.ping()  # PyTango finds fault with the type of a value, too, when the server has just gone
            raise

    def _make_proxy(self, name: str, timeout: int) -> Any:
        proxy = self._tango.DeviceProxy(name)
        proxy.set_timeout_millis(timeout)
        if self.source is not None:
            proxy.set_source(self.source)
        with self._lock:
            if len(self._proxies) >= TIMEOUTS:
                # Not the first one, on which settings may hang.
                del self._proxies[list(self._proxies)[1]]
            return self._proxies.setdefault(timeout, proxy)


_shares: WeakValueDictionary[str, Share] = WeakValueDictionary()
_shares_lock = allocate_lock()


def _share_of(server: str) -> Share:
    """Return the native threads for calls to *server*."""
    with _shares_lock:
        share = _shares.get(server)
        if share is None:
            share = _shares[server] = Share(SHARE)
        return share
