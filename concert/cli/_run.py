"""``concert run``: one function of a session, without a prompt."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from concert.async_ import Future
from concert.helpers import Command
from concert.session import logs, management
from concert.session.loader import load
from concert.session.management import SessionError
from concert.session.opening import finish_scans, opened
from concert.session.statements import offline_in
from concert.session.telling import tell_offline


class RunCommand(Command):
    """Load a session and run one of its functions."""

    def __init__(self) -> None:
        super().__init__(
            "run",
            {
                "session": {"metavar": "NAME", "help": "the session, or a Python file"},
                "function": {
                    "metavar": "FUNCTION",
                    "nargs": "?",
                    "help": "the function, which is called without arguments; without it the session is only loaded",
                },
                "--data": {"metavar": "DIRECTORY", "help": "where scans are stored (default: ~/data/NAME)"},
            },
        )

    def run(self, session: str, function: str | None = None, data: str | None = None) -> None:  # type: ignore[override]
        """Run the function called *function* of the session called *session*, or of the file."""
        path = management.find(session)
        logs.set_up(path.stem)
        with opened(path.stem, path, data):
            module = load(path)
            tell_offline(offline_in(vars(module)).values())
            if function is not None:
                result = _function(module, function)()
                if isinstance(result, Future):
                    result.join()
            finish_scans()


def _function(module: ModuleType, name: str) -> Callable[[], Any]:
    function = getattr(module, name, None)
    if not callable(function) or name.startswith("_"):
        own = [
            key
            for key, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", None) == module.__name__ and not key.startswith("_")
        ]
        raise SessionError(f"{module.__name__} has no function {name!r}; it has {', '.join(own) or 'none'}")
    return function
