"""Recording a scan: its points become durable, and what hinders that makes it pause."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from concert.async_._scope import current_command
from concert.base import ParameterValue
from concert.processes._memory import MemoryRecord
from concert.processes._plan import plan_of
from concert.processes._points import Points
from concert.processes._snapshot import snapshot
from concert.processes._station import station
from concert.storage import Header, StorageError

if TYPE_CHECKING:
    from concert.processes._run import Run

RETRY = 1.0  # seconds between two attempts to store what could not be stored


class Recording:
    """Keeps the points of *run*, in the catalogue of the session or else in memory.

    With *number* they are added to those of that scan. *pausing* gives the block in which the run pauses for a reason.
    """

    def __init__(self, run: Run, number: int | None, pausing: Callable[[str], AbstractContextManager[None]]) -> None:
        self._run = run
        self._scan = scan = run.scan
        self._number = number
        self._pausing = pausing
        self._command = current_command().text  # as it was typed
        began = datetime.now().astimezone()
        self.first = 0  # the index of the first point of this part
        self.record: Any = MemoryRecord(lambda rows: scan.data(rows, began))

    @property
    def elapsed(self) -> float:
        """The seconds since the scan began, also if that was in another process."""
        return self._run.elapsed if self.record.number is None else self.record.elapsed()

    def begin(self, points: Points, origins: Mapping[ParameterValue, Any]) -> None:
        """Begin the record, if scans are stored: from here on the scan has a number.

        The scan really goes to *points*, and back to *origins*. Raise :exc:`.StorageError` if nothing can be stored.
        """
        catalogue = station.catalogue
        if catalogue is None:
            return
        if self._number is None:
            self.record = catalogue.begin(self._header(points, origins))
        else:
            self.record = catalogue.reopen(self._number)
            self.first = self.record.durable
            self._run.report(self.first)
        if self._scan.gather:
            self.record.on_durable = self._run.report

    def store(self, row: tuple[Any, ...]) -> None:
        """Add a point, and report it when it is durable; pause while that is impossible."""
        record = self.record
        try:
            record.append(row, not self._scan.gather)
        except StorageError as error:  # the record has kept the point
            self._flush_in_a_pause(error)
        self._run.report(record.durable)

    def flush(self) -> None:
        """Return when all points are durable; pause while that is impossible."""
        try:
            self.record.flush()
        except StorageError as error:
            self._flush_in_a_pause(error)

    def finish(self, status: str, reason: str) -> None:
        """Close the record, with what devices are set to now; wait while that is impossible."""
        after = None if self.record.number is None else snapshot()
        while True:
            try:
                self.record.finish(status, reason, after)
                break
            except StorageError as error:
                self._wait_after(error)
        self._run.report(self.record.durable)

    def _flush_in_a_pause(self, error: StorageError) -> None:
        """Pause until the points can be stored, which they could not because of *error*, or the scan is to end."""
        with self._pausing(str(error)):
            while not self._run.stopping:
                self._wait_after(error)
                try:
                    self.record.flush()
                    return
                except StorageError as again:
                    error = again

    def _wait_after(self, error: StorageError) -> None:
        """Say what hinders, and wait a moment."""
        run, reason = self._run, str(error)
        if (run.status, run.reason) != ("paused", reason):
            run.enter("paused", reason)
        run.changed.wait(RETRY)
        run.changed.clear()

    def _header(self, points: Points, origins: Mapping[ParameterValue, Any]) -> Header:
        scan = self._scan
        return Header(
            title=scan.title,
            command=self._command or scan.title,
            kind=scan.kind,
            expected=points.expected,
            columns=scan.columns,
            session=station.session,
            plan={"file": station.path, **plan_of(scan, points, origins)},
            metadata={**station.metadata, **scan.metadata},
            snapshot=snapshot(),
            full_sync=station.full_sync,
        )
