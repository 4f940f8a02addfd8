"""Which runtime runs a call: looked up when an asynchronous function is called, never when it is decorated."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from typing import Any, TypeVar

from concert import _cooperative, config
from concert.async_._future import Future
from concert.async_._pool import Jobs
from concert.async_._sync import SyncFuture
from concert.async_._threads import ThreadFuture

LOG = logging.getLogger("concert.async")

Kind = TypeVar("Kind", bound=Future)

FUTURES: dict[str, type[Future]] = {"threads": ThreadFuture, "sync": SyncFuture}
if _cooperative.state.cooperative:
    from concert.async_._greenlets import GreenletFuture

    FUTURES["gevent"] = GreenletFuture


class RuntimeName(str):
    """The name of a runtime, ``gevent``, ``threads`` or ``sync``, and as :attr:`reason` why it is in use."""

    reason: str

    def __new__(cls, name: str, reason: str) -> RuntimeName:
        self = super().__new__(cls, name)
        self.reason = reason
        return self


# What runs calls now, unless a block of code has chosen something else; set by _use.
_runtime: RuntimeName
_future_class: type[Future]
_chosen: ContextVar[type[Future] | None] = ContextVar("chosen_runtime", default=None)


def _choose(enable_async: bool, enable_gevent: bool) -> RuntimeName:
    if not enable_async:
        return RuntimeName("sync", "asynchronous execution is switched off (ENABLE_ASYNC)")
    if not enable_gevent:
        return RuntimeName("threads", "gevent is switched off (ENABLE_GEVENT)")
    return RuntimeName("gevent" if _cooperative.state.cooperative else "threads", _cooperative.state.reason)


def _use(name: RuntimeName) -> None:
    global _runtime, _future_class
    _runtime, _future_class = name, FUTURES[name]


def _allow_gevent(value: bool) -> None:
    if value and not _cooperative.state.cooperative:
        raise RuntimeError(
            f"gevent cannot be switched on any more: {_cooperative.state.reason}; "
            "set CONCERT_ENABLE_GEVENT=1 before concert is imported"
        )
    _use(_choose(config.ENABLE_ASYNC, value))


_use(_choose(config.ENABLE_ASYNC, config.ENABLE_GEVENT))
config.on_change("ENABLE_ASYNC", lambda value: _use(_choose(value, config.ENABLE_GEVENT)))
config.on_change("ENABLE_GEVENT", _allow_gevent)
if _runtime == "threads" and config.ENABLE_GEVENT:
    LOG.warning("asynchronous functions run in threads: %s", _runtime.reason)


def runtime() -> RuntimeName:
    """Return the name of the runtime that calls made here use; its ``reason`` says why it is this one."""
    chosen = _chosen.get()
    if chosen is None:
        return _runtime
    name = next(name for name, future_class in FUTURES.items() if future_class is chosen)
    return RuntimeName(name, "chosen for this block of code")


def disable() -> None:
    """Make asynchronous functions run at once and return finished futures, until :func:`enable`."""
    config.ENABLE_ASYNC = False


def enable() -> None:
    """Undo :func:`disable`."""
    config.ENABLE_ASYNC = True


@contextmanager
def using(name: str) -> Iterator[None]:
    """Run the calls made in the block, and in futures started there, with the runtime called *name*.

    *name* is ``gevent``, ``threads`` or ``sync``. Raise :exc:`ValueError` for another one, and :exc:`RuntimeError`
    for ``gevent`` where the process is not cooperative.
    """
    if name == "gevent" and name not in FUTURES:
        raise RuntimeError(f"the gevent runtime cannot be used: {_cooperative.state.reason}")
    if name not in FUTURES:
        raise ValueError(f"expected one of the runtimes {', '.join(FUTURES)}, not {name!r}")
    token = _chosen.set(FUTURES[name])
    try:
        yield
    finally:
        _chosen.reset(token)


def fresh_context() -> Context:
    """Return a context in which nothing is set but the runtime that was chosen here."""
    context = Context()
    context.run(_chosen.set, _chosen.get())
    return context


def context_for_events() -> Context:
    """Return a context as :func:`fresh_context` does, for what comes by itself and so cannot run synchronously."""
    context = fresh_context()
    if runtime() == "sync":
        context.run(_chosen.set, FUTURES["gevent" if "gevent" in FUTURES else "threads"])
    return context


def start(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Future:
    """Start a call of *function* and return its future."""
    future = (_chosen.get() or _future_class)(function, args, kwargs)
    future._launch()
    return future


def start_as(kind: type[Kind], *args: Any) -> Kind:
    """Start the future *kind*, a subclass of :class:`Future` with a constructor of its own, and return it.

    It runs as every other call made here does: the class is completed with what the runtime does to run futures.
    """
    future_class = _chosen.get() or _future_class
    future = _completed(kind, future_class)(*args)  # type: ignore[arg-type]  # classes can be hashed
    future._launch()
    return future


@functools.cache
def _completed(kind: Any, future_class: type[Future]) -> Any:
    return type(kind.__name__, (kind, future_class), {"__module__": kind.__module__, "__doc__": kind.__doc__})


def start_in_thread(function: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Future:
    """Start a call of *function* in a native thread, or run it at once where everything is synchronous."""
    future_class = _chosen.get() or _future_class
    future = (SyncFuture if future_class is SyncFuture else ThreadFuture)(function, args, kwargs)
    future._launch()
    return future


def start_beside(jobs: Jobs, function: Callable[..., Any], *args: Any) -> Future:
    """Start a call of *function* in a native thread that *jobs* provides, whatever the runtime: it blocks natively."""
    future = ThreadFuture(function, args, {})
    future.jobs = jobs
    future._launch()
    return future


def call(function: Callable[..., Any], *args: Any) -> Any:
    """Run *function* as a future of its own, wait for it, and return its result.

    Unlike ``start(...).result()`` this leaves nothing to be run behind when it is interrupted before it waits.
    """
    return (_chosen.get() or _future_class)(function, args, {}).result()
