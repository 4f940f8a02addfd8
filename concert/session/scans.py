"""The scans of a session: ``scans[42]``, ``scans.last``, ``scans.search(device="stage")``, and a table of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from concert.processes import ScanError, station
from concert.storage import Catalogue, StoredScan
from concert.tables import text_table

SHOWN = 20  # scans in a table, if nothing else is said


class Scans:
    """All scans that the session has stored, the oldest first; at the prompt, a table of the latest ones."""

    def __getitem__(self, number: int) -> StoredScan:
        return _catalogue()[number]

    def __len__(self) -> int:
        return len(_catalogue())

    def __iter__(self) -> Iterator[StoredScan]:
        return iter(_catalogue())

    @property
    def last(self) -> StoredScan:
        """The latest scan; raise :exc:`LookupError` if there is none."""
        return _catalogue().last

    def search(self, **conditions: Any) -> list[StoredScan]:
        """Return the scans for which all *conditions* hold, those of :meth:`.Catalogue.search`."""
        return _catalogue().search(**conditions)

    def __repr__(self) -> str:
        catalogue = _catalogue()
        latest = [catalogue[-back] for back in range(min(SHOWN, len(catalogue)), 0, -1)]
        rest = len(catalogue) - len(latest)
        before = [f"and {rest} before, in {catalogue.directory}"] if rest else []
        return "\n".join([table_of(latest) if latest else f"no scans yet in {catalogue.directory}", *before])


scans = Scans()


def table_of(stored: Sequence[StoredScan]) -> str:
    """Return a table with a line for each scan."""
    rows = [
        (
            str(scan.number),
            f"{scan.began:%Y-%m-%d %H:%M:%S}",
            scan.title,
            f"{scan.points}" if scan.expected is None else f"{scan.points}/{scan.expected}",
            scan.status,
        )
        for scan in stored
    ]
    return text_table(("#", "began", "scan", "points", "status"), rows)


def _catalogue() -> Catalogue:
    if station.catalogue is None:
        raise ScanError("scans are stored in sessions only, and this is none; Catalogue(directory) has those of one")
    return station.catalogue
