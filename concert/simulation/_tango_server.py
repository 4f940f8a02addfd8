"""Running a Tango device server, without a database or with one, until it is told to end."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import tango
from tango.server import run

PACKET = 65536


def serve(
    classes: Sequence[type],
    devices: Mapping[str, str],
    name: str,
    port: int = 0,
    database: str | None = None,
    until_stdin_closes: bool = False,
) -> None:
    """Serve *devices*, their names with the names of their *classes*, as the server *name* (``server/instance``).

    It listens on the loopback interface, on a *port* that the system chooses if it is 0, and prints where as soon as it
    does. *database* is ``host:port``; the devices are entered there, and taken out of service when the server ends.
    Without one they are reached as ``tango://127.0.0.1:port/a/b/c#dbase=no``. The server ends by SIGTERM or SIGINT or,
    with *until_stdin_closes*, when nobody holds the other end of the standard input any more.
    """
    server, instance = name.split("/")
    arguments = [server, instance, "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"]
    if database is None:
        arguments += ["-nodb", "-dlist", ",".join(f"{kind}::{device}" for device, kind in devices.items())]
    else:
        os.environ["TANGO_HOST"] = database  # of this process alone
        _enter(devices, name)
    if until_stdin_closes:
        threading.Thread(target=_end_with_stdin, args=(database is not None,), daemon=True).start()
    run(classes, args=arguments, post_init_callback=_tell_address)


def address_of(ior: str) -> tuple[str, int]:
    """Return host and port of the server of an object, from its *ior*, as Tango and CORBA write it down."""
    packed = bytes.fromhex(ior.removeprefix("IOR:"))
    # The host with a zero after it, and the port: numbers of two bytes begin at even places.
    match = re.search(rb"(\d+\.\d+\.\d+\.\d+)\0", packed)
    if match is None:
        raise ValueError(f"expected the address of a server, not {ior!r}")
    begin = match.end() + match.end() % 2
    return match[1].decode(), int.from_bytes(packed[begin : begin + 2], "little" if packed[0] else "big")


def _enter(devices: Mapping[str, str], name: str) -> None:
    database = tango.Database()
    for device, kind in devices.items():
        entry = tango.DbDevInfo()
        entry.name, entry._class, entry.server = device, kind, name
        database.add_device(entry)


def _tell_address() -> None:
    util: Any = tango.Util.instance()
    host, port = address_of(util.get_device_ior(util.get_device_list("*")[0]))
    print(f"listening on {host}:{port}", flush=True)


def _end_with_stdin(registered: bool) -> None:
    while os.read(sys.stdin.fileno(), PACKET):
        pass
    try:
        if registered:
            tango.Util.instance(False).unregister_server()
    finally:
        os._exit(0)  # Tango's own way out waits for its clients
