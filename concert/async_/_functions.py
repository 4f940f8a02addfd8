"""What authors of asynchronous functions use: the decorators, and waiting for many futures."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, ParamSpec

from concert.async_._future import Future, give_up
from concert.async_._parking import park
from concert.async_._runtimes import start, start_in_thread
from concert.quantities import seconds

P = ParamSpec("P")


def async_(function: Callable[P, Any]) -> Callable[P, Future]:
    """Make *function* asynchronous: calling it returns a :class:`Future` and never raises.

    The function itself is written as if it blocked: it may sleep, use sockets, take locks and wait for other futures.

    >>> @async_
    ... def double(x):
    ...     return 2 * x
    >>> double(4).result()
    8
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Future:
        return start(function, args, kwargs)

    call.asynchronous = async_  # type: ignore[attr-defined]  # so that other decorators can reach inside
    return call


def threaded(function: Callable[P, Any]) -> Callable[P, Future]:
    """Make *function* asynchronous and run it in a native thread.

    For code that blocks without Python's knowledge (a C library's calls) or computes for long: neither keeps other
    futures from running. It must not touch greenlets' things. Calling the function returns a :class:`Future`.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Future:
        return start_in_thread(function, args, kwargs)

    call.asynchronous = threaded  # type: ignore[attr-defined]
    return call


def wait(futures: Iterable[Future], timeout: Any = None) -> None:
    """Wait until all *futures* are done, then raise the first failure, in the order given.

    Other failures are named in a note of that exception. *timeout* is a time, as a quantity or in seconds; when it
    passes, :exc:`TimeoutError` is raised and the futures go on.
    """
    futures = list(futures)
    limit = None if timeout is None else seconds(timeout)
    try:
        in_time = _wait_for_all(futures, limit)
    except BaseException as interruption:
        give_up(futures, interruption)
        raise
    if not in_time:
        late = [future.name for future in futures if not future._done]
        raise TimeoutError(f"{len(late)} of {len(futures)} have not finished within {limit:g} s: {', '.join(late)}")
    failure = _first_failure(futures)
    if failure is not None:
        try:
            raise failure
        finally:
            del futures, failure  # the traceback must not keep them alive


def _wait_for_all(futures: list[Future], timeout: float | None) -> bool:
    """Return whether all are done before *timeout* seconds have passed."""
    deadline = None if timeout is None else monotonic() + timeout
    for future in futures:
        if not future._done and not park(future, None if deadline is None else max(0.0, deadline - monotonic())):
            return False
    return True


def _first_failure(futures: list[Future]) -> BaseException | None:
    """Return the first failure, with a note that names the others."""
    failures = [(future, exception) for future in futures if (exception := future.exception()) is not None]
    if not failures:
        return None
    first = failures[0][1]
    for future, exception in failures[1:]:
        note = f"{future.name} failed as well: {type(exception).__name__}: {exception}"
        if exception is not first and note not in getattr(first, "__notes__", ()):
            first.add_note(note)
    return first


def resolve(futures: Iterable[Future]) -> list[Any]:
    """Return the results of *futures*, in their order: the tuples (x, y, ...) of a scan, for example.

    Raise as :func:`wait` does.
    """
    futures = list(futures)
    wait(futures)
    return [future.result() for future in futures]
