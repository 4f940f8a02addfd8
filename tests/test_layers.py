"""The layers of docs and folders, once more: imports go down, never up, never sideways except where said."""

import ast
from pathlib import Path

import pytest

CONCERT = Path(__file__).parent.parent / "concert"

# The table: the first part of a module's name below ``concert`` and its layer.
LAYERS = {
    "__main__": 8,
    "cli": 7,
    "session": 6,
    "processes": 5,
    "experiments": 5,
    "devices": 4,
    "networking": 4,
    "storage": 4,
    "base": 3,
    "helpers": 2,
    "async_": 1,
    "async": 1,
    "tables": 1,
    "_cooperative": 0.5,
    "quantities": 0,
    "config": 0,
}
# Beside the layers: what they may import, and who may import them.
TESTING = {"testing": 5, "simulation": 5, "ext": 6}
IMPORTERS_OF_SIMULATION = {"cli", "simulation", "testing"}
SIDEWAYS = {("devices", "networking"), ("processes", "storage")}


def modules():
    return sorted(CONCERT.rglob("*.py"))


def part_of(path):
    parts = path.relative_to(CONCERT).with_suffix("").parts
    return parts[0]


def imported_parts(path):
    """Return what a module imports below concert, with the line numbers; the package itself counts as nothing."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "concert":
            names = [f"concert.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.startswith("concert."):
                yield name.split(".")[1], node.lineno


def allowed(importer, imported):
    if importer == imported or importer == "__init__" or (importer, imported) == ("async", "async_"):
        return True
    if imported == "simulation" or imported == "testing":
        return importer in IMPORTERS_OF_SIMULATION
    if imported == "ext":
        return False
    if importer in TESTING:
        return LAYERS[imported] <= TESTING[importer]
    return LAYERS[imported] < LAYERS[importer] or (importer, imported) in SIDEWAYS


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CONCERT)))
def test_imports_go_down(path):
    importer = part_of(path)
    wrong = [f"line {line}: {imported}" for imported, line in imported_parts(path) if not allowed(importer, imported)]
    assert not wrong, f"{importer} imports what is not below it: {', '.join(wrong)}"


def test_every_module_has_a_layer():
    parts = {part_of(path) for path in modules()} - {"__init__"}
    assert parts <= set(LAYERS) | set(TESTING)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(CONCERT)))
def test_relative_imports_are_not_used(path):
    imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    assert not [node.lineno for node in imports if node.level]
