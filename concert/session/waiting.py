"""Saying what a command waits for that somebody else holds: a person would take the silence for a fault."""

from __future__ import annotations

import time

from concert.async_ import Future, async_
from concert.async_._interrupts import command_runs
from concert.async_._scope import current_command, running_future
from concert.base import SetRecord, listen_to_sets
from concert.processes import short_name

PATIENCE = 1.0  # seconds that are waited without a word


def tell_waits() -> None:
    """Print from now on a line when a set of the command that runs has to wait for longer than a moment."""
    listen_to_sets(_note)


def _note(record: SetRecord) -> None:
    future = running_future.get()
    # Asked in the code of the set, which does not wait for what it holds itself.
    if future is not None and not record.outcome and command_runs() and record.parameter.holders():
        async_(_tell)(record, future).detach()


def _tell(record: SetRecord, future: Future) -> None:
    command = current_command()
    time.sleep(PATIENCE)
    # What waits in the background keeps nobody waiting.
    if future.held_up and not future.done() and _is_part_of(future, command) and command_runs():
        holders = ", ".join(record.parameter.holders())
        if holders:
            print(f"waiting for {short_name(record.parameter)}, held by {holders}; Ctrl-C gives it up", flush=True)


def _is_part_of(future: Future, command: object) -> bool:
    """Tell whether *future* belongs to the command, which still is the one that is executed."""
    owner: object = future
    while isinstance(owner, Future):
        owner = owner._owner
    return owner is command is current_command()
