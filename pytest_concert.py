"""The pytest plug-in ``concert``: decides whether Concert takes part in a test session, and when.

Importing concert patches the process. So this module does not import it: a suite that neither imports concert nor
passes one of the options below runs as if the plug-in were not installed. Otherwise concert is imported as early as
that is known, before the test modules are, and :mod:`concert.testing.plugin` takes over.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from typing import Any

import pytest

RUNTIMES = ("gevent", "threads", "sync")
FIXTURES = ("concert_clock", "concert_no_leaks", "concert_runtime")

_KIT = "concert.testing.plugin"

# What --concert-runtime says to a process, and to its children, that has not imported concert yet.
_SWITCHES = {
    "gevent": {"CONCERT_ENABLE_ASYNC": "1", "CONCERT_ENABLE_GEVENT": "1"},
    "threads": {"CONCERT_ENABLE_ASYNC": "1", "CONCERT_ENABLE_GEVENT": "0"},
    "sync": {"CONCERT_ENABLE_ASYNC": "0"},
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("concert").addoption(
        "--concert-runtime",
        choices=RUNTIMES,
        help="run asynchronous functions as greenlets, in native threads of an unpatched process, or at once",
    )
    parser.addini(
        "concert_leaks",
        "fail every test that leaves a greenlet, a native thread or a socket behind",
        type="bool",
        default=False,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    _start_if_asked_for(early_config, early_config.known_args_namespace.concert_runtime)


def pytest_configure(config: pytest.Config) -> None:
    # Only news where a conftest.py has loaded this plug-in, which is too late for the hook above.
    _start_if_asked_for(config, config.getoption("concert_runtime"))


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> None:
    # All modules of a folder are looked at before the first of them is imported.
    if not _started(parent.config) and _uses_concert(module_path):
        _start(parent.config)


def pytest_plugin_registered(manager: pytest.PytestPluginManager) -> None:
    # A conftest.py, or what it loads, may have imported concert.
    config = manager.get_plugin("pytestconfig")
    if config is not None and "concert" in sys.modules:
        _start(config)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> None:
    # The test module has just been imported, and maybe concert with something that it imports.
    if "concert" in sys.modules:
        _start(collector.config)


def _start_if_asked_for(config: pytest.Config, runtime: str | None) -> None:
    if runtime:
        for variable in ("CONCERT_DISABLE_ASYNC", "CONCERT_DISABLE_GEVENT"):
            os.environ.pop(variable, None)
        os.environ.update(_SWITCHES[runtime])
    if runtime:
        _start(config).insist_on(runtime)
    elif config.getini("concert_leaks"):
        _start(config)


def _started(config: pytest.Config) -> bool:
    return config.pluginmanager.has_plugin(_KIT)


def _start(config: pytest.Config) -> Any:
    """Import concert, give the session its fixtures, and return the module that has them."""
    # Not at the top of the file, because of what importing concert does.
    from concert.testing import plugin

    if not _started(config):
        config.pluginmanager.register(plugin, _KIT)
    return plugin


def _uses_concert(path: Path) -> bool:
    """Tell, without importing it, whether the test module at *path* imports concert or uses one of its fixtures."""
    source = path.read_bytes()
    if b"concert" not in source:
        return False
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return False  # pytest will say what is wrong with it
    return any(_mentions_concert(node) for node in ast.walk(tree))


def _mentions_concert(node: Any) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.split(".")[0] == "concert" for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return not node.level and (node.module or "").split(".")[0] == "concert"
    return isinstance(node, ast.arg) and node.arg in FIXTURES
