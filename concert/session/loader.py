"""Loading sessions: Python modules with devices and functions, which may use the documented spelling."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import decode_source, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from concert.devices.base import Device
from concert.session.guarding import guarded
from concert.session.management import SUFFIX, NotASessionError, SessionError, directory, name_of
from concert.session.spelling import parse_session
from concert.session.statements import run_statements

__all__ = ["NotASessionError", "SessionError", "load", "make_importable", "name_devices"]

LOG = logging.getLogger("concert.session")


def load(path: str | Path, failed: Callable[[Exception], object] | None = None) -> ModuleType:
    """Load the session file *path* and return its module, with its devices named after their variables.

    Raise :exc:`SessionError` if there is no such file or its name is taken, and whatever the file's own code raises;
    with *failed*, call that with it instead, and return the module with what there was before.
    """
    path = Path(path)
    name = name_of(path)
    if not path.is_file():
        raise SessionError(f"there is no session file {path}")
    previous = sys.modules.get(name)
    if previous is not None and not isinstance(previous.__loader__, SessionLoader):
        raise NotASessionError(f"a session cannot be called {name}: a Python module of that name is in use")
    LOG.info("loading %s", path)
    spec = _spec(name, path)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except BaseException as error:
        if failed is not None and isinstance(error, Exception):
            failed(error)
            return module
        del sys.modules[name]
        if previous is not None:
            sys.modules[name] = previous
        raise
    return module


def make_importable() -> None:
    """Let sessions import each other by name; where Python has a module of that name, it is that module."""
    if not any(isinstance(finder, SessionFinder) for finder in sys.meta_path):
        sys.meta_path.append(SessionFinder())


def name_devices(namespace: Mapping[str, Any]) -> None:
    """Give every device that has no name yet that of its first variable."""
    for name, device in namespace.items():
        if isinstance(device, Device) and device._name is None and not name.startswith("_"):
            device.name = name


class SessionLoader(SourceFileLoader):
    """Loads a session from the user's own text: so that tracebacks show that, there is no translated copy of it."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the session, and name its devices as it makes them; one that is offline keeps no other from loading."""
        path = self.get_filename(module.__name__)
        tree = parse_session(decode_source(self.get_data(path)), path)
        run_statements(guarded(tree), path, vars(module), lambda: name_devices(vars(module)))


class SessionFinder:
    """Finds sessions for the import statement, after everybody else has looked: where they live, and beside others."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load the session *fullname*, or None if there is no such session."""
        loaded = [module for module in list(sys.modules.values()) if isinstance(_loader(module), SessionLoader)]
        places = dict.fromkeys([directory(), *(Path(str(module.__file__)).parent for module in loaded)])
        files = [place / f"{fullname}{SUFFIX}" for place in places] if path is None else []
        return next((_spec(fullname, file) for file in files if file.is_file()), None)


def _loader(module: Any) -> Any:
    return getattr(module, "__loader__", None)


def _spec(name: str, path: Path) -> ModuleSpec:
    spec = spec_from_file_location(name, path, loader=SessionLoader(name, str(path.absolute())))
    assert spec is not None  # with a loader given there always is one
    return spec
