"""``concert scan``: one scan of a session, without a prompt."""

from __future__ import annotations

import argparse

from concert import processes
from concert.helpers import Command
from concert.processes import SCANS, Check
from concert.session import logs, management, prelude
from concert.session.lines import translate_verb
from concert.session.loader import load
from concert.session.management import SessionError
from concert.session.opening import opened


class ScanCommand(Command):
    """Load a session and do one scan, as it would be typed at the prompt."""

    def __init__(self) -> None:
        super().__init__(
            "scan",
            {
                "--data": {"metavar": "DIRECTORY", "help": "where scans are stored (default: ~/data/NAME)"},
                "session": {"metavar": "NAME", "help": "the session, or a Python file"},
                "line": {
                    "metavar": "SCAN",
                    "nargs": argparse.REMAINDER,
                    "help": "ascan stage 0 mm 10 mm 20 0.1 s; with --dry-run at the end it is only checked",
                },
            },
        )

    def run(self, session: str, line: list[str], data: str | None = None) -> None:  # type: ignore[override]
        """Do the scan that *line* says in the session called *session*, or in the file."""
        path = management.find(session)
        logs.set_up(path.stem)
        with opened(path.stem, path, data):
            names = {**vars(prelude), **{name: getattr(processes, name) for name in SCANS}, **vars(load(path))}
            typed = " ".join(line)
            code = translate_verb(typed, SCANS, names)
            if line[:1] == ["ct"]:
                raise SessionError("ct is no scan and stores nothing; to read once and store it: loopscan 1 1 s")
            if code == typed:
                raise SessionError(f"expected a scan, such as: ascan stage 0 mm 10 mm 20 0.1 s, not {typed!r}")
            result = eval(compile(code, "<scan>", "eval"), names)
            if isinstance(result, Check):
                print(result)
                if not result:
                    raise SessionError(f"{typed.removesuffix('--dry-run').strip()} would be refused")
