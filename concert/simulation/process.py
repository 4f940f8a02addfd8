"""Simulated devices as processes of their own, for tests and demonstrations."""

from __future__ import annotations

import atexit
import os
import re
from time import monotonic
from typing import Any, Self

from concert.async_._child import Child

START_TIME = 10.0  # seconds to begin to listen


class SimulatedDevice:
    """A process that runs ``concert.simulation.<name>``, from the making of this object until :meth:`close`.

    Its address is :attr:`host` and :attr:`port`. It ends with this process at the latest, even if this one is killed.
    *options* are those of its command line, with underscores. Raise :exc:`RuntimeError` if it does not begin to listen;
    its own error message is then on the standard error.
    """

    host: str
    port: int
    pid: int

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self._ended = False
        arguments = [f"--{option.replace('_', '-')}={value}" for option, value in options.items()]
        environment = os.environ | {"CONCERT_ENABLE_GEVENT": "0"}  # not needed there, and slow to import
        environment.pop("CONCERT_DISABLE_GEVENT", None)  # says the same, or the opposite
        program = ["-m", f"concert.simulation.{name}", "--until-stdin-closes"]
        self._child = Child([*program, *arguments], environment)
        self.pid = self._child.pid
        atexit.register(self.close)
        try:
            self.host, self.port = self._read_address()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process and wait for its end; do nothing if that has happened already."""
        if self._ended:
            return
        self._ended = True
        atexit.unregister(self.close)
        self._child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<simulated {self.name}, process {self.pid}>"

    def _read_address(self) -> tuple[str, int]:
        deadline = monotonic() + START_TIME
        line = b""
        try:
            while b"\n" not in line and (more := self._child.read(deadline - monotonic())):
                line += more
        except TimeoutError:
            pass
        address = re.match(r"listening on (.+):(\d+)\n", line.decode())
        if address is None:
            raise RuntimeError(
                f"expected the simulated {self.name} to tell within {START_TIME:g} s where it listens, not {line!r}"
            )
        return address[1], int(address[2])


def simulated(name: str, **options: Any) -> SimulatedDevice:
    """Start a simulated device, to be closed or used in a ``with`` statement::

    with simulated("aerotech", time_scale=10) as controller:
        connection = Connection(controller.host, controller.port)
    """
    return SimulatedDevice(name, **options)
