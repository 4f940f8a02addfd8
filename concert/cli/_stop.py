"""``concert stop``: the emergency stop, from another terminal."""

from __future__ import annotations

import platform

from concert.async_ import async_, wait
from concert.helpers import Command
from concert.session import running
from concert.session.management import SessionError, check_name
from concert.session.running import RunningSession
from concert.session.stopping import Outcome, report


class StopCommand(Command):
    """Stop every device of a running session, or of all of them, even while they compute."""

    def __init__(self) -> None:
        super().__init__(
            "stop", {"name": {"metavar": "NAME", "nargs": "?", "help": "the session (default: all that are running)"}}
        )

    def run(self, name: str | None) -> None:  # type: ignore[override]
        """Stop the devices of the session *name*, or of all; raise :exc:`.SessionError` if one has not stopped."""
        sessions = _sessions(name)
        asked = [(session, async_(running.request_stop)(session)) for session in sessions]
        wait([future for _, future in asked])
        not_stopped = sum(_shown(session, future.result()) for session, future in asked)
        if not_stopped:
            raise SessionError("not everything has stopped")


def _sessions(name: str | None) -> list[RunningSession]:
    every = running.running()
    chosen = [each for each in every if name in (None, each.name)]
    here = [each for each in chosen if each.host == platform.node()]
    if here:
        return here
    if chosen:
        places = ", ".join(sorted({each.host for each in chosen}))
        raise SessionError(f"{chosen[0].name} runs on {places}, not on this machine; stop it there")
    if name is None:
        raise SessionError("no session is running")
    there_are = ", ".join(sorted({each.name for each in every})) or "none"
    raise SessionError(f"no session {check_name(name)} is running; there are {there_are}")


def _shown(session: RunningSession, outcomes: list[Outcome] | None) -> bool:
    """Show what a session has answered; return whether something in it may still move."""
    print(f"{session.name} (process {session.pid})")
    if outcomes is None:
        print(f"no answer within {running.PATIENCE:g} s: nothing is known about its devices; check them by eye")
        return True
    report(outcomes)
    return not all(each.stopped for each in outcomes)
