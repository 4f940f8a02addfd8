"""Hooks: functions that are called at certain moments of a scan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from concert.async_ import Future

Hook = Callable[[], Any]


@dataclass
class Hooks:
    """Functions without arguments, which may return a future, called at certain moments of a scan.

    *before_scan*, *before_point*, *after_point*: one that fails ends the scan. *after_scan*: after the last point of a
    scan that was done or stopped. *on_pause*, *on_resume*: one that fails is reported, and the scan pauses or goes on
    all the same. *cleanup*: when the scan is over, however it ended, and all of them, whatever the others do.

    ::

        scan.hooks.cleanup.append(shutter.close)
    """

    before_scan: list[Hook] = field(default_factory=list)
    after_scan: list[Hook] = field(default_factory=list)
    before_point: list[Hook] = field(default_factory=list)
    after_point: list[Hook] = field(default_factory=list)
    on_pause: list[Hook] = field(default_factory=list)
    on_resume: list[Hook] = field(default_factory=list)
    cleanup: list[Hook] = field(default_factory=list)

    def __post_init__(self) -> None:
        for moment, functions in self:
            if not isinstance(functions, list) or not all(map(callable, functions)):
                raise TypeError(f"expected a list of functions for the hooks {moment}, not {functions!r}")

    def __add__(self, other: Hooks) -> Hooks:
        """Return both together; those of *self* are called first."""
        return Hooks(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def __iter__(self) -> Iterator[tuple[str, list[Hook]]]:
        return ((each.name, getattr(self, each.name)) for each in fields(self))

    def __bool__(self) -> bool:
        return any(functions for _, functions in self)


def call(hooks: Iterable[Hook]) -> None:
    """Call one after the other; the first that fails ends it."""
    for hook in hooks:
        returned = hook()
        if isinstance(returned, Future):
            returned.join()


def call_all(hooks: Iterable[Hook]) -> list[tuple[Hook, BaseException]]:
    """Call all of them, whatever happens, and return those that failed, with how."""
    failures: list[tuple[Hook, BaseException]] = []
    for hook in hooks:
        try:
            call([hook])
        except BaseException as error:  # a further interrupt too: it ends this hook, not those after it
            failures.append((hook, error))
    return failures


def name_of(hook: Hook) -> str:
    """Return what messages call a hook."""
    return getattr(hook, "__qualname__", None) or repr(hook)
