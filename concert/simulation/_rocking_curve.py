"""The signal of a crystal that is turned through its reflection."""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple


class RockingCurve(NamedTuple):
    """A pseudo-Voigt profile over a position in deg.

    *centre* and *fwhm*, the full width at half maximum, are in deg, *height* (above the background) and *background* in
    V; *lorentzian* is the share of the Lorentzian, and the rest is a Gaussian of the same width.
    """

    centre: float = 11.0
    fwhm: float = 0.014
    height: float = 1.0
    background: float = 0.01
    lorentzian: float = 0.3

    def at(self, position: float) -> float:
        """Return the signal in V at *position* in deg."""
        squared = ((position - self.centre) / (self.fwhm / 2)) ** 2
        shape = self.lorentzian / (1 + squared) + (1 - self.lorentzian) * exp(-log(2) * squared)
        return self.background + self.height * shape
