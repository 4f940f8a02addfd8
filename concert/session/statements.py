"""Running a session file statement by statement, so that a device that is offline keeps no other from loading.

A statement that should have made such a device leaves a stand-in under its name; later ones that need it are left out.
Both are made up for when the device is reconnected.
"""

from __future__ import annotations
import __future__

import ast
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from concert.devices.base import Device
from concert.session.offline import Offline, OfflineError, stand_in

LOG = logging.getLogger("concert.session")

NO_ANSWER = (ConnectionError, TimeoutError)


class Statement:
    """A statement of the session file *path*, with the *flags* for its compilation, that runs in *namespace*."""

    def __init__(self, node: ast.stmt, path: str, namespace: dict[str, Any], flags: int) -> None:
        self.node = node
        self.path = path
        self.namespace = namespace
        module = ast.Module([node], type_ignores=[])
        self._code = compile(module, path, "exec", flags, dont_inherit=True)

    def __repr__(self) -> str:
        return f"<line {self.node.lineno} of {self.path}>"

    def run(self) -> None:
        """Run it, and raise what it raises."""
        exec(self._code, self.namespace)

    def value(self) -> Any:
        """Run it and return what it has given its one name."""
        self.run()
        return self.namespace[self.device_name or ""]

    @property
    def device_name(self) -> str | None:
        """The one name to which the statement assigns what a call returns, if it is such a statement."""
        node = self.node
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target: ast.expr = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        else:
            return None
        return target.id if isinstance(target, ast.Name) and isinstance(node.value, ast.Call) else None

    @property
    def names(self) -> set[str]:
        """The names that the statement gives."""
        return set(_names_given(self.node))

    def called(self) -> tuple[str, Any]:
        """Return the name of what the statement calls, and the thing itself, None if that is more than a name."""
        function: Any = self.node.value.func  # type: ignore[attr-defined]
        parts: list[str] = []
        while isinstance(function, ast.Attribute):
            parts.insert(0, function.attr)
            function = function.value
        if not isinstance(function, ast.Name):
            return "device", None
        thing = self.namespace.get(function.id)
        for part in parts:
            thing = getattr(thing, part, None)
        return (parts or [function.id])[-1], thing


def _names_given(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name  # what is inside has names of its own
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Store):
            yield node.id
    else:
        for child in ast.iter_child_nodes(node):
            yield from _names_given(child)


def run_statements(tree: ast.Module, path: str, namespace: dict[str, Any], after: Callable[[], object]) -> None:
    """Run the session's statements in *namespace*, and *after* each of them call that."""
    waiting: dict[str, Offline] = {}  # names that statements left out would have given, and what those wait for
    for statement in _statements(tree, path, namespace):
        try:
            statement.run()
        except OfflineError as error:
            _leave_out(statement, error.device, waiting)
        except NameError as error:
            if error.name not in waiting:
                raise
            _leave_out(statement, waiting[error.name], waiting)
        except Exception as error:
            if not _stands_for_device(statement, error):
                raise
            name = statement.device_name
            assert name is not None
            namespace[name] = stand_in(statement.called()[0], name, error, statement.value)
            LOG.warning("%s is offline", name, exc_info=error)
        after()


def _statements(tree: ast.Module, path: str, namespace: dict[str, Any]) -> Iterator[Statement]:
    flags = 0
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= getattr(__future__, alias.name).compiler_flag
        if index and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # by itself it would be taken for the docstring
        yield Statement(node, path, namespace, flags)


def _stands_for_device(statement: Statement, error: Exception) -> bool:
    """Tell whether the statement has failed to make a device, and nothing else."""
    if statement.device_name is None:
        return False
    _, called = statement.called()
    return isinstance(error, NO_ANSWER) or (isinstance(called, type) and issubclass(called, Device))


def _leave_out(statement: Statement, device: Offline, waiting: dict[str, Offline]) -> None:
    LOG.warning("%r is left out: %s is offline", statement, device.name)
    device._left_out.append(statement)
    waiting.update(dict.fromkeys(statement.names, device))


def offline_in(namespace: Mapping[str, Any]) -> dict[str, Offline]:
    """Return the devices in *namespace* that are offline because they could not be made, by name."""
    return {name: each for name, each in namespace.items() if isinstance(each, Offline)}
