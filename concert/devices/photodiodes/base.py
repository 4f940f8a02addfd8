"""Photodiodes: how much light there is, as a voltage."""

from __future__ import annotations

from concert.base import Quantity
from concert.devices.base import Device
from concert.quantities import q


class PhotoDiode(Device):
    """A photodiode. A driver implements ``_get_intensity``."""

    main_parameter = "intensity"
    detects = True
    intensity = Quantity(q.V, help="Voltage behind the amplifier, a measure of the intensity")
