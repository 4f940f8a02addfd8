"""Holding what a scan uses, so that nobody else moves it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Self

from concert.base import LockError, ParameterValue, refusing


class Holding:
    """Holds *parameters*: a context manager. What others hold is waited for, or with *refuse* refused at once."""

    def __init__(self, parameters: Iterable[ParameterValue], refuse: bool) -> None:
        self._parameters = sorted(parameters, key=lambda each: each.full_name)  # everybody in the same order
        self._refuse = refuse
        self._held = ExitStack()
        self.holds = False

    def __enter__(self) -> Self:
        self._acquire(self._refuse)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._release()

    @contextmanager
    def released(self, wait: Callable[[str], bool]) -> Iterator[None]:
        """Let others have it in the block, and take it again.

        As long as somebody has it then, *wait* is called with who that is; it returns False to do without it.
        """
        self._release()
        yield
        who = ""
        while wait(who):
            try:
                self._acquire(refuse=True)
                return
            except LockError as error:
                who = str(error)

    def using(self) -> AbstractContextManager[None]:
        """Return a context in which it is used: once it is released, what others hold is refused."""
        return nullcontext() if self.holds else refusing()

    def _acquire(self, refuse: bool) -> None:
        with ExitStack() as held, refusing() if refuse else nullcontext():
            for parameter in self._parameters:
                held.enter_context(parameter)
            self._held = held.pop_all()
        self.holds = True

    def _release(self) -> None:
        self._held.close()
        self.holds = False
