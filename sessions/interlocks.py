"""A scan that waits for the beam: the ring loses it now and then, and the scan goes on by itself when it is back.

The ring exists in this file alone: it loses its beam for a second, every four seconds.
"""

import time

from concert.base import Quantity
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.devices.photodiodes.dummy import PhotoDiode
from concert.session.prelude import counters, interlock, interlocks, q
from concert.session.verbs import ascan


class Ring(Device):
    """A storage ring, as far as a beamline sees it."""

    main_parameter = "current"
    current = Quantity(q.mA, help="Current of the stored beam")

    def _get_current(self):
        return (0.0 if time.monotonic() % 4 > 3 else 100.0) * q.mA


ring = Ring()
stage = LinearMotor(speed=20 * q.mm / q.s)
diode = PhotoDiode(stage, centre=5 * q.mm, fwhm=2 * q.mm)
counters(diode, ring)

# A point that the beam was lost at is measured again.
interlock(ring["current"] > 80 * q.mA, settle=0.3 * q.s, stop_motion=True, name="beam")


def measure():
    """Scan through the peak; nothing that was read without beam is in the data."""
    interlocks()
    return ascan(stage, 0 * q.mm, 10 * q.mm, 20, 0.2 * q.s)
