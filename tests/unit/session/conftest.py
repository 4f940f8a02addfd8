"""A place for sessions that is the test's own."""

import sys

import pytest

from concert.session import logs
from concert.session.loader import SessionFinder, SessionLoader


@pytest.fixture
def sessions(tmp_path, monkeypatch):
    """The session directory of a user without a virtual environment; it does not exist yet."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(sys, "meta_path", [each for each in sys.meta_path if not isinstance(each, SessionFinder)])
    yield tmp_path / "data" / "concert"
    logs.close()
    for name, module in list(sys.modules.items()):
        if isinstance(getattr(module, "__loader__", None), SessionLoader):
            del sys.modules[name]


@pytest.fixture
def session(sessions):
    """Return a function that writes a session and returns its path."""

    def write(name, text):
        sessions.mkdir(parents=True, exist_ok=True)
        path = sessions / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write
