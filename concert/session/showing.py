"""What the prompt shows of the value that a command returns."""

from __future__ import annotations

from typing import Any

from IPython.terminal.prompts import RichPromptDisplayHook

from concert.processes import Run, ScanData
from concert.quantities import q, shown

SEEN = (ScanData, Run)  # whose verbs have shown what there is to see


class SessionDisplayHook(RichPromptDisplayHook):
    """Shows values, but not the data of a scan that everybody has just watched."""

    def __call__(self, result: Any = None) -> None:
        if isinstance(result, SEEN):
            self.check_for_underscore()
            self.update_user_ns(result)
        else:
            super().__call__(result)


def show_quantities(shell: Any) -> None:
    """Let the prompt of *shell* show quantities as messages do, also inside of lists and dictionaries."""
    formatter = shell.display_formatter.formatters["text/plain"]
    formatter.for_type(q.Quantity, lambda quantity, printer, _cycle: printer.text(shown(quantity)))
