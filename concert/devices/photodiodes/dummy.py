"""A photodiode without hardware."""

from __future__ import annotations

from typing import Any

import numpy as np

from concert.devices.photodiodes import base
from concert.quantities import q


class PhotoDiode(base.PhotoDiode):
    """A photodiode behind something that is moved: a Gaussian peak over the position of *motor*, with noise.

    *centre* and *fwhm* have the position's unit, *height* and *noise*, its standard deviation, are voltages. The noise
    is the same for every device with the same *seed*.
    """

    def __init__(
        self,
        motor: Any,
        centre: Any,
        fwhm: Any,
        height: Any = 1 * q.V,
        noise: Any = 0 * q.V,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._motor = motor
        self._centre = centre
        self._sigma = fwhm / np.sqrt(8 * np.log(2))
        self._height = height
        self._noise = noise
        self._random = np.random.default_rng(seed)

    def _get_intensity(self) -> Any:
        offset = ((self._motor[self._motor.main_parameter]._read() - self._centre) / self._sigma).m_as("dimensionless")
        return self._height * float(np.exp(-offset * offset / 2)) + self._noise * float(self._random.standard_normal())
