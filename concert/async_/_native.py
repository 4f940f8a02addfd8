"""The interpreter's own threads and locks, whether or not the process is patched.

Under gevent ``threading`` means greenlets. What has to run or wait beside the hub takes the originals from here.
"""

from __future__ import annotations

from _queue import SimpleQueue
from collections.abc import Iterable
from typing import Any, TypeVar

try:
    from gevent import GreenletExit as KillException
    from gevent import monkey

    HAVE_GEVENT = True
except ImportError:  # gevent is optional: everything then runs on native threads
    HAVE_GEVENT = False

    class KillException(BaseException):  # type: ignore[no-redef]
        """Thrown into code that is cancelled or killed; the code may clean up and must let it pass."""


Member = TypeVar("Member")


def _original(module: str, name: str) -> Any:
    if HAVE_GEVENT:
        return monkey.get_original(module, name)
    return getattr(__import__(module), name)


start_new_thread = _original("_thread", "start_new_thread")
allocate_lock = _original("_thread", "allocate_lock")
allocate_rlock = _original("_thread", "RLock")
thread_ident = _original("_thread", "get_ident")
native_sleep = _original("time", "sleep")


def members(collection: Iterable[Member]) -> list[Member]:
    """Return what is in *collection*, to which other native threads may be adding."""
    while True:
        try:
            return list(collection)
        except RuntimeError:  # one has just done so
            pass


__all__ = [
    "HAVE_GEVENT",
    "KillException",
    "SimpleQueue",
    "allocate_lock",
    "allocate_rlock",
    "members",
    "native_sleep",
    "start_new_thread",
    "thread_ident",
]
