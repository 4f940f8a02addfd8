"""``concert import``, its alias ``fetch``, and ``export``: sessions from and for other machines."""

from __future__ import annotations

from concert.helpers import Command
from concert.session import archive, management


class ImportCommand(Command):
    """Import sessions from files, web addresses, zip archives or git repositories."""

    def __init__(self, name: str = "import") -> None:
        super().__init__(
            name,
            {
                "sources": {
                    "metavar": "FILE|URL",
                    "nargs": "+",
                    "help": "a session, imaging.py, or a zip archive of sessions",
                },
                "--force": {"action": "store_true", "help": "replace sessions that exist"},
                "--repo": {
                    "action": "store_true",
                    "help": "the sources are git repositories",
                },
            },
        )

    def run(self, sources: list[str], force: bool, repo: bool) -> None:  # type: ignore[override]
        """Import the sessions in the *sources*: all of them, or none."""
        read = archive.read_repository if repo else archive.read
        sessions = archive.merged(read(source) for source in sources)
        management.add(sessions, force)
        print(f"imported {', '.join(sorted(sessions))}")


class FetchCommand(ImportCommand):
    """The same as import."""

    def __init__(self) -> None:
        super().__init__("fetch")


class ExportCommand(Command):
    """Export all sessions to a zip archive."""

    def __init__(self) -> None:
        super().__init__("export", {"file": {"metavar": "FILE", "help": "the archive, .zip is added if it is missing"}})

    def run(self, file: str) -> None:  # type: ignore[override]
        """Write all sessions to the archive *file*."""
        print(archive.export(file))
