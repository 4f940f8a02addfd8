"""``concert start``: a session at a prompt, or without one."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import platformdirs

from concert.helpers import Command
from concert.session import logs, management
from concert.session.loader import load
from concert.session.opening import opened
from concert.session.statements import offline_in
from concert.session.telling import tell, tell_offline


class StartCommand(Command):
    """Open a session at a prompt."""

    def __init__(self) -> None:
        super().__init__(
            "start",
            {
                "session": {"metavar": "NAME", "nargs": "?", "help": "the session; without one the prompt is bare"},
                "--filename": {"metavar": "FILE", "help": "a Python file to open instead"},
                "--non-interactive": {"action": "store_true", "help": "only load the session, without a prompt"},
                "--data": {"metavar": "DIRECTORY", "help": "where scans are stored (default: ~/data/NAME)"},
                "--logto": {"choices": ["file", "stderr"], "default": "file", "help": "where the log goes (file)"},
                "--logfile": {"metavar": "FILE", "type": Path, "help": "another file than the one beside the sessions"},
                "--loglevel": {"choices": logs.LEVELS, "default": "info", "help": "the least that is logged (info)"},
            },
        )

    def run(  # type: ignore[override]
        self,
        session: str | None = None,
        filename: str | None = None,
        non_interactive: bool = False,
        data: str | None = None,
        logto: str = "file",
        logfile: Path | None = None,
        loglevel: str = "info",
    ) -> None:
        """Load the *session*, or *filename*, and open its prompt."""
        path = _path(session, filename)
        name = "concert" if path is None else path.stem
        logs.set_up(name, logto, logfile, loglevel)
        with opened(name, path, data):
            if non_interactive:
                if path is not None:
                    _load_alone(path)
                return
            run_shell = _shell()
            module = _loaded(path)
            run_shell(name, {} if module is None else vars(module), _history(name))


def _shell() -> Callable[[str, dict[str, Any], Path], int]:
    """Load IPython and return what runs it; all other commands can do without it."""
    gc.disable()  # as in concert.__main__
    try:
        from concert.session.shell import run_shell
    finally:
        gc.freeze()
        gc.enable()
    return run_shell


def _path(session: str | None, filename: str | None) -> Path | None:
    if session is not None and filename is not None:
        raise management.NotASessionError(f"expected the session {session} or the file {filename}, not both")
    if filename is not None:
        return management.find(str(Path(filename).absolute()))
    return None if session is None else management.find(session)


def _load_alone(path: Path) -> None:
    """Load the session; raise :exc:`.SessionError` if not all of its devices could be made."""
    offline = offline_in(vars(load(path)))
    tell_offline(offline.values())
    if offline:
        raise management.SessionError(f"{path.stem} was loaded without {', '.join(offline)}")


def _loaded(path: Path | None) -> ModuleType | None:
    """Return the session's module; if it cannot be loaded, say why, and leave what there is to the user."""
    if path is None:
        return None

    def failed(error: Exception) -> None:
        tell(error)
        logs.note_failure(f"loading {path}", error)

    def failed_midway(error: Exception) -> None:
        failed(error)
        print("What comes before that in the session is there, the rest is not.", file=sys.stderr)

    try:
        return load(path, failed_midway)
    except Exception as error:  # it did not even begin
        failed(error)
        return None


def _history(name: str) -> Path:
    return platformdirs.user_state_path("concert") / "history" / f"{name}.sqlite"
