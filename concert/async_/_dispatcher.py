"""Telling others what happened: senders, messages, and handlers that are served independently of each other."""

from __future__ import annotations

import logging
import weakref
from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from concert.async_._native import KillException, allocate_lock, members
from concert.async_._runtimes import fresh_context, start

LOG = logging.getLogger("concert.async")

Handler = Callable[[Any], Any]


class Subscriber:
    """One handler and what it has not been told yet."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.active = True
        self._senders: deque[Any] = deque()
        self._serving = False
        self._lock = allocate_lock()

    def tell(self, sender: Any) -> None:
        """Call the handler with *sender*, after what it was told before."""
        with self._lock:
            self._senders.append(sender)
            if self._serving:
                return
            self._serving = True
        self._start()

    def _start(self) -> None:
        # A context of its own: the handler holds none of the locks and belongs to none of the futures of who sends.
        fresh_context().run(start, self._serve, (), {}).detach()

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._senders or not self.active:
                    self._senders.clear()
                    self._serving = False
                    return
                sender = self._senders.popleft()
            try:
                self.handler(sender)
            except (Exception, KillException):  # a kill of something that the handler waited for
                name = getattr(self.handler, "__qualname__", repr(self.handler))
                LOG.exception("the handler %s failed", name)
            except BaseException:
                with self._lock:
                    self._serving = bool(self._senders)
                if self._serving:
                    self._start()
                raise
            del sender


class Dispatcher:
    """Passes messages from senders to the handlers that subscribed to them.

    Every handler gets its messages one after the other, in the order sent, and waits for no other handler. A handler
    that fails is logged and stays subscribed. All methods may be called from any greenlet and any native thread, and
    from handlers.

    A sender is an object, known by its identity and not kept alive by its subscriptions; only what cannot be weakly
    referenced, such as a string, is known by its value and kept until its last handler is unsubscribed.
    """

    def __init__(self) -> None:
        self._subscribers: dict[tuple[Hashable, Hashable], list[Subscriber]] = {}
        self._senders: dict[Hashable, Any] = {}
        self._lock = allocate_lock()

    def send(self, sender: Any, message: Hashable) -> None:
        """Tell the subscribers to *message* of *sender* of it, without waiting for them."""
        if not self._subscribers:
            return
        for subscriber in tuple(self._subscribers.get((_key(sender), message), ())):
            subscriber.tell(sender)

    def subscribe(self, sender: Any, message: Hashable, handler: Handler) -> None:
        """Call *handler* with *sender* as the only argument whenever *sender* sends *message*.

        A handler subscribed twice is called once.
        """
        if not callable(handler):
            raise TypeError(f"expected a callable handler of {message!r}, not {handler!r}")
        key = _key(sender)
        with self._lock:
            if key not in self._senders:
                self._senders[key] = self._reference(sender, key)
            subscribers = self._subscribers.setdefault((key, message), [])
            if all(subscriber.handler != handler for subscriber in subscribers):
                subscribers.append(Subscriber(handler))

    def unsubscribe(self, sender: Any, message: Hashable, handler: Handler) -> None:
        """Do not call *handler* any more, not even for what was sent already; an unknown handler is no error."""
        key = _key(sender)
        with self._lock:
            subscribers = self._subscribers.get((key, message), [])
            for subscriber in subscribers:
                if subscriber.handler == handler:
                    subscriber.active = False
                    subscribers.remove(subscriber)
                    break
            if not subscribers:
                self._subscribers.pop((key, message), None)
                if not any(sender_key == key for sender_key, _ in members(self._subscribers)):
                    self._senders.pop(key, None)

    def has_subscribers(self, sender: Any, message: Hashable) -> bool:
        """Tell whether anybody has subscribed to *message* of *sender*."""
        return (_key(sender), message) in self._subscribers

    def close(self) -> None:
        """Unsubscribe all handlers; what they have not been told yet is dropped."""
        with self._lock:
            subscribers = [each for group in members(self._subscribers.values()) for each in group]
            self._subscribers.clear()
            self._senders.clear()
        for subscriber in subscribers:
            subscriber.active = False

    def _reference(self, sender: Any, key: Hashable) -> Any:
        if not _weakly_referable(sender):
            return sender
        this = weakref.ref(self)

        def forget(_reference: Any) -> None:
            dispatcher = this()
            if dispatcher is not None:
                dispatcher._forget(key)

        return weakref.ref(sender, forget)

    def _forget(self, key: Hashable) -> None:
        # Called by the garbage collector, at any moment, even while the lock is held: single dictionary operations.
        self._senders.pop(key, None)
        for subscription in members(self._subscribers):
            if subscription[0] == key:
                self._subscribers.pop(subscription, None)


def _weakly_referable(sender: Any) -> bool:
    return type(sender).__weakrefoffset__ != 0


def _key(sender: Any) -> Hashable:
    """Return what a sender is known by: itself where it is a plain value, else its identity."""
    if not _weakly_referable(sender):
        try:
            hash(sender)
            return ("value", sender)
        except TypeError:
            pass
    return ("identity", id(sender))


dispatcher = Dispatcher()
