"""The server: this process as a Tango device server, from its start to an end that cannot hang."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import tango
from tango.test_context import parse_ior

from concert.async_ import Future, runtime, threaded
from concert.base import ParameterValue
from concert.devices.base import Device
from concert.session.management import SessionError
from concert.session.running import STOP_SIGNAL
from concert.session.serving import _registry as registry
from concert.session.serving._attributes import Conversion
from concert.session.serving._desk import Desk
from concert.session.serving._device import ServedDevice, served_class
from concert.session.serving._events import Events
from concert.session.unattended import goes_on

LOG = logging.getLogger("concert.serving")

LOOK = 0.25  # seconds between two looks at who is still there
START_TIME = 20.0  # seconds to be ready
STEP_TIME = 2.0  # seconds for each step of leaving
LEAVE_TIME = 20  # seconds for all of it; after that the system ends the process
EXAMPLE_TIME = 2.0  # seconds that parameters have to show what they are

EVERYWHERE = ("", "0.0.0.0")


class Place(NamedTuple):
    """Where to serve: bound to the *address*, in the *database* ``host:port``, or on a *port* without one."""

    address: str = "127.0.0.1"
    database: str | None = None
    port: int = 0


class Server:
    """Serves the *devices*, by their names, of the session called *session*, until it is told to end.

    There can be one in the life of a process, and it needs the main thread.
    """

    def __init__(self, session: str, devices: Mapping[str, Device], place: Place) -> None:
        self.session = session
        self.devices = dict(devices)
        self.place = place
        self.port = place.port
        self._told = threading.Event()
        self._events: list[Events] = []
        self._classes = self._classes_of(self.devices)
        self._begun = False
        self._running: Future | None = None

    def name_of(self, device: str) -> str:
        """Return the full Tango name of the device called *device*."""
        if self.place.database is not None:
            return f"tango://{self.place.database}/{self._tango_name(device)}"
        host = socket.getfqdn() if self.place.address in EVERYWHERE else self.place.address
        return f"tango://{host}:{self.port}/{self._tango_name(device)}#dbase=no"

    def start(self) -> None:
        """Be reachable when this returns; raise :exc:`.SessionError` if that is impossible."""
        if runtime() == "sync":
            raise SessionError("a session cannot be served without asynchronous execution (ENABLE_ASYNC)")
        _check_address(self.place.address, self.place.port, self.session)
        if self.place.database is not None:
            registry.register(self.place.database, self.session, self._names_and_classes())
        ready = threaded(self._begin)()
        try:
            ready.result(START_TIME)
        except tango.DevFailed as error:
            raise SessionError(f"cannot serve {self.session}: {error.args[-1].desc}") from error
        except TimeoutError as error:
            raise SessionError(f"cannot serve {self.session}: Tango was not ready within {START_TIME:g} s") from error
        self._running = threaded(tango.Util.instance().server_run)()
        self._take_signals()
        for events in self._events:
            events.begin()
        LOG.info("serving %s", ", ".join(map(self.name_of, self.devices)))

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM."""
        last = time.monotonic()
        while not self._told.wait(LOOK):
            now = time.monotonic()
            for desk in self._desks():
                if now - last > 4 * LOOK:  # not the clients, this process has been away
                    desk.forgive(now)
                desk.expire(now)
            last = now

    def leave(self) -> None:
        """Stop what clients have moved, leave the database, and end."""
        with ending_for_sure():
            self._leave()

    # -- inside -------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        for events in self._events:
            events.end()
        for desk in self._desks():
            desk.close()
        for desk in self._desks():
            desk.wait_until_idle(STEP_TIME)
        for events in self._events:
            events.wait_until_quiet(STEP_TIME)
        # Each on its own: without its database, for example, Tango still has to end.
        if self._begun:
            _try_to("leave the database", threaded(self._unregister)())
            _try_to("end", threaded(_kill)())
        if self._running is not None:
            _try_to("end in good order", self._running)

    def _take_signals(self) -> None:
        """Listen to signals again, which Tango has taken while it started."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup does
                signal.signal(number, self._on_signal)
        signal.signal(STOP_SIGNAL, signal.getsignal(STOP_SIGNAL))

    def _on_signal(self, _number: int, _frame: Any) -> None:
        self._told.set()

    def _desks(self) -> list[Desk]:
        return [each.desk for each in self._classes.values()]

    def _tango_name(self, device: str) -> str:
        return f"concert/{self.session}/{device}"

    def _names_and_classes(self) -> dict[str, str]:
        return {self._tango_name(name): each.__name__ for name, each in self._classes.items()}

    def _classes_of(self, devices: Mapping[str, Device]) -> dict[str, type[ServedDevice]]:
        examples = _examples(devices)
        classes = {}
        for name, device in devices.items():
            conversions = []
            for value in device:
                if value.name == device._state_name or not (value.readable or value.writable):
                    continue
                try:
                    conversions.append(Conversion(value, examples.get(value)))
                except TypeError as error:
                    LOG.warning("not served as an attribute: %s", error)
            classes[name] = served_class(device, Desk(device, goes_on(device)), conversions)
        return classes

    def _begin(self) -> None:
        """Start Tango, in a native thread that it may keep."""
        self._begun = True
        arguments = ["Concert", self.session, "-ORBendPoint", self._end_point()]
        if self.place.database is None:
            devices = [f"{cls}::{name}" for name, cls in self._names_and_classes().items()]
            arguments += ["-nodb", "-dlist", ",".join(devices)]
        with registry.tango_host(self.place.database):
            util = tango.Util.init(arguments)
            for each in self._classes.values():
                util.add_class(each.TangoClassClass, each, each.TangoClassName)
            util.server_init()
        for name, cls in self._classes.items():
            tango_device = util.get_device_by_name(self._tango_name(name))
            events = Events(tango_device)
            cls.desk.began = events.follow
            self._events.append(events)
            self.port = parse_ior(util.get_device_ior(tango_device)).port

    def _unregister(self) -> None:
        if self.place.database is not None:
            registry.connect(self.place.database)  # which says so if that is impossible, where Tango would complain
            tango.Util.instance().unregister_server()

    def _end_point(self) -> str:
        address = "" if self.place.address in EVERYWHERE else self.place.address
        return f"giop:tcp:{address}:{self.place.port or ''}"


@contextmanager
def ending_for_sure() -> Iterator[None]:
    """Let the system end the process if the block does not end in time, as Tango's threads may never come back."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LEAVE_TIME)
    try:
        yield
    finally:
        signal.alarm(0)  # what follows is the session's own cleanup, which takes as long as it takes


