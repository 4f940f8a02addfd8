"""A live view in the terminal: lines that are shown again and again in the same place, until a key is pressed."""

from __future__ import annotations

import select
import shutil
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

PERIOD = 1.0  # seconds between two looks
HINT = "any key ends"

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"  # the cursor
_CLEAR_LINE, _CLEAR_BELOW = "\x1b[K", "\x1b[J"


def watch_lines(look: Callable[[], Sequence[str]], period: float = PERIOD) -> None:
    """Show what *look* returns, every *period* seconds, until a key is pressed or Ctrl-C.

    The last look stays on the screen. Without a terminal to press keys in, look once.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("\n".join(look()))
        return
    height = 0
    with _single_keys():
        try:
            pressed = False
            while not pressed:
                height = _draw([*look(), HINT], height)
                pressed = _key_within(period)
        finally:
            # The hint goes; what is above it stays.
            sys.stdout.write(f"{_up(1) if height else ''}\r{_CLEAR_BELOW}")
            sys.stdout.flush()


def _draw(lines: Sequence[str], height: int) -> int:
    """Show *lines* in the place of the last *height* ones; return how many there are now."""
    columns, rows = shutil.get_terminal_size()
    # What is wider or higher than the terminal would scroll, and then the place is not the same any more.
    fitting = [line[: columns - 1] for line in lines]
    if len(fitting) >= rows:
        fitting = [*fitting[: rows - 3], f"… and {len(fitting) - rows + 2} more", fitting[-1]]
    text = "".join(f"{line}{_CLEAR_LINE}\r\n" for line in fitting)
    sys.stdout.write(f"{_up(height)}\r{text}{_CLEAR_BELOW}")
    sys.stdout.flush()
    return len(fitting)


def _up(lines: int) -> str:
    return f"\x1b[{lines}A" if lines else ""


@contextmanager
def _single_keys() -> Iterator[None]:
    """Get keys as they are pressed, and do not show them; Ctrl-C stays what it is."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    sys.stdout.write(_HIDE)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSAFLUSH, before)
        sys.stdout.write(_SHOW)
        sys.stdout.flush()


def _key_within(period: float) -> bool:
    return bool(select.select([sys.stdin], [], [], period)[0])
