"""Where scans go."""

from concert.storage._catalogue import Catalogue
from concert.storage._data import ScanData
from concert.storage._errors import StorageError
from concert.storage._frames import FrameWriter
from concert.storage._header import Column, Header
from concert.storage._painting import PaintingError, close_painters
from concert.storage._plot import Picture, is_drawable, plot_scan
from concert.storage._record import Record
from concert.storage._stored import StoredScan
from concert.storage._values import UnknownQuantity, unit_text

__all__ = [
    "Catalogue",
    "Column",
    "FrameWriter",
    "Header",
    "PaintingError",
    "Picture",
    "Record",
    "ScanData",
    "StorageError",
    "StoredScan",
    "UnknownQuantity",
    "close_painters",
    "is_drawable",
    "plot_scan",
    "unit_text",
]
