"""Simulated devices as processes of their own, for tests and demonstrations."""

from __future__ import annotations

import atexit
import os
import posix
import re
import select
import signal
import sys
from time import monotonic
from typing import Any, Self

START_TIME = 10.0  # seconds to begin to listen
END_TIME = 5.0  # seconds to end before the process is killed


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
        self._start(["-m", f"concert.simulation.{name}", "--until-stdin-closes", *arguments])
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
        posix.close(self._leash)
        try:
            deadline = monotonic() + END_TIME
            while self._read_until(deadline):
                pass
        except TimeoutError:
            os.kill(self.pid, signal.SIGKILL)
        finally:
            posix.close(self._output)
            try:
                posix.waitpid(self.pid, 0)
            except ChildProcessError:  # gevent's loop takes the status of every child once it watches one
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<simulated {self.name}, process {self.pid}>"

    def _start(self, arguments: list[str]) -> None:
        """Start Python with its input and output connected to this process.

        Under gevent ``subprocess`` and ``os.posix_spawn`` work in the main thread only, and ``os.close`` closes later;
        so these are the system's own.
        """
        environment = os.environ | {"CONCERT_ENABLE_GEVENT": "0"}  # not needed there, and slow to import
        environment.pop("CONCERT_DISABLE_GEVENT", None)  # says the same, or the opposite
        input_, self._leash = posix.pipe()
        self._output, output = posix.pipe()
        try:
            self.pid = posix.posix_spawn(
                sys.executable,
                [sys.executable, *arguments],
                environment,
                file_actions=[(posix.POSIX_SPAWN_DUP2, input_, 0), (posix.POSIX_SPAWN_DUP2, output, 1)],
                setsid=True,  # Ctrl-C in the terminal is for this process alone
            )
        except BaseException:
            posix.close(self._leash)
            posix.close(self._output)
            raise
        finally:
            posix.close(input_)
            posix.close(output)

    def _read_until(self, deadline: float) -> bytes:
        """Wait, cooperatively, for what the process prints and return it; nothing means that it has ended."""
        if not select.select([self._output], [], [], max(0.0, deadline - monotonic()))[0]:
            raise TimeoutError
        return posix.read(self._output, 4096)

    def _read_address(self) -> tuple[str, int]:
        deadline = monotonic() + START_TIME
        line = b""
        try:
            while b"\n" not in line and (more := self._read_until(deadline)):
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
