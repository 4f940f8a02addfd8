"""The Tango database as a server sees it: which devices it has, and whether it runs already."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import tango

from concert.async_ import threaded
from concert.session.management import SessionError

EXECUTABLE = "Concert"

# What attributes look like is for the session to say: what the database remembers of an earlier one is removed.
_CONFIGURED = ("min_value", "max_value", "unit", "label", "description", "format", "enum_labels")


def register(database: str, session: str, devices: Mapping[str, str]) -> None:
    """Enter the *devices*, classes by names, of the *session*'s server; devices it had before and has no more go.

    Raise :exc:`.SessionError` if there is no database, or the session is served already.
    """
    threaded(_register)(database, f"{EXECUTABLE}/{session}", devices).result()


@contextmanager
def tango_host(database: str | None) -> Iterator[None]:
    """Let Tango find the *database* while a server starts: it looks only into the environment."""
    before = os.environ.get("TANGO_HOST")
    if database is not None:
        os.environ["TANGO_HOST"] = database
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("TANGO_HOST", None)
        else:
            os.environ["TANGO_HOST"] = before


def _register(database: str, server: str, devices: Mapping[str, str]) -> None:
    entries = connect(database)
    try:
        _refuse_second(entries, database, server)
        known = list(entries.get_device_class_list(server).value_string)[::2]
        for name in known:
            if name not in devices and not name.startswith("dserver/"):
                entries.delete_device(name)
        entries.add_server(server, [_entry(name, cls, server) for name, cls in devices.items()], with_dserver=True)
        for name in devices:
            _forget_configuration(entries, name)
    except tango.DevFailed as error:
        raise SessionError(f"the Tango database {database} does not take {server}: {error.args[0].desc}") from error


def connect(database: str) -> tango.Database:
    """Return the first of the databases, ``host:port,host:port``, that answers; raise :exc:`.SessionError`."""
    for each in database.split(","):
        host, _, port = each.rpartition(":")
        try:
            return tango.Database(host, int(port))
        except tango.DevFailed as error:
            failure = error
    raise SessionError(f"the Tango database {database} cannot be reached") from failure


def _refuse_second(entries: tango.Database, database: str, server: str) -> None:
    try:
        info = entries.get_device_info(f"dserver/{server}")
        if not info.exported:
            return
        proxy = tango.DeviceProxy(f"tango://{database}/dserver/{server}")
        proxy.ping()
    except tango.DevFailed:  # not known, or what the database remembers has died
        return
    session = server.partition("/")[2]
    raise SessionError(f"{session} is served already, by process {info.pid}, started at {info.started_date}")


def _entry(name: str, cls: str, server: str) -> tango.DbDevInfo:
    entry = tango.DbDevInfo()
    entry.name, entry._class, entry.server = name, cls, server
    return entry


def _forget_configuration(entries: tango.Database, name: str) -> None:
    known = tango.StdStringVector()
    entries.get_device_attribute_list(name, known)
    for attribute in known:
        entries.delete_device_attribute_property(name, {attribute: list(_CONFIGURED)})
