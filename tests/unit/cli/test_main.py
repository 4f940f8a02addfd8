"""The command line itself: help, options, plug-ins, completion."""

import os
import shlex
import subprocess
from importlib.metadata import EntryPoint

import pytest

import concert as package
from concert.cli import _plugins, commands
from concert.cli._completion import script
from concert.helpers import Command

NAMES = ["init", "edit", "show", "mv", "cp", "rm", "check", "run", "log", "import", "fetch", "export", "completion"]


def test_alone_it_prints_help(concert):
    status, out, err = concert()
    assert (status, err) == (0, "")
    for name in NAMES:
        assert f"\n    {name}" in out


def test_every_command_has_help(concert):
    for name in NAMES:
        status, out, _ = concert(name, "--help")
        assert status == 0
        assert out.startswith(f"usage: concert {name}")


def test_the_version_is_told(concert):
    assert concert("--version") == (0, f"concert {package.__version__}\n", "")


def test_an_unknown_command_is_refused(concert):
    for arguments in (["oops"], ["--debug", "oops", "show"], ["--oops", "show"], ["--force", "oops", "show"]):
        status, out, err = concert(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith("concert: ")
        assert err.count("\n") == 1


def test_options_may_come_before_the_command(concert, sessions):
    for arguments in (
        ["--force", "init", "show"],
        ["--imports", "init", "--force", "init", "show"],
        ["--imports=numpy", "--debug", "init", "show", "--force"],
        ["init", "show", "--debug", "--force", "--imports", "numpy"],
    ):
        assert concert(*arguments) == (0, f"{sessions}/show.py\n", "")
    assert "import numpy" in (sessions / "show.py").read_text()


# -- commands of other packages -------------------------------------------------------------------------------------


class Hello(Command):
    """Say hello."""

    def __init__(self, name="hello", opts=None):
        super().__init__(name, {"name": {}, "--loud": {"action": "store_true"}} if opts is None else opts)

    def run(self, name, loud):
        print(f"Hello {name.upper() if loud else name}")


made = Hello("made")


class Taken(Hello):
    def __init__(self):
        super().__init__("show")


class Wrong(Hello):
    def __init__(self):
        super().__init__("wrong", {"x": {"oops": 1}})


@pytest.fixture
def announced(monkeypatch):
    """Return a function that announces objects of this module as commands."""

    def announce(*names):
        found = [EntryPoint(name.lower(), f"{__name__}:{name}", _plugins.GROUP) for name in names]
        monkeypatch.setattr(_plugins, "entry_points", lambda group: found if group == _plugins.GROUP else [])

    return announce


def test_commands_of_other_packages_are_there(concert, announced):
    announced("Hello", "made")
    assert concert("hello", "Jo") == concert("made", "Jo") == (0, "Hello Jo\n", "")
    assert concert("--loud", "hello", "Jo") == (0, "Hello JO\n", "")
    assert "Say hello." in concert()[1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Missing", "AttributeError: "),
        ("Taken", "ValueError: there is already a command show"),
        ("Wrong", "TypeError: "),
        ("dict", "AttributeError: "),
        ("NAMES", "TypeError: "),
    ],
)
def test_a_broken_one_is_reported_and_skipped(concert, announced, name, reason):
    announced(name, "Hello")
    status, out, err = concert("hello", "Jo")
    assert (status, out) == (0, "Hello Jo\n")
    assert err.startswith(f"concert: the command {name.lower()} ({__name__}:{name}) is broken: {reason}")
    assert err.count("\n") == 1


# -- completion -----------------------------------------------------------------------------------------------------


def completed(*words):
    """Return what bash offers for the last of *words* after ``concert``."""
    typed = " ".join(map(shlex.quote, ["concert", *words]))
    code = f'{script(commands())}\nCOMP_WORDS=({typed})\nCOMP_CWORD={len(words)}\n_concert\necho "${{COMPREPLY[@]}}"'
    bash = subprocess.run(["bash", "-euc", code], env=dict(os.environ), capture_output=True, text=True)
    assert not bash.stderr
    return bash.stdout.split()


def test_bash_completes_commands_options_and_sessions(session, concert):
    assert completed("e") == ["edit", "export"]
    assert completed("--d") == ["--debug"]
    assert completed("init", "--f") == ["--force"]
    assert completed("show", "") == []
    session("imaging", "")
    session("optics", "")
    assert completed("show", "") == completed("--debug", "rm", "optics", "") == ["imaging", "optics"]
    assert completed("check", "o") == ["optics"]
    assert completed("completion", "") == ["bash"]
    assert completed("export", "o") == []


def test_the_script_is_printed(concert):
    assert concert("completion", "bash")[1] == script(commands())
    assert concert("completion", "tcsh")[0] == 2
