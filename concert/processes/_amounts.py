"""Times and amounts of data as people say them."""

from __future__ import annotations


def shown_time(time_s: float) -> str:
    """Return a time as text: ``2.5 s``, ``4 min 10 s``, ``26 h 40 min``."""
    if time_s < 10:
        return f"{time_s:.2g} s"
    if time_s < 120:
        return f"{time_s:.0f} s"
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def rough_time(time_s: float) -> str:
    """Return a time as people say it when it is only roughly known: ``40 s``, ``4 min``, ``1.5 h``."""
    if time_s < 90:
        return f"{time_s:.0f} s"
    return f"{time_s / 60:.0f} min" if time_s < 5400 else f"{time_s / 3600:.1f} h"


def shown_size(size: float) -> str:
    """Return a number of bytes as text: ``40 kB``, ``812 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if size >= 9.95 or unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.0f} TB" if size >= 9.95 else f"{size:.1f} TB"
