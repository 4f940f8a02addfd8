"""Exclusive access to a device that is served elsewhere: held here, among this process's own, and there."""

from __future__ import annotations

from typing import Any

from concert.async_ import Future, async_
from concert.async_._native import allocate_rlock
from concert.base._exclusive import Exclusion, held_parts
from concert.networking._served import Served


class _RemoteHold:
    """A hold there, for all who have acquired the same here."""

    future: Future | None = None  # which acquires it
    held: str | None = None  # what releases it, once it is held
    count = 0


class RemoteExclusion(Exclusion):
    """Who may use the *device* now: one of this process after the other, and of them, who holds it there as well."""

    def __init__(self, device: Any, served: Served) -> None:
        super().__init__(device)
        self._served = served
        self._holds: dict[str | None, _RemoteHold] = {}
        self._lock = allocate_rlock()  # native threads come here as well; entered again where everything is synchronous

    def hold_of(self, part: str | None) -> str | None:
        """Return the hold there under which the running code uses *part*, if it holds the device, or *part*, here."""
        for held in held_parts(self):
            hold = self._holds.get(held)
            if hold is not None and (held is None or held == part or part is None) and hold.held is not None:
                return hold.held
        return None

    def acquire(self, part: str | None) -> None:
        """Hold the device, or its parameter *part*, here and there."""
        under = self.hold_of(part)
        super().acquire(part)
        try:
            self._acquire_there(part, under)
        except BaseException:
            super().release(part)
            raise

    def release(self, part: str | None) -> None:
        """Undo the running code's last :meth:`acquire` of the same."""
        hold = self._holds.get(part)
        try:
            if hold is not None:
                self._release_there(part, hold)
        finally:
            super().release(part)

    def _acquire_there(self, part: str | None, under: str | None) -> None:
        with self._lock:
            hold = self._holds.setdefault(part, _RemoteHold())
            hold.count += 1
        try:
            with self._lock:
                if hold.future is None:
                    hold.future = async_(self._hold_there)(hold, part, under)
                    hold.future.label = f"holding {self.name_of(part)}"
            hold.future.result()
        except BaseException:
            self._release_there(part, hold)
            raise

    def _hold_there(self, hold: _RemoteHold, part: str | None, under: str | None) -> None:
        held = self._served.hold(part, under)
        with self._lock:
            hold.held = held
            wanted = hold.count > 0
        if not wanted:  # those who waited for it were killed as it came
            self._served.release(held)

    def _release_there(self, part: str | None, hold: _RemoteHold) -> None:
        if self._forget(part, hold) and hold.held is not None:
            self._served.release(hold.held)

    def _forget(self, part: str | None, hold: _RemoteHold) -> bool:
        """Count that one has gone; return whether it was the last."""
        with self._lock:
            hold.count -= 1
            if hold.count:
                return False
            self._holds.pop(part, None)
            return True
