"""A station that is built on another session: it imports two_axes, and adds what is its own."""

from two_axes import align, bragg, detector, diode

from concert.session.prelude import *


@async_
def park():
    """Drive both axes home at the same time: a future."""
    wait([bragg.set_position(0 * q.deg), detector.set_position(0 * q.deg)])


def tour():
    """Align, look, and park."""
    align()
    park().join()
    dstate({"bragg": bragg, "detector": detector, "diode": diode})
