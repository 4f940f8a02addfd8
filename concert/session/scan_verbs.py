"""Verbs of scans: doing them, telling them what to do, what they have found, and going there or back."""

from __future__ import annotations

from typing import Any

from concert.base import UNKNOWN, ParameterValue
from concert.processes import (  # noqa: F401  # what does scans and finds results are verbs as well
    SCANS,
    Run,
    ScanData,
    ScanError,
    a2scan,
    a3scan,
    a4scan,
    active_runs,
    adaptive,
    amesh,
    ascan,
    cen,
    closing,
    com,
    d2scan,
    d3scan,
    d4scan,
    diff,
    dmesh,
    dscan,
    fscan,
    fwhm,
    interlock,
    interlocks,
    listscan,
    loopscan,
    measured,
    mesh,
    peak,
    positions,
    remove_interlock,
    resumed,
    short_name,
    snapshot,
    steps,
    timescan,
    unfinished,
    unsaid,
    watch,
)
from concert.session.moving import go
from concert.session.rounding import rounded

SCAN_VERBS = (
    *SCANS,
    *("pause", "resume", "abort", "peak", "com", "cen", "fwhm", "measured"),
    *("goto", "goto_peak", "goto_com", "goto_cen", "snapshot", "diff", "undo", "redo"),
    *("interlock", "interlocks", "remove_interlock"),
)

Moves = list[tuple[ParameterValue, Any]]


# -- telling scans what to do ---------------------------------------------------------------------------------------


def pause(scan: Run | int | None = None, reason: str = "paused") -> None:
    """Let a scan in the background pause before its next point, until :func:`resume`.

    *scan* is the run or its number; without it, the only one that is running.
    """
    run = the_run(scan, "pause")
    run.pause(reason)
    print(f"{run.title} pauses before its next point; resume lets it go on")


def resume(scan: Run | int | None = None) -> ScanData | None:
    """Let a scan that pauses go on; if there is none, go on with a stored one that ended before its time.

    *scan* is the run or its number; without it, the only one that is running, else the last stored one.
    """
    if active_runs() and (scan is None or _active(scan)):
        run = the_run(scan, "resume")
        run.resume()
        kept = "; ".join(run.holds.values())
        print(f"{run.title} stays paused: {kept}" if kept else f"{run.title} goes on")
        return None
    if isinstance(scan, Run):
        raise ScanError(f"{scan.title} is over")
    stored = unfinished(scan)
    return watch(resumed(stored).start(refuse=True, number=stored.number))


def abort(scan: Run | int | None = None) -> None:
    """End a scan in the background now: what moves is stopped, cleanup is done, and it is marked as aborted.

    *scan* is the run or its number; without it, the only one that is running.
    """
    run = the_run(scan, "abort")
    run.abort()
    say(run)


def stop_run(run: Run) -> None:
    """Let a scan complete its point and end in good order, and wait until it has."""
    run.stop()
    for _ in run.follow():
        pass
    say(run)


def the_run(scan: Run | int | None, verb: str) -> Run:
    """Return the run that is meant: *scan*, by itself or by its number, or the only one that is running."""
    runs = active_runs()
    if scan is not None:
        if not _active(scan):
            name = scan.title if isinstance(scan, Run) else f"scan {scan}"
            running = f"; running: {', '.join(run.name for run in runs)}" if runs else ""
            raise ScanError(f"{name} is not running{running}")
        return next(run for run in runs if scan in (run, run.number))
    if not runs:
        raise ScanError("no scan is running")
    if len(runs) > 1:
        names = ", ".join(run.name for run in runs)
        raise ScanError(f"{len(runs)} scans are running, {names}; say which: {verb}({runs[0].number or 'run'})")
    return runs[0]


def say(run: Run) -> None:
    """Print the closing line of *run* now, and not once more later; in a thread its cleanup may not have ended yet."""
    if not run.over:
        print(f"{run.title} ends when its cleanup has ended")
        return
    said = closing(run)
    lines = unsaid()
    print("\n".join([*(line for line in lines if line != said), said]))


def _active(scan: Any) -> bool:
    return any(scan in (run, run.number) for run in active_runs())


# -- going where a scan says ----------------------------------------------------------------------------------------


def goto(scan: Any, point: Any, signal: Any = None) -> None:
    """Move the motors of *scan* to where they were at a *point* of it: ``goto(41, 5)``, or to its ``"peak"``.

    *scan* is a number, what a scan has returned, or None for the last one; *point* counts from 0, as the table does, or
    is ``"peak"``, ``"com"`` or ``"cen"`` of the *signal*. All motors move together, after all were checked.
    """
    if point in (peak, com, cen):
        point = point.__name__
    moves = positions(scan, point, signal)
    go(moves, _announced(moves), label=f"goto {point}")


def goto_peak(scan: Any = None, signal: Any = None) -> None:
    """Move the motors of *scan*, else of the last one, to where the signal is greatest."""
    goto(scan, "peak", signal)


def goto_com(scan: Any = None, signal: Any = None) -> None:
    """Move the motors of *scan*, else of the last one, to the centre of mass of the signal."""
    goto(scan, "com", signal)


def goto_cen(scan: Any = None, signal: Any = None) -> None:
    """Move the motors of *scan*, else of the last one, to the centre between the half maxima of the signal."""
    goto(scan, "cen", signal)


# -- going back -----------------------------------------------------------------------------------------------------


def undo() -> None:
    """Set back what the last move, scan or command has set; once more goes back further.

    All of it is checked before the first motor moves. What nobody knew before stays as it is, which is told.
    """
    step = steps.last()
    moves = step.back()
    unknown = ", ".join(each.full_name for each in step.unknown())
    if not moves:
        raise ScanError(f"{step.label} cannot be undone: nobody knows what {unknown} was before")
    note = f"\n(nobody knows what {unknown} was before: it stays)" if unknown else ""
    with steps.undoing(step):
        go(moves, f"Undo {step.label}: {_announced(moves)}{note}")


def redo() -> None:
    """Set once more what the last :func:`undo` has set back."""
    step = steps.last_undone()
    moves = step.forth()
    with steps.redoing(step):
        go(moves, f"Redo {step.label}: {_announced(moves)}")


def _announced(moves: Moves) -> str:
    """Return what is going to move from where to where, as far as that is known without asking."""
    moving = [(parameter, value) for parameter, value in moves if not _is_there(parameter, value)] or moves
    return ", ".join(
        f"{short_name(parameter)} {_known(parameter)}→ {rounded(parameter, value)}" for parameter, value in moving
    )


def _is_there(parameter: ParameterValue, value: Any) -> bool:
    known = parameter.last_known
    return known is not UNKNOWN and rounded(parameter, known) == rounded(parameter, value)


def _known(parameter: ParameterValue) -> str:
    known = parameter.last_known
    return "" if known is UNKNOWN else f"{rounded(parameter, known, with_unit=False)} "


__all__ = [*SCAN_VERBS]
