"""The interlocks of a session, which guard every scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from concert.base import Condition
from concert.processes._interlock import Interlock, problems
from concert.tables import print_table


class Interlocks:
    """Interlocks in the order in which they were added, each with a name of its own; iterating gives them."""

    def __init__(self) -> None:
        self._interlocks: list[Interlock] = []

    def __iter__(self) -> Iterator[Interlock]:
        return iter(tuple(self._interlocks))

    def __len__(self) -> int:
        return len(self._interlocks)

    def add(self, interlock: Interlock) -> None:
        """Add *interlock*, in place of the one with the same name if there is one.

        Raise :exc:`ValueError` if that is another function without a name: at a prompt all of those are in line 1.
        """
        names = [each.name for each in self._interlocks]
        if interlock.name not in names:
            self._interlocks.append(interlock)
            return
        number = names.index(interlock.name)
        if interlock.code != self._interlocks[number].code:
            raise ValueError(
                f"there is another interlock {interlock.name} already, number {number + 1}: give this one a name=..."
            )
        self._interlocks[number] = interlock

    def remove(self, which: Interlock | str | int) -> Interlock:
        """Remove and return an interlock, given itself, its name, or its number from 1 on.

        Raise :exc:`ValueError` if there is no such interlock.
        """
        for number, each in enumerate(self._interlocks, start=1):
            if which in (each, each.name, number) and which is not True:
                del self._interlocks[number - 1]
                return each
        there = ", ".join(f"{number} ({each.name})" for number, each in enumerate(self._interlocks, start=1))
        raise ValueError(f"there is no interlock {which!r}; there are {there or 'none'}")

    def clear(self) -> None:
        """Remove all."""
        self._interlocks.clear()


installed = Interlocks()


def interlock(
    condition: Interlock | Condition | Callable[[], Any],
    settle: Any = None,
    stop_motion: bool | None = None,
    name: str | None = None,
) -> None:
    """Let every scan of the session, also one that is running, pause while *condition* does not hold.

    ::

        interlock(ring["current"] > 80 * q.mA, settle=10 * q.s)
        interlock(shutter["state"].equals("open") & hutch_is_searched, stop_motion=True)

    *condition* is a comparison of a parameter, a combination of those, or a function without arguments. Scans go on
    when it has held for the time *settle*, 1 s by default. With *stop_motion* what a scan moves is stopped at once, and
    the interrupted point measured again. An interlock with the same *name* is replaced. Shows how things are now.

    An :class:`.Interlock` is taken as it is; raise :exc:`TypeError` if something else is given with it, or *condition*
    is no condition, as a value that was read already. Raise :exc:`ValueError` for a second function without a name in
    the same line, and what :func:`.seconds` does if *settle* is no time.
    """
    options = {"settle": settle, "stop_motion": stop_motion, "name": name}
    given = {option: value for option, value in options.items() if value is not None}
    if isinstance(condition, Interlock) and given:
        raise TypeError(
            f"the interlock {condition.name} is made already: give {' and '.join(given)} to Interlock(...) instead"
        )
    added = condition if isinstance(condition, Interlock) else Interlock(condition, **given)
    problem = added.problem()
    installed.add(added)
    print(f"Interlock {added.name}: {'holds' if problem is None else f'tripped already, {problem}'}")


def interlocks() -> None:
    """Show the interlocks of the session, and how they are now, in a table."""
    listed = list(installed)
    rows = [
        (str(number), each.name, f"{each.settle:g} s", _deed(each), problem or "holds")
        for number, (each, problem) in enumerate(zip(listed, problems(listed), strict=True), start=1)
    ]
    if rows:
        print_table(("#", "interlock", "settle", "when tripped", "now"), rows)
    else:
        print("no interlocks")


def remove_interlock(which: Interlock | str | int) -> None:
    """Remove an interlock, given itself, its name, or its number in the table of :func:`interlocks`.

    Raise :exc:`ValueError` if there is no such interlock.
    """
    print(f"Interlock {installed.remove(which).name} removed")


def _deed(interlock: Interlock) -> str:
    return "stops motion, pauses" if interlock.stop_motion else "pauses"
