"""Child processes that run Python, with their input and output connected to this process."""

from __future__ import annotations

import os
import posix
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from time import monotonic

END_TIME = 5.0  # seconds to end before the process is killed


class Child:
    """A process that runs Python with *arguments*, from the making of this object until :meth:`end`.

    It reads what is written to the descriptor :attr:`input`, and what it prints can be read from :attr:`output`, with
    *errors* also what it prints as errors. It can be started in any thread and ends in any: under gevent ``subprocess``
    and ``os.posix_spawn`` work in the main thread only, and ``os.close`` closes later, so these are the system's own.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], errors: bool = False) -> None:
        input_, self.input = posix.pipe()
        self.output, output = posix.pipe()
        connected = [(posix.POSIX_SPAWN_DUP2, input_, 0), (posix.POSIX_SPAWN_DUP2, output, 1)]
        if errors:
            connected.append((posix.POSIX_SPAWN_DUP2, output, 2))
        try:
            self.pid = posix.posix_spawn(
                sys.executable,
                [sys.executable, *arguments],
                environment,
                file_actions=connected,
                setsid=True,  # Ctrl-C in the terminal is for this process alone
            )
        except BaseException:
            posix.close(self.input)
            posix.close(self.output)
            raise
        finally:
            posix.close(input_)
            posix.close(output)

    def read(self, seconds: float) -> bytes:
        """Wait, cooperatively, for what it prints and return it; nothing means that it has ended.

        Raise :exc:`TimeoutError` if there is nothing within so many seconds.
        """
        if not select.select([self.output], [], [], max(0.0, seconds))[0]:
            raise TimeoutError
        return posix.read(self.output, 1 << 16)

    def end(self) -> None:
        """Close its input, which lets it end, and wait for that; kill it after :data:`END_TIME`. To be called once."""
        posix.close(self.input)
        deadline = monotonic() + END_TIME
        try:
            while self.read(deadline - monotonic()):
                pass
        except TimeoutError:
            os.kill(self.pid, signal.SIGKILL)
        finally:
            posix.close(self.output)
            try:
                posix.waitpid(self.pid, 0)
            except ChildProcessError:  # gevent's loop takes the status of every child once it watches one
                pass
