"""Making the process cooperative: the one place where anything is patched, and the only thing importing concert does.

Blocking code (``time.sleep``, sockets, locks) of a cooperative process lets other code run while it waits. Patching
is refused where it is known to break things, and :data:`state` says what was decided and why.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from concert import config


class State(NamedTuple):
    """Whether the process is *cooperative*, and the *reason* as a sentence for people."""

    cooperative: bool
    reason: str


def make_cooperative() -> State:
    """Patch the process with gevent if that is wanted and safe; return the new :class:`State`."""
    if not config.ENABLE_GEVENT:
        return State(False, "gevent is switched off (ENABLE_GEVENT)")
    try:
        from gevent import monkey
    except ImportError:
        return State(False, "gevent is not installed")
    if monkey.is_module_patched("threading") and monkey.is_module_patched("socket"):
        _log_under_native_locks()
        return State(True, "the process had been patched before concert was imported")
    obstacle = _obstacle()
    if obstacle:
        return State(False, obstacle)
    with _plugins_looked_up_once():
        # urllib3 keeps its own subclass of SSLContext; patched underneath it, every context recurses without end.
        monkey.patch_all(ssl="urllib3" not in sys.modules)
    _log_under_native_locks()
    return State(True, "the process was made cooperative when concert was imported")


@contextmanager
def _plugins_looked_up_once() -> Iterator[None]:
    """Let gevent look for its plug-ins once, and not through all installed packages for each module that it patches.

    That would be a good part of the time that a program takes to start.
    """
    from importlib.metadata import entry_points

    from gevent import events

    look_up = getattr(events, "notify_and_call_entry_points", None)
    if look_up is None:  # another gevent, which may do it in another way
        yield
        return
    installed = entry_points()

    def notify(event: Any) -> None:
        events.notify(event)
        for plugin in installed.select(group=event.ENTRY_POINT_NAME):
            plugin.load()(event)

    events.notify_and_call_entry_points = notify
    try:
        yield
    finally:
        events.notify_and_call_entry_points = look_up


def _log_under_native_locks() -> None:
    """Give the logging module, and all its handlers, the interpreter's own locks again.

    Gevent's lose wake-ups between native threads, and whoever logs, in any greenlet or thread, would wait for ever.
    These stop the hub for the time of one record. They belong to a thread: a handler that lets other greenlets run
    while it writes, to a socket for example, may get their records meanwhile.
    """
    from gevent import monkey

    new_lock = monkey.get_original("_thread", "RLock")

    def create_lock(handler: logging.Handler) -> None:
        """Make the lock of the *handler*."""
        handler.lock = new_lock()
        logging._register_at_fork_reinit_lock(handler)  # type: ignore[attr-defined]

    logging.Handler.createLock = create_lock  # type: ignore[method-assign, assignment]
    logging._lock = new_lock()  # type: ignore[attr-defined]
    for reference in tuple(logging._handlerList):  # type: ignore[attr-defined]
        handler = reference()
        if handler is not None and handler.lock is not None:
            handler.createLock()


def _obstacle() -> str | None:
    """Say why this process must not be patched, or None."""
    if threading.current_thread() is not threading.main_thread():
        return "concert was imported in a thread that is not the main thread"
    if in_notebook():
        return "a notebook kernel does not survive patching"
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        return "an asyncio loop is running"
    # Python threads only: the threads of a BLAS library never take one of our locks.
    if len(sys._current_frames()) > 1:
        return "other native threads were running when concert was imported"
    return None


def in_notebook() -> bool:
    """Tell whether this is the kernel of a notebook."""
    kernelapp = sys.modules.get("ipykernel.kernelapp")
    if kernelapp is not None and kernelapp.IPKernelApp.initialized():
        return True
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


state = make_cooperative()
