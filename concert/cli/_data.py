"""Where commands look for scans."""

from __future__ import annotations

from pathlib import Path

from concert import config
from concert.session.management import SessionError
from concert.storage import Catalogue, StoredScan

CATALOGUE = "scans.sqlite"
ADVICE = "say where they are with --data"


def data_directory(data: str | None) -> Path:
    """Return where to look for scans of nobody knows which session: by default, where the latest one is."""
    if data or config.DATA:
        return Path(data or config.DATA).expanduser()
    home = Path("~/data").expanduser()
    catalogues = sorted(home.glob(f"*/{CATALOGUE}"), key=lambda file: file.stat().st_mtime)
    return catalogues[-1].parent if catalogues else home


def catalogue_in(data: str | None, advice: str = ADVICE) -> Catalogue:
    """Return the catalogue of the scans in the directory *data*; raise :exc:`.SessionError` if there are none."""
    directory = data_directory(data)
    catalogue = Catalogue(directory)
    if not len(catalogue):
        raise SessionError(f"there are no scans in {directory}; {advice}")
    return catalogue


def scan_in(data: str | None, number: int | None, advice: str = ADVICE) -> StoredScan:
    """Return scan *number*, else the latest one, of those in the directory *data*; *advice* is for who has it not."""
    catalogue = catalogue_in(data, advice)
    try:
        return catalogue.last if number is None else catalogue[number]
    except LookupError as error:
        raise SessionError(f"{error}; {advice}") from error
