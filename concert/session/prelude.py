"""What a session file starts with: ``from concert.session.prelude import *``."""

from concert.async_ import async_, dispatcher, resolve, threaded, wait
from concert.processes import Hooks, Region, count, counters, describe, scan
from concert.quantities import q
from concert.session.notebook import take_part
from concert.session.scans import scans
from concert.session.unattended import unattended
from concert.session.utils import code_of, ddoc, dstate, pdoc
from concert.session.verbs import *  # noqa: F403
from concert.session.verbs import VERBS

__all__ = [
    "Hooks",
    "Region",
    "async_",
    "code_of",
    "count",
    "counters",
    "ddoc",
    "describe",
    "dispatcher",
    "dstate",
    "pdoc",
    "q",
    "resolve",
    "scan",
    "scans",
    "threaded",
    "unattended",
    "wait",
    *VERBS,
]

take_part()
