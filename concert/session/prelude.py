"""What a session file starts with: ``from concert.session.prelude import *``."""

from concert.async_ import async_, resolve, threaded, wait
from concert.processes import ascan, counters, dscan, scan
from concert.quantities import q
from concert.session.utils import code_of, ddoc, dstate, pdoc

__all__ = [
    "ascan",
    "async_",
    "code_of",
    "counters",
    "ddoc",
    "dscan",
    "dstate",
    "pdoc",
    "q",
    "resolve",
    "scan",
    "threaded",
    "wait",
]
