"""Files that are there as a whole or not at all: prepared beside their place, under another name."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from concert.storage._writer import exists


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """Give a path to write what is going to be at *path*, where it comes after the block, unless that raises."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def clear_away(path: Path) -> None:
    """Remove what processes that were killed have prepared to be at *path*."""
    for left in path.parent.glob(f".{path.name}.*"):
        pid = left.name.rpartition(".")[2]
        if pid.isdecimal() and not exists(int(pid)):
            left.unlink(missing_ok=True)


def put_aside(path: Path) -> Path:
    """Give what is at *path*, and cannot be read, a free name that ends in ``broken``, and return that."""
    aside = path.with_name(f"{path.name}.broken")
    for number in itertools.count(2):
        if not aside.exists():
            break
        aside = path.with_name(f"{path.name}.{number}.broken")
    os.replace(path, aside)
    return aside
