"""Text tables for the terminal, as calm as possible: no frames, and columns as wide as needed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence

from prettytable import PrettyTable

from concert._cooperative import in_notebook


def get_default_table(field_names: Sequence[str], widths: Sequence[int | None] | None = None) -> PrettyTable:
    """Return a prettytable styled for use in the shell.

    *field_names* is a list of table header strings, *widths* of the columns' maximum widths in characters, None for no
    maximum. In a terminal the whole table is not wider than it is; elsewhere nothing is cut.
    """
    table = PrettyTable(list(field_names))
    table.border = False
    table.align = "l"
    table.left_padding_width = 0
    table.right_padding_width = 2
    if widths is not None:
        if len(widths) != len(field_names):
            raise ValueError(f"expected {len(field_names)} widths, one for each column, not {len(widths)}")
        for name, width in zip(field_names, widths, strict=True):
            if width is not None:
                table.max_width[name] = width
    if sys.stdout.isatty():
        table.max_table_width = shutil.get_terminal_size().columns
    return table


def print_table(field_names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table with a line for each of *rows*; in a notebook it is one of HTML."""
    if in_notebook():
        from IPython.display import display  # loaded already, in a notebook

        table = _table(field_names, rows)
        display({"text/plain": _text(table), "text/html": html(table)}, raw=True)  # type: ignore[no-untyped-call]
    else:
        print(text_table(field_names, rows))


def text_table(field_names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a line for each of *rows* as text."""
    return _text(_table(field_names, rows))


def html(table: PrettyTable) -> str:
    """Return *table* as HTML; what is in it is text, and stays that."""
    return str(table.get_html_string(escape_header=True, escape_data=True))


def _table(field_names: Sequence[str], rows: Iterable[Sequence[str]]) -> PrettyTable:
    table = get_default_table(field_names)
    table.add_rows([list(row) for row in rows])
    return table


def _text(table: PrettyTable) -> str:
    return "\n".join(line.rstrip() for line in table.get_string().splitlines())
