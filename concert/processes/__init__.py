"""What is done with devices: scans."""

from concert.processes._ascan import ascan, dscan
from concert.processes._counting import count, counters
from concert.processes._data import ScanData
from concert.processes._region import Region, parameter_of, short_name
from concert.processes._save import save
from concert.processes._scan import scan

__all__ = ["Region", "ScanData", "ascan", "count", "counters", "dscan", "parameter_of", "save", "scan", "short_name"]
