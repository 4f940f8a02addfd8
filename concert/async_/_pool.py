"""Native threads to run things on: started when needed, kept for a while, as many as can be at work at once."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from concert.async_._native import HAVE_GEVENT, allocate_lock, start_new_thread, thread_ident
from concert.async_._parking import HUB_THREAD, ThreadWaiter, call_in_hub, listen_to_threads

if HAVE_GEVENT:
    from gevent._hub_local import get_hub_if_exists

LOG = logging.getLogger("concert.async")

THREADS = 256  # at work at once; those that wait for a future do not count, so waiting cannot use them up
IDLE_TIME = 10.0  # seconds after which a thread without work ends

Job = Callable[[], None]


class Jobs(Protocol):
    """What takes jobs: the pool, or something that lets only some of them into it at a time."""

    def submit(self, job: Job) -> None:
        """Run *job* in a native thread; it should not raise, and is logged if it does."""


class Pool:
    """Runs jobs, functions that should not raise, on native threads."""

    def __init__(self, threads: int = THREADS, idle_time: float = IDLE_TIME) -> None:
        self._threads = threads
        self._idle_time = idle_time
        self._lock = allocate_lock()
        self._jobs: deque[Job] = deque()
        self._idle: dict[ThreadWaiter, int] = {}  # with the threads' identifiers
        self._at_work = 0
        self._listening = HUB_THREAD is None
        self.members: set[int] = set()  # the identifiers of its threads
        self.resting: set[int] = set()  # of those that wait for something to do without having ended their job

    @property
    def at_work(self) -> int:
        """How many threads are at work, or about to be; those that wait for a future are not."""
        return self._at_work

    def submit(self, job: Job) -> None:
        """Run *job* as soon as a thread is free."""
        if not self._listening:
            self._listening = True
            call_in_hub(listen_to_threads)
        with self._lock:
            self._jobs.append(job)
            self._employ()

    def block(self) -> None:
        """Say that the running thread is going to wait, and so does not count, until :meth:`unblock`."""
        with self._lock:
            self._at_work -= 1
            self._employ()

    def unblock(self) -> None:
        """Say that the running thread goes on."""
        with self._lock:
            self._at_work += 1

    def idle_threads(self) -> set[int]:
        """Return the identifiers of the threads that wait for something to do."""
        with self._lock:
            return set(self._idle.values()) | self.resting

    def _employ(self) -> None:
        if not self._jobs or self._at_work >= self._threads:
            return
        self._at_work += 1
        if self._idle:
            self._idle.popitem()[0].wake()
            return
        try:
            start_new_thread(self._work, ())
        except RuntimeError:  # the system gives no more threads: those there are will come to it
            self._at_work -= 1
            if not self._at_work:
                self._jobs.pop()
                raise

    def _work(self) -> None:
        waiter = ThreadWaiter()
        me = thread_ident()
        self.members.add(me)
        try:
            while True:
                self._run_jobs(waiter)
                waiter.sleep(self._idle_time)
                with self._lock:
                    if self._idle.pop(waiter, None) is not None:
                        return
        finally:
            self.members.discard(me)
            _forget_thread()

    def _run_jobs(self, waiter: ThreadWaiter) -> None:
        while True:
            with self._lock:
                if not self._jobs or self._at_work > self._threads:
                    self._at_work -= 1
                    self._idle[waiter] = thread_ident()
                    return
                job = self._jobs.popleft()
            _run_safely(job)
            del job


def _run_safely(job: Job) -> None:
    """Run the *job*; whatever it raises must not cost the pool a thread, or a share one of its places."""
    try:
        job()
    except BaseException:
        LOG.exception("the job %r failed", job)
    finally:
        del job  # a traceback may keep this frame, but must not keep the job


def _forget_thread() -> None:
    """Drop what others keep for the running thread, which is about to end."""
    threading._active.pop(threading.get_ident(), None)  # type: ignore[attr-defined]
    hub = get_hub_if_exists() if HAVE_GEVENT else None
    if hub is not None:  # patched code slept or waited in this thread
        hub.destroy(destroy_loop=True)


class Share:
    """A share of the pool for jobs that wait natively, for a network's answer: at most *threads* of them at once.

    The rest of them waits here. However long they take, they leave the pool's other threads to others, and do not count
    as being at work.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = allocate_lock()
        self._waiting: deque[Job] = deque()
        self._busy = 0

    @property
    def busy(self) -> int:
        """How many threads are in use."""
        return self._busy

    @property
    def waiting(self) -> int:
        """How many jobs wait for one of them."""
        return len(self._waiting)

    def submit(self, job: Job) -> None:
        """Run *job* as soon as a thread of the share is free."""
        with self._lock:
            if self._busy >= self._threads:
                self._waiting.append(job)
                return
            self._busy += 1
        try:
            pool.submit(lambda: self._run(job))
        except RuntimeError:
            with self._lock:
                self._busy -= 1
            raise

    def _run(self, job: Job) -> None:
        pool.block()
        try:
            while True:
                _run_safely(job)
                with self._lock:
                    if not self._waiting:
                        self._busy -= 1
                        return
                    job = self._waiting.popleft()
        finally:
            pool.unblock()


pool = Pool()
