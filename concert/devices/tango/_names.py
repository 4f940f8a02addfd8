"""Names of parameters and methods for what Tango calls attributes and commands."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def python_name(name: str, taken: Container[str] = ()) -> str:
    """Return *name* as Python writes it, with a _ at its end if it is a keyword or *taken*.

    >>> [python_name(name) for name in ("Position", "ExposureTime", "CCDTemperature", "double_scalar", "gain-1")]
    ['position', 'exposure_time', 'ccd_temperature', 'double_scalar', 'gain_1']
    """
    spelled = re.sub(r"\W", "_", _WORD.sub("_", name)).lower()
    if not spelled.isidentifier():
        spelled = f"_{spelled}"
    spelled = spelled.lstrip("_") if spelled.lstrip("_").isidentifier() else f"n{spelled}"
    while keyword.iskeyword(spelled) or spelled in taken:
        spelled += "_"
    return spelled
