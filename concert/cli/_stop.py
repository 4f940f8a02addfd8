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
        asked = [(session, async_(_asked)(session)) for session in sessions]
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


def _asked(session: RunningSession) -> list[Outcome] | str:
    """Let the devices of the *session* be stopped; return what became of them, or why nothing is known about that."""
    try:
        outcomes = running.request_stop(session)
    except ProcessLookupError:
        return "it has just ended"
    except Exception as error:  # the others must be told, and say what became of theirs
        return f"it could not be asked ({type(error).__name__}: {error})"
    return f"no answer within {running.PATIENCE:g} s" if outcomes is None else outcomes


def _shown(session: RunningSession, answer: list[Outcome] | str) -> bool:
    """Show what a session has answered; return whether something in it may still move."""
    print(f"{session.name} (process {session.pid})")
    if isinstance(answer, str):
        print(f"{answer}: nothing is known about its devices; check them by eye")
        return True
    report(answer)
    return not all(each.stopped for each in answer)
