"""``concert serve``: a session's devices for Tango's clients."""

from __future__ import annotations

import os
import re
from typing import Any

from concert.devices.base import Device
from concert.helpers import Command
from concert.session import database, logs, management
from concert.session.loader import load
from concert.session.management import SessionError
from concert.session.opening import opened
from concert.session.statements import offline_in
from concert.session.telling import tell_offline
from concert.session.utils import devices_in

LOOPBACK = "127.0.0.1"
PORTS = range(65536)


class ServeCommand(Command):
    """Serve the devices of a session to other programs and machines, through Tango."""

    def __init__(self) -> None:
        super().__init__(
            "serve",
            {
                "session": {"metavar": "NAME", "help": "the session, or a Python file"},
                "--device": {
                    "metavar": "DEVICE",
                    "nargs": "+",
                    "action": "extend",
                    "help": "serve only these devices (default: all)",
                },
                "--tango-host": {
                    "metavar": "HOST:PORT",
                    "help": "the Tango database (default: TANGO_HOST, else that of concert tango start)",
                },
                "--no-database": {"action": "store_true", "help": "serve without a database"},
                "--port": {
                    "type": int,
                    "metavar": "PORT",
                    "default": 0,
                    "help": "where to listen; needed to be found again without a database (default: a free port)",
                },
                "--bind": {
                    "metavar": "ADDRESS",
                    "default": LOOPBACK,
                    "help": "the address to listen at: this machine's in the beamline's network, or 0.0.0.0 for all of "
                    f"its networks (default: {LOOPBACK}, for this machine alone)",
                },
            },
        )

    def run(  # type: ignore[override]
        self,
        session: str,
        device: list[str] | None = None,
        tango_host: str | None = None,
        no_database: bool = False,
        port: int = 0,
        bind: str = LOOPBACK,
    ) -> None:
        """Serve the *session*, or the file, until SIGINT or SIGTERM."""
        if port not in PORTS:
            raise SessionError(f"expected a port from 1 to 65535, not {port}")
        path = management.find(session)
        where = _database(tango_host, no_database)
        logs.set_up(path.stem)
        with opened(path.stem, path):
            names = vars(load(path))
            offline = offline_in(names)
            tell_offline(offline.values())
            there = {name: each for name, each in devices_in(names, None).items() if name not in offline}
            _serve(path.stem, _chosen(there, device, path.stem), bind, where, port)
        print(f"{path.stem} is not served any more")


def _serve(session: str, devices: dict[str, Device], address: str, where: str | None, port: int) -> None:
    # Tango takes a moment to load, and is for no other command.
    from concert.session.serving import Place, Server

    server = Server(session, devices, Place(address, where, port))
    try:
        server.start()
        for name in devices:
            print(server.name_of(name))
        print(_binding(address, server.port), flush=True)
        server.run()
    finally:
        server.leave()


def _database(asked_for: str | None, none: bool) -> str | None:
    """Return the database to register in, or None."""
    if none:
        if asked_for is not None:
            raise SessionError("expected --tango-host or --no-database, not both")
        return None
    address = asked_for or os.environ.get("TANGO_HOST")
    if address is None:
        embedded = database.running()
        if embedded is None:
            raise SessionError(
                "there is no Tango database: say where it is with --tango-host or TANGO_HOST, "
                "start one with concert tango start, or serve with --no-database"
            )
        return embedded.address
    if not re.fullmatch(r"[^\s/:,]+:\d+(,[^\s/:,]+:\d+)*", address):
        raise SessionError(f"expected a Tango database as host:port, not {address!r}")
    return address


def _chosen(devices: dict[str, Device], names: list[str] | None, session: str) -> dict[str, Any]:
    unknown = [name for name in names or () if name not in devices]
    if unknown or not devices:
        what = f"no device {' or '.join(unknown)}; it has" if unknown else "no devices; it needs"
        raise SessionError(f"{session} has {what} {', '.join(devices) or 'some to be served'}")
    chosen = {name: device for name, device in devices.items() if names is None or name in names}
    alike: dict[str, str] = {}
    for name in chosen:
        if not name.isascii():
            raise SessionError(f"expected a name of ASCII characters, which Tango can write, for the device {name}")
        other = alike.setdefault(name.lower(), name)
        if other != name:
            raise SessionError(f"{other} and {name} differ in capitals alone, which Tango does not tell apart")
    return chosen


def _binding(address: str, port: int) -> str:
    if address in (LOOPBACK, "localhost"):
        return f"listening on {address}:{port}, for this machine alone; Ctrl-C ends it"
    return f"listening on {address}:{port}: whoever reaches this address can move the devices; Ctrl-C ends it"
