"""A shutter that scans depend on: while it is closed they wait, and they go on when it has been opened again."""

import time

from concert.base import State, check, transition
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.devices.photodiodes.dummy import PhotoDiode
from concert.session.prelude import *


class Shutter(Device):
    """A shutter in front of the sample."""

    state = State(default="open", help="open or closed")

    @async_
    @check(source="closed")
    @transition(immediate="opening", target="open")
    def open(self):
        """Open it: a future, done when it is open."""
        time.sleep(0.2)

    @async_
    @transition(immediate="closing", target="closed")
    def stop(self):
        """Close it, from whatever state: a future. It is what an emergency stop does."""


shutter = Shutter()
stage = LinearMotor(speed=50 * q.mm / q.s)
diode = PhotoDiode(stage, 5 * q.mm, 2 * q.mm)
counters(diode)
interlock(shutter["state"].equals("open"), settle=0.1 * q.s)


def interrupted():
    """Scan in the background, close the shutter in the middle of it, and open it again."""
    run = ascan(stage, 0 * q.mm, 10 * q.mm, 20, 0.05 * q.s, background=True)
    time.sleep(0.3)
    shutter.stop().join()
    time.sleep(0.5)
    print(run.describe())
    shutter.open().join()
    print(run.result().summary())
