"""The ``concert`` command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from concert.async_ import unhandled
from concert.cli._check import CheckCommand
from concert.cli._completion import CompletionCommand
from concert.cli._exchange import ExportCommand, FetchCommand, ImportCommand
from concert.cli._files import CopyCommand, EditCommand, InitCommand, MoveCommand, RemoveCommand, ShowCommand
from concert.cli._log import LogCommand
from concert.cli._parser import command_first, make_parser
from concert.cli._plugins import plugins
from concert.cli._resume import ResumeCommand
from concert.cli._run import RunCommand
from concert.cli._scan import ScanCommand
from concert.cli._scans import ScansCommand
from concert.cli._serve import ServeCommand
from concert.cli._server import ConnectCommand, ServerCommand
from concert.cli._start import StartCommand
from concert.cli._stop import StopCommand
from concert.cli._tango import TangoCommand
from concert.helpers import Command
from concert.session import logs
from concert.session.telling import status_of, tell, tell_unhandled

INTERRUPTED = 130  # what shells expect of a program that Ctrl-C has ended


def commands() -> list[Command]:
    """Return the sub-commands, in the order of the help: Concert's own, then those of installed packages."""
    every: list[Command] = [
        InitCommand(),
        EditCommand(),
        ShowCommand(),
        MoveCommand(),
        CopyCommand(),
        RemoveCommand(),
        CheckCommand(),
        StartCommand(),
        RunCommand(),
        ScanCommand(),
        ResumeCommand(),
        ScansCommand(),
        StopCommand(),
        ServerCommand(),
        ConnectCommand(),
        ServeCommand(),
        TangoCommand(),
        LogCommand(),
        ImportCommand(),
        FetchCommand(),
        ExportCommand(),
    ]
    every.append(CompletionCommand(every))
    every += plugins({command.name for command in every})
    return every


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with *arguments*, the command line's by default, and return its exit status.

    It is 0 for success, 1 for a failure, 2 for what cannot be meant, such as a wrong option or an impossible name, and
    130 after Ctrl-C.
    """
    known = commands()
    parser = make_parser(known)
    try:
        options = vars(parser.parse_args(command_first(sys.argv[1:] if arguments is None else arguments, known)))
    except SystemExit as end:  # argparse has said what there is to say
        return end.code if isinstance(end.code, int) else 0
    debug = options.pop("debug")
    command = options.pop("_command", None)
    if command is None:
        parser.print_help()
        return 0
    try:
        return _run(command, options, debug)
    finally:
        logs.close()


def _run(command: Command, options: Mapping[str, Any], debug: bool) -> int:
    try:
        command.run(**options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is typed from here on would only make Python complain
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Nobody reads the output any more; Python must not complain about it again when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        tell(error, debug)
        logs.note_failure(command.name, error)
        return status_of(error)
    failures = unhandled()
    tell_unhandled(failures)
    return 1 if failures else 0
