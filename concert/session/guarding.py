"""Refusing a misspelt parameter: ``stage.positon = 3 * q.mm`` must not just make an attribute of that name.

What is typed at the prompt, and what a session file says, is looked at when it is compiled: wherever it assigns to an
attribute, the object is asked first. Drivers are not concerned, and it costs nothing anywhere else.
"""

from __future__ import annotations

import ast
from typing import Any

from concert.base import Parameterizable, ParameterValue

FUNCTION = "assignable"


def guarded(tree: Any) -> Any:
    """Return the syntax *tree*, in which every assignment to a public attribute asks :func:`assignable` first."""
    return ast.fix_missing_locations(Guard().visit(tree))


def assignable(target: Any, name: str) -> Any:
    """Return *target*; raise :exc:`AttributeError` if it is a device, or a parameter, that knows no *name*."""
    if not isinstance(target, (Parameterizable, ParameterValue)) or hasattr(type(target), name):
        return target
    own = vars(target) if isinstance(target, Parameterizable) else ()
    if name in own:
        return target
    raise AttributeError(_refusal(target, name, [*own, *dir(type(target))]))


def _refusal(target: Any, name: str, names: list[str]) -> str:
    from difflib import get_close_matches  # loaded for this alone

    near = get_close_matches(name, [each for each in names if not each.startswith("_")], n=1)
    if isinstance(target, ParameterValue):
        return f"{target.full_name} has no {name!r}" + (f"; did you mean {near[0]}" if near else "")
    has = ", ".join(value.name for value in target) or "none"
    advice = f"did you mean {near[0]}" if near else f"its parameters are {has}"
    return f"{target.name} has no parameter {name!r}; {advice}"


class Guard(ast.NodeTransformer):
    """Puts the question into assignments; but methods may give their own object whatever they like."""

    def __init__(self) -> None:
        self._selves: list[str | None] = [None]
        self._in_class = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._inside(node, True, self._selves[-1])

    def visit_FunctionDef(self, node: Any) -> ast.AST:
        arguments = [*node.args.posonlyargs, *node.args.args]
        is_method = self._in_class and arguments
        return self._inside(node, False, arguments[0].arg if is_method else self._selves[-1])

    def _inside(self, node: ast.AST, in_class: bool, self_name: str | None) -> ast.AST:
        before, self._in_class = self._in_class, in_class
        self._selves.append(self_name)
        self.generic_visit(node)
        self._selves.pop()
        self._in_class = before
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        of_itself = isinstance(node.value, ast.Name) and node.value.id == self._selves[-1]
        if isinstance(node.ctx, ast.Store) and not node.attr.startswith("_") and not of_itself:
            # By import, not by a name, which users could delete or use for something else.
            question = ast.parse(
                f"__import__({__name__!r}, fromlist=['']).{FUNCTION}(None, {node.attr!r})", mode="eval"
            )
            call: Any = question.body
            for each in ast.walk(call):
                ast.copy_location(each, node.value)
            call.args[0] = node.value
            node.value = call
        return node
