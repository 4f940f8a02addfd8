"""Scans as they are typed: described, begun and watched until they end, or sent to the background."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal, Protocol, overload

from concert.async_._future import give_up
from concert.processes import describe
from concert.processes._check import Check
from concert.processes._closing import say_closing_later
from concert.processes._display import REFRESH, Display
from concert.processes._pictures import wants_window
from concert.processes._run import Run
from concert.processes._scan import Scan
from concert.storage import ScanData


def do(
    scan: Scan,
    background: bool = False,
    show: bool = True,
    wait: bool = False,
    plot: bool | None = None,
    dry_run: bool = False,
) -> ScanData | Run | Check:
    """Do *scan*: watch it until it ends and return its data, or with *background* return the run at once.

    Without *show* nothing is printed. With *plot* it is seen in a window, without it is not; by default it is where a
    person sits at a prompt in front of a screen. What it uses and somebody else holds is refused, or with *wait* waited
    for. With *dry_run* nothing is moved: what is known before it goes is found out and returned, a :class:`.Check`.
    """
    if dry_run:
        return scan.check()
    scan.window = wants_window(plot)
    run = scan.start(refuse=not wait)
    if background:
        say_closing_later(run)
        return run
    return watch(run) if show else run.result()


def watch(run: Run) -> ScanData:
    """Show *run* until it ends, and return its data or raise what it failed with. Ctrl-C ends it."""
    with Display(run) as display:
        try:
            for rows in run.follow(REFRESH):
                display.show(rows)
        except BaseException as interruption:  # also where nothing is waited for, while something is printed
            display.interrupted()
            give_up([run], interruption)
            raise
        finally:
            display.end()
    return run.result()


class Verb(Protocol):
    """The type of the functions below: what describes the scan, and how to do it, as :func:`do` says."""

    @overload
    def __call__(self, *given: Any, background: Literal[True], **options: Any) -> Run: ...

    @overload
    def __call__(self, *given: Any, dry_run: Literal[True], **options: Any) -> Check: ...

    @overload
    def __call__(self, *given: Any, **options: Any) -> ScanData: ...


def _verb(describes: Callable[..., Scan]) -> Verb:
    """Return the function that does the scan which *describes* describes."""

    @functools.wraps(describes)
    def verb(
        *given: Any,
        background: bool = False,
        show: bool = True,
        wait: bool = False,
        plot: bool | None = None,
        dry_run: bool = False,
        **options: Any,
    ) -> Any:
        return do(describes(*given, **options), background, show, wait, plot, dry_run)

    return verb  # type: ignore[return-value]


ascan = _verb(describe.ascan)
a2scan = _verb(describe.a2scan)
a3scan = _verb(describe.a3scan)
a4scan = _verb(describe.a4scan)
dscan = _verb(describe.dscan)
d2scan = _verb(describe.d2scan)
d3scan = _verb(describe.d3scan)
d4scan = _verb(describe.d4scan)
mesh = amesh = _verb(describe.mesh)
dmesh = _verb(describe.dmesh)
listscan = _verb(describe.listscan)
timescan = _verb(describe.timescan)
loopscan = _verb(describe.loopscan)
adaptive = _verb(describe.adaptive)
fscan = _verb(describe.fscan)

# What can be typed to do a scan.
SCANS = (
    "ascan", "a2scan", "a3scan", "a4scan", "dscan", "d2scan", "d3scan", "d4scan", "mesh", "amesh", "dmesh",
    "listscan", "timescan", "loopscan", "adaptive", "fscan",
)  # fmt: skip