def _check_address(address: str, port: int, session: str) -> None:
    """Raise :exc:`.SessionError` if nobody can listen there: Tango would not say so, but end the process."""
    try:
        with socket.create_server((address, port)):
            pass
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = f"the port {port} is taken" if taken else str(error.strerror or error).lower()
        raise SessionError(f"cannot serve {session} at {address}: {reason}") from error


def _examples(devices: Mapping[str, Device]) -> dict[ParameterValue, Any]:
    """Return the values that the devices' parameters have now; those that do not answer in time are left out."""
    reads = {value: value.get() for device in devices.values() for value in device if value.readable}
    deadline = time.monotonic() + EXAMPLE_TIME
    found = {}
    for value, read in reads.items():
        try:
            found[value] = read.result(max(0.0, deadline - time.monotonic()))
        except Exception as error:  # it is served all the same, and tells who reads it
            read.cancel(block=False)
            LOG.warning("%s cannot be read now: %s", value.full_name, error)
    return found


def _kill() -> None:
    try:
        tango.Util.instance().get_dserver_device().kill()
    except RuntimeError:  # it always raises, and ends all the same
        pass


def _try_to(do: str, attempt: Future) -> None:
    """Give the attempt of Tango to do something its time, but do not insist."""
    try:
        attempt.result(STEP_TIME)
    except (TimeoutError, tango.DevFailed, RuntimeError, SessionError) as error:
        LOG.warning("Tango could not %s: %s", do, error)
