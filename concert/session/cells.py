"""What was typed, as tracebacks show it."""

from __future__ import annotations

import linecache

from IPython.core.compilerop import CachingCompiler


class SessionCompiler(CachingCompiler):
    """Compiles cells, and lets tracebacks show them as they were typed, not as they were translated."""

    def cache(self, transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
        """Remember the text of a cell, and return the name under which it is compiled."""
        name = super().cache(transformed_code, number, raw_code)
        typed = (raw_code or transformed_code).splitlines()
        if len(typed) == len(transformed_code.splitlines()):  # else the numbers of the lines would not be right
            linecache.cache[name] = (len(transformed_code), None, [f"{line}\n" for line in typed], name)
        return name
