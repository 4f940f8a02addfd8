"""Running things: asynchronous functions, their futures, and messages between them.

The documented spelling ``concert.async`` names this same module; Python reserves the word, so in plain modules it is
``concert.async_`` and the decorator is ``async_``.
"""

from concert.async_._dispatcher import Dispatcher, dispatcher
from concert.async_._event import Event
from concert.async_._failures import UnhandledFailure, unhandled
from concert.async_._functions import async_, resolve, threaded, wait
from concert.async_._future import Future
from concert.async_._interrupts import install as _install_interrupts
from concert.async_._interrupts import shielded
from concert.async_._jobs import Job, background_job, background_jobs, note_futures, tell_progress
from concert.async_._native import HAVE_GEVENT, KillException
from concert.async_._runtimes import disable, enable, runtime, using

__all__ = [
    "HAVE_GEVENT",
    "Dispatcher",
    "Event",
    "Future",
    "Job",
    "KillException",
    "UnhandledFailure",
    "async_",
    "background_job",
    "background_jobs",
    "disable",
    "dispatcher",
    "enable",
    "note_futures",
    "resolve",
    "runtime",
    "shielded",
    "tell_progress",
    "threaded",
    "unhandled",
    "using",
    "wait",
]

globals()["async"] = async_
_install_interrupts()
