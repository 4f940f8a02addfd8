"""The command line: a parser that is made of the commands."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn

import concert
from concert.helpers import Command

WRONG_USAGE = 2

# Options of concert itself, which may be given anywhere.
COMMON: Mapping[str, Mapping[str, Any]] = {
    "--debug": {"action": "store_true", "help": "show the traceback of what went wrong"},
}

_WITH_VALUE = (None, "store", "append", "extend")  # what argparse does with options that take one


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        """Print *message* and end with the exit status 2."""
        self.exit(WRONG_USAGE, f"{self.prog}: {message}; see {self.prog} --help\n")


def make_parser(commands: Collection[Command]) -> argparse.ArgumentParser:
    """Return the parser of the whole command line; it parses the chosen command itself as ``_command``."""
    parser: argparse.ArgumentParser = Parser(prog="concert", description="Control a synchrotron beamline.")
    parser.add_argument("--version", action="version", version=f"concert {concert.__version__}")
    for option, keywords in COMMON.items():
        parser.add_argument(option, **keywords)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in commands:
        subparser = command.attach(subparsers)
        for option, keywords in COMMON.items():
            if option not in command.opts:
                # Without a default, which would undo what was said before the command.
                subparser.add_argument(option, **{**keywords, "default": argparse.SUPPRESS})
    return parser


def command_first(arguments: Sequence[str], commands: Collection[Command]) -> list[str]:
    """Return *arguments* with the command in front of the options that were given before it.

    ``concert --force init imaging`` is ``concert init --force imaging``. What is not the option of any command, or its
    value, stays where it is, for the parser to complain about.
    """
    names = {command.name for command in commands}
    known = dict(COMMON)
    for command in commands:
        known |= {option: keywords for option, keywords in command.opts.items() if option.startswith("-")}
    position = 0
    while position < len(arguments) and arguments[position].startswith("-"):
        option, equals, _ = arguments[position].partition("=")
        if option not in known:
            break
        position += 1
        if not equals and known[option].get("action") in _WITH_VALUE:
            position += 1
    if position < len(arguments) and arguments[position] in names:
        return [arguments[position], *arguments[:position], *arguments[position + 1 :]]
    return list(arguments)
