"""A device as a table of HTML, for notebooks."""

from __future__ import annotations

from html import escape

from concert.base import Parameterizable
from concert.devices._reading import answer
from concert.tables import get_default_table, html


def html_of(device: Parameterizable, kind: str) -> str:
    """Return *device*, which is of a *kind*, with all its parameters and what they are now."""
    reads = [(value, value.get() if value.readable else None) for value in device]
    table = get_default_table(("parameter", "value", "meaning"))
    for value, read in reads:
        table.add_row([value.name, "" if read is None else answer(read), value.help or ""])
    return f"<b>{escape(device.name)}</b> {escape(kind)}{html(table)}"
