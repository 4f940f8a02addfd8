"""Finding what a test leaves behind: greenlets, native threads and open sockets."""

from __future__ import annotations

import _socket
import gc
import os
import socket
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from time import monotonic, sleep  # bound here: real time, also under a virtual clock
from types import FrameType
from typing import Any
from weakref import WeakSet

import pytest

from concert import _cooperative
from concert.async_._native import thread_ident
from concert.async_._pool import pool
from concert.async_._scope import running_future

if _cooperative.state.cooperative:
    from gevent import get_hub
    from gevent.hub import Hub
    from greenlet import getcurrent, greenlet

    from concert.async_ import _greenlets as _greenlets_of_runtime

SETTLING_TIME = 1.0  # seconds that things which are about to end get for it

_DESCRIPTORS = "/proc/self/fd"


class Check:
    """A check for leaks; it can be called off while the code is running."""

    wanted = True


@contextmanager
def nothing_left_behind() -> Iterator[Check]:
    """Fail, in the manner of pytest, if the block leaves greenlets, native threads or sockets; name them.

    Concert's own idle workers do not count. Things that end within :data:`SETTLING_TIME` are not left behind.
    """
    # Objects from before the block are hidden from the garbage collector, so that a look at all others takes 1 ms.
    nested = gc.get_freeze_count() > 0
    if not nested:
        gc.freeze()
    try:
        before = _Snapshot()
        check = Check()
        yield check
        left = _settle(before) if check.wanted else []
        if left:
            pytest.fail("the test left behind: " + "; ".join(left), pytrace=False)
    finally:
        if not nested:
            gc.unfreeze()


class _Snapshot:
    """What there is at one moment."""

    def __init__(self) -> None:
        self._greenlets = WeakSet(_greenlets())
        self._idle_workers = _idle_workers()
        self._threads = set(_threads())
        self._sockets = set(_sockets())

    def describe_newer(self) -> list[str]:
        """Return descriptions of what there is now and was not then."""
        return [
            *(_describe_greenlet(each) for each in self._newer_greenlets()),
            *(_describe_thread(thread, frame) for thread, frame in _threads().items() if thread not in self._threads),
            *(_describe_socket(descriptor) for key, descriptor in _sockets().items() if key not in self._sockets),
        ]

    def _newer_greenlets(self) -> list[Any]:
        # A worker that was idle then and is not now runs something newer than itself.
        employed = set(self._idle_workers) - set(_idle_workers())
        return [each for each in {*_greenlets(), *employed} if each not in self._greenlets and not each.dead]


def _settle(before: _Snapshot) -> list[str]:
    """Wait until nothing is left that is newer than *before*; return the descriptions of what stays."""
    deadline = monotonic() + SETTLING_TIME
    pause = 0.0
    while left := before.describe_newer():
        if monotonic() > deadline:
            break
        sleep(pause)
        if pause:
            gc.collect()  # a socket in a reference cycle is closed by nobody else
        pause = min(2 * pause + 0.001, 0.05)
    return left


def _greenlets() -> list[Any]:
    """Return the greenlets that are neither finished nor idle workers nor part of a native thread."""
    if not _cooperative.state.cooperative:
        return []
    own = {id(each) for each in (getcurrent(), *_idle_workers(), *_resolvers())}
    # A thread's main greenlet has no parent.
    return [
        each
        for each in gc.get_objects()
        if isinstance(each, greenlet)
        and (each and each.parent is not None and not isinstance(each, Hub) and id(each) not in own)
    ]


def _idle_workers() -> list[Any]:
    """Return the greenlets that wait for the next call."""
    return list(_greenlets_of_runtime._idle) if _cooperative.state.cooperative else []


def _resolvers() -> Collection[Any]:
    """Return the workers of the pool of native threads in which gevent looks up host names."""
    pool_of_hub = get_hub()._threadpool if _cooperative.state.cooperative else None
    return () if pool_of_hub is None else pool_of_hub._worker_greenlets


def _threads() -> dict[int, FrameType]:
    """Return where the native threads that run Python code are, without the idle ones of pools that stay."""
    own = pool.idle_threads() | {thread_ident()} | {worker._thread_ident for worker in _resolvers()}
    return {thread: frame for thread, frame in sys._current_frames().items() if thread not in own}


def _sockets() -> dict[str, int]:
    """Return the descriptors of the open sockets by a key that is not used twice."""
    try:
        descriptors = os.listdir(_DESCRIPTORS)
    except FileNotFoundError:  # not Linux
        sockets = [each for each in gc.get_objects() if isinstance(each, socket.socket)]
        return {f"object {id(each)}": each.fileno() for each in sockets if each.fileno() >= 0}
    # Tango keeps the connections to its servers, for as long as it likes.
    owned = _owned_descriptors() if "tango" in sys.modules else None
    found = {}
    for descriptor in descriptors:
        try:
            target = os.readlink(f"{_DESCRIPTORS}/{descriptor}")
        except OSError:  # listing the folder needed one itself
            continue
        if target.startswith("socket:") and (owned is None or int(descriptor) in owned):
            found[target] = int(descriptor)
    return found


def _owned_descriptors() -> set[int]:
    """Return the descriptors of the sockets that belong to Python objects."""
    return {each.fileno() for each in gc.get_objects() if isinstance(each, socket.socket | _socket.socket)}


def _describe_greenlet(each: Any) -> str:
    future = each.gr_context.get(running_future) if each.gr_context is not None else None
    thread = threading._active.get(id(each))  # type: ignore[attr-defined]
    return f"greenlet of {future.name if future is not None else thread or each!r}{_place(each.gr_frame)}"


def _describe_thread(thread: int, frame: FrameType) -> str:
    named = threading._active.get(thread)  # type: ignore[attr-defined]
    return f"native thread {named.name if named is not None else thread}{_place(frame)}"


def _describe_socket(descriptor: int) -> str:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            address = copy.getsockname()
            try:
                return f"socket {address} connected to {copy.getpeername()}"
            except OSError:
                return f"socket {address}, not connected"
    except OSError as error:  # closed meanwhile, or of a family without addresses
        return f"socket ({error})"


def _place(frame: FrameType | None) -> str:
    """Say where the code is, skipping the machinery it waits in."""
    if frame is not None and _cooperative.state.cooperative and frame.f_code is Hub.run.__code__:
        frame = frame.f_locals["self"].parent.gr_frame  # the thread runs a hub while its code waits
    innermost = frame
    while frame is not None and frame.f_globals.get("__name__", "").startswith(
        ("gevent", "threading", "concert.async_")
    ):
        frame = frame.f_back
    frame = frame or innermost
    return "" if frame is None else f" in {frame.f_code.co_qualname}, {frame.f_code.co_filename}:{frame.f_lineno}"
