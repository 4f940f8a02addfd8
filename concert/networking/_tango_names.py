"""The names of Tango devices: every spelling of them, and whom to ask for the device."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = r"[^\s/#:,]+"
_NAME = re.compile(rf"{_PART}(/{_PART}/{_PART})?")  # domain/family/member, or an alias
_PEER = re.compile(r"[^\s/:#,]+:(\d+)")
_URI = re.compile(r"(tango:)?(//(?P<peer>[^\s/#]*)/|/)?(?P<name>[^\s#]*?)(#dbase=(?P<database>yes|no))?", re.IGNORECASE)


class TangoName(NamedTuple):
    """The name of a device: *device* is ``domain/family/member`` or an alias.

    *hosts* are where to ask for it, as ``host:port``: databases, the first that answers is asked; without a *database*
    the server itself.
    """

    device: str
    hosts: tuple[str, ...]
    database: bool = True

    @property
    def full(self) -> str:
        """The name that stands for the same device everywhere, whatever the environment says."""
        return f"tango://{','.join(self.hosts)}/{self.device}{'' if self.database else '#dbase=no'}"

    def at(self, host: str) -> str:
        """Return the full name with one of the hosts alone."""
        return self._replace(hosts=(host,)).full

    @property
    def place(self) -> str:
        """Where the device is to be found, as messages say it."""
        hosts = " or ".join(self.hosts)
        return f"the Tango database at {hosts}" if self.database else f"the Tango server at {hosts}"


def parse(uri: str, peer: str | None, tango_host: str | None) -> TangoName:
    """Return the name that *uri* spells.

    *peer* is ``host:port`` and belongs to names that bring none; without it they belong to the database that
    *tango_host* tells, ``host:port`` or several of them with commas. Raise :exc:`ValueError` for what is no name.
    """
    match = _URI.fullmatch(uri) if isinstance(uri, str) else None
    if match is None or not _NAME.fullmatch(match["name"]):
        raise ValueError(f"expected a Tango device such as 'domain/family/member', not {uri!r}")
    database = (match["database"] or "yes").lower() == "yes"
    if peer is not None:
        _check_peer(peer)
    if match["peer"] is not None:
        if peer is not None:
            raise ValueError(f"expected a device of the database at {peer!r}, not {uri!r}, which names its own")
        _check_peer(match["peer"])
        peer = match["peer"]
    if peer is not None:
        return TangoName(match["name"], (peer,), database)
    if not database:
        wanted = f"'tango://host:port/{match['name']}#dbase=no'"
        raise ValueError(f"expected the server's place as well, {wanted}, not {uri!r}")
    return TangoName(match["name"], _databases(tango_host, uri))


def _check_peer(peer: str) -> None:
    if not _is_peer(peer):
        raise ValueError(f"expected a Tango database as 'host:port', not {peer!r}")


def _is_peer(text: str) -> bool:
    match = _PEER.fullmatch(text)
    return match is not None and 0 < int(match[1]) < 65536


def _databases(tango_host: str | None, uri: str) -> tuple[str, ...]:
    if not tango_host:
        raise ValueError(
            f"no Tango database is known for {uri!r}: set TANGO_HOST=host:port, give peer='host:port' or write "
            f"'tango://host:port/{uri}'"
        )
    hosts = tuple(host.strip() for host in tango_host.split(",") if host.strip())
    if not hosts or not all(map(_is_peer, hosts)):
        raise ValueError(f"expected TANGO_HOST to be host:port, or several of them with commas, not {tango_host!r}")
    return hosts
