"""What runs in the background, for whoever shows it: what it is, how far it is and how long it will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from concert.async_ import _scope
from concert.async_._native import members
from concert.async_._scope import running_future

if TYPE_CHECKING:
    from concert.async_._future import Future


@runtime_checkable
class Job(Protocol):
    """Something that runs in the background and can be asked how far it is; asking takes no time."""

    @property
    def progress(self) -> float | None:
        """The part that is done, 0 to 1; None if nobody can tell."""

    @property
    def remaining(self) -> float | None:
        """How long it will still take, in seconds; None if nobody can tell."""

    def describe(self) -> str:
        """Return what it is in a few words: ``scan 214 mesh``."""


_registered: list[Job] = []
_started: WeakKeyDictionary[Future, float] = WeakKeyDictionary()  # when the commands' futures were made


@contextmanager
def background_job(job: Job) -> Iterator[None]:
    """Let *job* be one of the :func:`background_jobs` during the block."""
    _registered.append(job)
    try:
        yield
    finally:
        _registered.remove(job)


def background_jobs() -> list[Job]:
    """Return what runs in the background: the jobs that were registered, then the futures that commands started.

    Futures are known from :func:`note_futures` on.
    """
    unfinished = [future for future in members(_started) if not future.done()]
    # A scan, for example, is a future that knows more of itself than when it was started.
    return [*_registered, *(future if isinstance(future, Job) else FutureJob(future) for future in unfinished)]


def note_futures() -> None:
    """Remember from now on the futures that are started by commands, and not by other futures."""
    _scope.on_command_future = lambda future: _started.setdefault(future, monotonic())


def tell_progress(fraction: float, label: str | None = None) -> None:
    """Say that the *fraction* of the running asynchronous function is done, 0 to 1, and what it does as a *label*.

    Outside of asynchronous functions this does nothing.
    """
    future = running_future.get()
    if future is not None:
        future.progress = min(max(float(fraction), 0.0), 1.0)
        future.label = future.label if label is None else label


class FutureJob:
    """A *future* as a job; how long it will take is reckoned from how far it has come in which time."""

    def __init__(self, future: Future) -> None:
        self.future = future

    def describe(self) -> str:
        """Return the future's name."""
        return self.future.name

    @property
    def progress(self) -> float | None:
        """The part that is done, if the code has said so."""
        return self.future.progress

    @property
    def remaining(self) -> float | None:
        """How long it will take if it goes on as it went so far, in seconds."""
        return remaining_time(monotonic() - _started.get(self.future, monotonic()), self.progress)


def remaining_time(elapsed: float, progress: float | None) -> float | None:
    """Return how long what has come to *progress* in *elapsed* seconds will still take; None if it cannot be told."""
    return elapsed * (1 - progress) / progress if progress else None
