"""The one who calls HDF5: native threads, one at a time, because the library has one lock for everything."""

from __future__ import annotations

import platform
import sys
from collections import deque
from collections.abc import Callable
from typing import Any

from concert.async_._native import allocate_lock
from concert.async_._pool import pool
from concert.storage._ticket import Ticket


class Worker:
    """Runs functions in native threads, one after the other, in the order in which they were submitted.

    *prepare* is called, in such a thread, before them.
    """

    def __init__(self, prepare: Callable[[], None] | None = None) -> None:
        self._prepare = prepare
        self._lock = allocate_lock()
        self._jobs: deque[tuple[Callable[..., Any], tuple[Any, ...], Ticket]] = deque()
        self._at_work = False

    def submit(self, function: Callable[..., Any], *args: Any) -> Ticket:
        """Have *function* called with *args*; return what to wait for the outcome with."""
        ticket = Ticket()
        with self._lock:
            self._jobs.append((function, args, ticket))
            if not self._at_work:
                self._at_work = True
                pool.submit(self._work)
        return ticket

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Have *function* called with *args*, wait for it, and return or raise what it did."""
        return self.submit(function, *args).result()

    def _work(self) -> None:
        if self._prepare is not None:
            self._prepare()
        while True:
            with self._lock:
                if not self._jobs:
                    self._at_work = False
                    return
                function, args, ticket = self._jobs.popleft()
            try:
                value = function(*args)
            except Exception as error:
                ticket.settle(error=error)
            else:
                ticket.settle(value)
            function = args = ticket = value = None  # type: ignore[assignment]


def _load_h5py() -> None:
    """Import h5py, for which nobody has to wait who does not need it."""
    if "h5py" not in sys.modules:
        # It asks for this with a child process, which gevent can watch from the main thread only.
        vars(platform.uname()).setdefault("processor", platform.machine())
        import h5py  # noqa: F401


#: For all calls of h5py in the process.
hdf5 = Worker(_load_h5py)
