"""Tango devices."""

from __future__ import annotations

import re
from typing import Any

from concert.async_ import threaded

_PART = r"[^\s/#]+"
_PEER = re.compile(r"[^\s/:#]+:(\d+)")
# domain/family/member, or an alias
_NAME = re.compile(rf"{_PART}(/{_PART}/{_PART})?")
_URI = re.compile(r"((tango:)?//(?P<peer>[^\s/#]+)/)?(?P<name>[^\s#]+?)(?P<options>#dbase=(yes|no))?", re.IGNORECASE)


def get_tango_device(uri: str, peer: str | None = None) -> Any:
    """Return the Tango device called *uri*, as its ``DeviceProxy``.

    *uri* is ``domain/family/member`` or an alias, of the database that the environment names (``TANGO_HOST``) or, if
    *peer* is given as ``host:port``, of the one there; or it is a full name such as ``tango://host:port/a/b/c``, for a
    device without a database with ``#dbase=no`` at its end. Raise :exc:`ValueError` for what is none of these.
    """
    name = _full_name(uri, peer)
    # Optional, and slow. Not in the thread: imports there and in greenlets may wait for each other for ever.
    import tango

    @threaded  # looking for the device would keep the hub from running
    def make_proxy() -> Any:
        return tango.DeviceProxy(name)

    return make_proxy().result()


def _full_name(uri: str, peer: str | None) -> str:
    match = _URI.fullmatch(uri)
    if match is None or not _NAME.fullmatch(match["name"]):
        raise ValueError(f"expected a Tango device such as 'domain/family/member', not {uri!r}")
    if match["peer"] is not None:
        _check_peer(match["peer"])
    if peer is None:
        return uri
    _check_peer(peer)
    if match["peer"] is not None:
        raise ValueError(f"expected a device of the database at {peer!r}, not {uri!r}, which names its own")
    return f"tango://{peer}/{uri}"


def _check_peer(peer: str) -> None:
    match = _PEER.fullmatch(peer)
    if match is None or not 0 < int(match[1]) < 65536:
        raise ValueError(f"expected a Tango database as 'host:port', not {peer!r}")
