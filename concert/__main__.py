"""The ``concert`` command, and ``python -m concert``."""

from __future__ import annotations

import gc
import sys

# What is made while everything is loaded stays. Looking through it for garbage again and again would take as long as
# some of the loading, and later, in the middle of a scan, longer than anybody wants to wait.
gc.disable()
from concert.cli import main as run  # noqa: E402  # after the line above, which is about this one

gc.freeze()
gc.enable()


def main() -> int:
    """Run the command line, and return the exit status."""
    return run()


if __name__ == "__main__":
    sys.exit(main())
