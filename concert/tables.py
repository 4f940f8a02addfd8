"""Text tables for the terminal, as calm as possible: no frames, and columns as wide as needed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence

from prettytable import PrettyTable


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


def print_lines(lines: Sequence[str], without: str) -> None:
    """Print *lines*, or if there are none what *without* says."""
    print("\n".join(lines) or without)


def print_table(field_names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table with a line for each of *rows*."""
    print(text_table(field_names, rows))


def text_table(field_names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a line for each of *rows* as text."""
    table = get_default_table(field_names)
    table.add_rows([list(row) for row in rows])
    return "\n".join(line.rstrip() for line in table.get_string().splitlines())
