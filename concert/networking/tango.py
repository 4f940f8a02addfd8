"""Tango devices: proxies that never stall the hub, and errors that say whose fault it was."""

from __future__ import annotations

import time
from time import monotonic
from typing import Any

from concert.networking._tango_errors import (
    NoEventsError,
    TangoConnectionError,
    TangoDatabaseError,
    TangoDeviceError,
    TangoError,
    TangoRequestError,
    TangoTimeoutError,
    UnknownDeviceError,
)
from concert.networking._tango_events import TangoEvent, TangoSubscription
from concert.networking._tango_proxy import TangoProxy
from concert.quantities import q, seconds

__all__ = [
    "NoEventsError",
    "TangoConnectionError",
    "TangoDatabaseError",
    "TangoDeviceError",
    "TangoError",
    "TangoEvent",
    "TangoProxy",
    "TangoRequestError",
    "TangoSubscription",
    "TangoTimeoutError",
    "UnknownDeviceError",
    "get_tango_device",
]


RETRY = 0.1  # seconds between two attempts to connect to a busy server


def get_tango_device(uri: str, peer: str | None = None, timeout: Any = 3 * q.s) -> TangoProxy:
    """Return the Tango device called *uri*, as a :class:`TangoProxy`, after it has answered.

    *uri* is ``domain/family/member`` or an alias, of the database that the environment names (``TANGO_HOST``, one or
    several) or, if *peer* is given as ``host:port``, of the one there; or it is a full name such as
    ``tango://host:port/a/b/c``. For a device without a database the name ends with ``#dbase=no`` and the host and port
    are the server's own. The environment is never changed. *timeout* is the time that a call may take.

    Raise :exc:`ValueError` for what is no name, :exc:`UnknownDeviceError`, which is one, for a device that nobody
    knows, :exc:`TangoDatabaseError` if the database cannot be reached, :exc:`TangoConnectionError`, of which that is
    one, if the device's server cannot, and :exc:`TangoTimeoutError` if it does not answer.
    """
    device = TangoProxy(uri, peer, timeout)
    deadline = monotonic() + seconds(timeout)
    while True:
        try:
            device.ping()
            return device
        except (TangoTimeoutError, TangoConnectionError) as error:
            # Tango gives up making a connection long before its timeout, and a busy server may need longer.
            if not _may_be_busy(error) or monotonic() >= deadline:
                raise
        device.close()  # for a proxy waits a second before it tries again
        time.sleep(RETRY)


def _may_be_busy(error: TangoError) -> bool:
    """Tell whether the server may only be slow: it has not refused the connection, or Tango has not really tried."""
    return isinstance(error, TangoTimeoutError) or "connection request was delayed" in str(error.__cause__)
