"""The events of a Tango server that a device passes on to the subscribers of its parameters."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from typing import Any

from concert.networking.tango import TangoError, TangoEvent, TangoSubscription

Subscribe = Callable[[Callable[[TangoEvent], None]], TangoSubscription]

LOG = logging.getLogger("concert.devices.tango")


class Feeds(dict[str, TangoSubscription]):
    """The subscriptions of one device, by the names of its parameters."""

    def begin(self, value: Any, subscribe: Subscribe, told: Callable[[Any], Any]) -> None:
        """Call *told* with *value*, a parameter of the device, for every event; *subscribe* asks for them."""
        if value.name in self:
            return
        reference = weakref.ref(value)

        def tell(event: TangoEvent) -> None:
            fed = reference()
            if fed is not None and event.error is None and not event.initial:
                told(fed)

        subscription = subscribe(tell)
        if self.setdefault(value.name, subscription) is not subscription:  # of two at the same time
            subscription.close()

    def end(self, value: Any) -> None:
        """End what :meth:`begin` began."""
        subscription = self.pop(value.name, None)
        if subscription is not None:
            try:
                subscription.close()
            except TangoError as error:
                LOG.warning("%s", error)
