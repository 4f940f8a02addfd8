"""The signal that stops every device of this process: from a key of its terminal, or from another terminal."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from typing import Any

from concert.async_ import async_
from concert.async_._interrupts import press
from concert.async_._parking import in_hub
from concert.session import running
from concert.session.inventory import every_device
from concert.session.stopping import Outcome, report, stop_everything

Show = Callable[[Sequence[Outcome], str], object]


def show_below(outcomes: Sequence[Outcome], by: str) -> None:
    """Print what became of the devices in lines of their own, and *by* whom they were stopped, unless it is empty."""
    print(f"\nStopped by {by}:" if by else "")
    report(outcomes)


def stop_on_signal(show: Show = show_below) -> None:
    """Let the signal, which Ctrl-\\ sends, stop every device and *show* what became of them: while a command runs, too.

    The command is then interrupted as by Ctrl-C, or it might move on.
    Requests from other terminals come with the same signal, and are answered.
    """

    def stop() -> None:
        asked = running.requests()
        outcomes = stop_everything(every_device())
        for request, _ in asked:
            running.answer(request, outcomes)
        show(outcomes, " and ".join(sorted({by for _, by in asked})))

    def on_signal(_number: int, _frame: Any) -> None:
        stopping = async_(stop)().detach()
        # Code that computes does not let the future start, unless the handler, which has interrupted it, waits. In the
        # hub itself nothing can be waited for, nor is there any need.
        if in_hub():
            stopping.add_done_callback(lambda _: press())
        else:
            stopping.join()
            press()

    signal.signal(running.STOP_SIGNAL, on_signal)
