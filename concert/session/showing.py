"""What the prompt shows of the value that a command returns."""

from __future__ import annotations

import re
from typing import Any

from IPython.terminal.prompts import RichPromptDisplayHook

from concert.async_._scope import current_command
from concert.processes import SCANS, Run, ScanData
from concert.quantities import q, shown

SHOWING = (*SCANS, "resume", "ct")  # what has shown all that there is to see of what it returns


def was_shown(result: Any, typed: str) -> bool:
    """Tell whether the command that was *typed* has shown its *result*: a scan is, one that is asked for is not."""
    word = re.match(r"\w*", typed)
    return isinstance(result, (ScanData, Run, dict)) and word is not None and word[0] in SHOWING


class SessionDisplayHook(RichPromptDisplayHook):
    """Shows values, but not the data of a scan that everybody has just watched."""

    def __call__(self, result: Any = None) -> None:
        if was_shown(result, current_command().text):
            self.check_for_underscore()
            self.update_user_ns(result)
        else:
            super().__call__(result)


def show_quantities(shell: Any) -> None:
    """Let the prompt of *shell* show quantities as messages do, also inside of lists and dictionaries."""
    formatter = shell.display_formatter.formatters["text/plain"]
    formatter.for_type(q.Quantity, lambda quantity, printer, _cycle: printer.text(shown(quantity)))
