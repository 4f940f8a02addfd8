"""What can go wrong with scans."""

from __future__ import annotations

from concert.async_ import KillException


class ScanError(RuntimeError):
    """Raised when a scan cannot be done as it was described, or did not end as it should."""


class ScanAborted(KillException):
    """What ends the code of a scan that is aborted, and what its result then raises."""
