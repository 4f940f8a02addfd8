"""What is done with devices: scans."""

from concert.processes._check import Check, Finding, ScanRefused
from concert.processes._closing import closing, unsaid
from concert.processes._counting import count, counters
from concert.processes._diff import Change, Difference, diff
from concert.processes._errors import ScanAborted, ScanError
from concert.processes._foreground import (
    SCANS,
    a2scan,
    a3scan,
    a4scan,
    adaptive,
    amesh,
    ascan,
    d2scan,
    d3scan,
    d4scan,
    dmesh,
    do,
    dscan,
    fscan,
    listscan,
    loopscan,
    mesh,
    timescan,
    watch,
)
from concert.processes._generate import scan
from concert.processes._hooks import Hooks
from concert.processes._interlock import Interlock
from concert.processes._interlocks import interlock, interlocks, remove_interlock
from concert.processes._pictures import finish_pictures
from concert.processes._region import Region, parameter_of, short_name
from concert.processes._results import cen, com, fwhm, measured, peak, positions
from concert.processes._resume import resumed, unfinished
from concert.processes._run import Run, active_runs, last_run
from concert.processes._scan import Scan
from concert.processes._snapshot import Snapshot, snapshot
from concert.processes._station import station
from concert.processes._undo import forget_moves, one_step, remember_moves, steps
from concert.storage import ScanData

__all__ = [
    "SCANS",
    "Change",
    "Check",
    "Difference",
    "Finding",
    "Hooks",
    "Interlock",
    "Region",
    "Run",
    "Scan",
    "ScanAborted",
    "ScanData",
    "ScanError",
    "ScanRefused",
    "Snapshot",
    "a2scan",
    "a3scan",
    "a4scan",
    "active_runs",
    "adaptive",
    "amesh",
    "ascan",
    "cen",
    "closing",
    "com",
    "count",
    "counters",
    "d2scan",
    "d3scan",
    "d4scan",
    "diff",
    "dmesh",
    "do",
    "dscan",
    "finish_pictures",
    "forget_moves",
    "fscan",
    "fwhm",
    "interlock",
    "interlocks",
    "last_run",
    "listscan",
    "loopscan",
    "measured",
    "mesh",
    "one_step",
    "parameter_of",
    "peak",
    "positions",
    "remember_moves",
    "remove_interlock",
    "resumed",
    "scan",
    "short_name",
    "snapshot",
    "station",
    "steps",
    "timescan",
    "unfinished",
    "unsaid",
    "watch",
]
