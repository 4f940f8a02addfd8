"""Concert: devices and measurements in plain blocking Python, with units, concurrent, stopped at once.

Importing concert makes the process cooperative where that is safe, see :func:`concert.async_.runtime`.
"""

from __future__ import annotations

import importlib
import re
from typing import Any

from concert import _cooperative as _cooperative

__version__ = "0.1.0"


def require(version: str) -> None:
    """Raise :exc:`RuntimeError` if this is Concert older than *version*, such as ``"1.2"``: for session files."""
    if _numbers(version) > _numbers(__version__):
        raise RuntimeError(f"Concert {version} or newer is needed here, this is {__version__}")


def _numbers(version: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d+(\.\d+)*", version):
        raise ValueError(f"expected a version such as '1.2', not {version!r}")
    numbers = tuple(int(number) for number in version.split("."))
    return numbers + (0,) * (4 - len(numbers))


def __getattr__(name: str) -> Any:
    if name == "async":  # a keyword: reached as getattr(concert, "async") and by sessions, which spell it out
        return importlib.import_module("concert.async_")
    raise AttributeError(f"module 'concert' has no attribute {name!r}")
