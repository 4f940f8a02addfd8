"""A session in a notebook: the documented spelling and the names of devices, as at the prompt."""

from __future__ import annotations

from typing import Any

from concert._cooperative import in_notebook
from concert.session.guarding import Guard
from concert.session.inventory import include
from concert.session.loader import name_devices
from concert.session.spelling import translate_lines
from concert.session.workplace import use_names


def take_part() -> None:
    """If this is the kernel of a notebook, let its cells be a session's: once, however often this is called."""
    if not in_notebook():
        return
    from IPython import get_ipython  # loaded already

    shell: Any = get_ipython()  # type: ignore[no-untyped-call]
    if any(isinstance(each, Guard) for each in shell.ast_transformers):
        return
    shell.input_transformers_cleanup.append(translate_lines)
    shell.ast_transformers.append(Guard())
    shell.events.register("post_run_cell", lambda _result: name_devices(shell.user_ns))
    include(shell.user_ns)
    use_names(lambda: shell.user_ns)
