"""The one who calls HDF5: native threads, one at a time, because the library has one lock for everything."""

from __future__ import annotations

import atexit
import platform
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Any

from concert.async_._native import allocate_lock, native_sleep
from concert.async_._pool import pool
from concert.storage._ticket import Ticket

PATIENCE = 10.0  # seconds


def wait_natively(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds, but not for ever: for the end of the process, when there is no hub any more."""
    deadline = monotonic() + PATIENCE
    while not condition() and monotonic() < deadline:
        native_sleep(0.001)


class Worker:
    """Runs functions in native threads, one after the other, in the order in which they were submitted.

    *prepare* is called before, by who submits something.
    """

    def __init__(self, prepare: Callable[[], None] = lambda: None) -> None:
        self.prepare = prepare
        self._lock = allocate_lock()
        self._jobs: deque[tuple[Callable[..., Any], tuple[Any, ...], Ticket]] = deque()
        self._at_work = False
        self._closed = False
        #: Functions that are called at the end of the process.
        self.at_end: set[Callable[[], None]] = set()

    def submit(self, function: Callable[..., Any], *args: Any) -> Ticket:
        """Have *function* called with *args*; return what to wait for the outcome with."""
        self.prepare()
        ticket = Ticket()
        with self._lock:
            if self._closed:
                ticket.settle(error=RuntimeError("nothing can be written any more: the process ends"))
                return ticket
            self._jobs.append((function, args, ticket))
            if not self._at_work:
                self._at_work = True
                pool.submit(self._work)
        return ticket

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Have *function* called with *args*, wait for it, and return or raise what it did."""
        return self.submit(function, *args).result()

    def close(self) -> None:
        """Return when nothing is being done any more, and do nothing else but what is for the end: the process ends.

        A thread that stops in the middle of HDF5, as all do then, holds its lock, for which the end waits for ever. And
        the library must not write to our files after that, when it cannot call Python any more.
        """
        with self._lock:
            self._closed = True
            self._jobs.clear()
        wait_natively(lambda: not self._at_work)
        if not self._at_work:
            for function in tuple(self.at_end):
                function()

    def _work(self) -> None:
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


_loaded = False


def load_h5py() -> None:
    """Import h5py, which takes a moment, and see to it that nothing is in the middle of it when the process ends.

    Not in the background: the process crashes at its end if that comes in the middle of the import.
    """
    global _loaded
    if not _loaded:
        # It asks for this with a child process, which gevent can watch from the main thread only.
        vars(platform.uname()).setdefault("processor", platform.machine())
        import h5py  # noqa: F401

        _loaded = True
        atexit.register(hdf5.close)  # before what h5py has registered


#: For all calls of h5py in the process.
hdf5 = Worker(load_h5py)
