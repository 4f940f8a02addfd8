"""What goes with a session while it is open, at a prompt or without one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from concert.session import audit
from concert.session.loader import make_importable
from concert.session.running import STOP_SIGNAL, registered
from concert.session.stop_signal import stop_on_signal


@contextmanager
def opened(name: str) -> Iterator[None]:
    """Keep the audit trail of the session *name*, and let other terminals stop its devices, during the block."""
    before = signal.getsignal(STOP_SIGNAL)
    make_importable()
    audit.set_up(name)
    stop_on_signal()
    try:
        with registered(name):
            yield
    finally:
        audit.close()
        signal.signal(STOP_SIGNAL, before)
