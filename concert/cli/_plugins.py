"""Sub-commands of other packages, which they announce as entry points of the group ``concert.commands``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from importlib.metadata import EntryPoint, entry_points

from concert.helpers import Command

GROUP = "concert.commands"


def plugins(taken: Collection[str]) -> list[Command]:
    """Return the commands of other packages, except the broken ones, which are reported, and names that are *taken*.

    An entry point is a :class:`.Command`, or something that gives one when it is called, such as its class.
    """
    found: dict[str, Command] = {}
    for entry_point in entry_points(group=GROUP):
        try:
            command = _load(entry_point)
            if command.name in taken or command.name in found:
                raise ValueError(f"there is already a command {command.name}")
            found[command.name] = command
        except Exception as error:  # whatever is wrong with one package, the others' commands work
            told = f"{type(error).__name__}: {error}"
            print(f"concert: the command {entry_point.name} ({entry_point.value}) is broken: {told}", file=sys.stderr)
    return list(found.values())


def _load(entry_point: EntryPoint) -> Command:
    loaded = entry_point.load()
    command = loaded if isinstance(loaded, Command) else loaded()
    if not isinstance(command, Command):
        raise TypeError(f"expected a Command, not {command!r}")
    # What is wrong with its arguments comes to light here, and not in the parser of everybody.
    command.attach(argparse.ArgumentParser().add_subparsers())
    return command
