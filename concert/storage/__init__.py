"""Where scans go."""

from concert.storage._hdf5 import unit_text, write_scan
from concert.storage._plot import plot_scan

__all__ = ["plot_scan", "unit_text", "write_scan"]
