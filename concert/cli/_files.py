"""``concert init``, ``edit``, ``show``, ``mv``, ``cp`` and ``rm``: sessions as files."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
from importlib.util import decode_source
from pathlib import Path

from concert.helpers import Command
from concert.session import management
from concert.session.management import SessionError
from concert.session.spelling import translate
from concert.tables import print_table

NAME = {"metavar": "NAME", "help": "the name of a session"}


class InitCommand(Command):
    """Create a session."""

    def __init__(self) -> None:
        super().__init__(
            "init",
            {
                "name": NAME,
                "--force": {"action": "store_true", "help": "replace the session if it exists"},
                "--imports": {
                    "metavar": "MODULES",
                    "default": "",
                    "help": "modules that the session imports, separated by commas: numpy,scipy.ndimage",
                },
            },
        )

    def run(self, name: str, force: bool, imports: str) -> None:  # type: ignore[override]
        """Create the session *name*."""
        print(management.create(name, imports.replace(",", " ").split(), force))


class EditCommand(Command):
    """Edit a session with $EDITOR, else vi; create it if it does not exist."""

    def __init__(self) -> None:
        super().__init__("edit", {"name": NAME})

    def run(self, name: str) -> None:  # type: ignore[override]
        """Edit the session *name*."""
        path = management.path_of(name) if management.exists(name) else management.create(name)
        editor = os.environ.get("EDITOR", "").strip() or "vi"
        try:
            status = subprocess.run([*shlex.split(editor), str(path)]).returncode
        except (OSError, ValueError) as error:  # not there, not executable; quotes without an end
            raise SessionError(f"cannot start the editor {editor}: {error}; set EDITOR to another one") from error
        if status:
            raise SessionError(f"the editor {editor} ended with status {status}")


class ShowCommand(Command):
    """Show which sessions there are and where, or the code of one."""

    def __init__(self) -> None:
        super().__init__("show", {"name": {**NAME, "nargs": "?"}})

    def run(self, name: str | None) -> None:  # type: ignore[override]
        """Show all sessions, or that called *name*."""
        if name is None:
            _show_all()
        else:
            path = management.existing(name)
            print(path, decode_source(_content(path)), sep="\n\n", end="")


class MoveCommand(Command):
    """Rename a session."""

    def __init__(self) -> None:
        super().__init__("mv", {"name": NAME, "new": {**NAME, "help": "its new name"}})

    def run(self, name: str, new: str) -> None:  # type: ignore[override]
        """Rename the session *name* to *new*."""
        management.move(name, new)


class CopyCommand(Command):
    """Copy a session."""

    def __init__(self) -> None:
        super().__init__("cp", {"name": NAME, "new": {**NAME, "help": "the name of the copy"}})

    def run(self, name: str, new: str) -> None:  # type: ignore[override]
        """Copy the session *name* to *new*."""
        management.copy(name, new)


class RemoveCommand(Command):
    """Remove sessions, without asking."""

    def __init__(self) -> None:
        super().__init__("rm", {"names": {**NAME, "nargs": "+"}})

    def run(self, names: list[str]) -> None:  # type: ignore[override]
        """Remove the sessions called *names*, all or none."""
        management.remove(*names)


def _show_all() -> None:
    names = management.names()
    where, *others = management.places()
    print(f"{where}: no sessions" if not names else where)
    if names:
        rows = [(f"  {name}", _summary(where / f"{name}{management.SUFFIX}")) for name in names]
        print_table(("  session", ""), rows)
    for other in others:
        if elsewhere := management.names(other):
            print(f"There are also sessions in {other}, which is not used here: {', '.join(elsewhere)}")


def _summary(path: Path) -> str:
    """Return the first line of the session's docstring, or say why there is none."""
    try:
        tree = ast.parse(translate(decode_source(_content(path))))
    except (SyntaxError, ValueError) as error:
        return f"(not Python: {error})"
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _content(path: Path) -> bytes:
    with management.explained("read", path):
        return path.read_bytes()
