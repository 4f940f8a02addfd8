"""Scans on a simulated controller: rough and fine, of two axes, and with a shutter that closes whatever happens."""

from concert.devices.motors.aerotech import ContinuousRotationMotor
from concert.devices.photodiodes.aerotech import PhotoDiode
from concert.processes import describe, station
from concert.session.prelude import *
from concert.simulation.process import simulated

controller = simulated("aerotech", centre=11.0013, noise=0.004, velocity=60)

bragg = ContinuousRotationMotor(controller.host, controller.port, axis="X")
bragg["position"].lower, bragg["position"].upper = -5 * q.deg, 90 * q.deg
detector = ContinuousRotationMotor(controller.host, controller.port, axis="Y")
diode = PhotoDiode(controller.host, controller.port)
counters(diode)


def close_shutter():
    """Stand in for what closes the shutter: it is called when a scan is over, however it has ended."""
    print("shutter closed")


station.hooks.cleanup.append(close_shutter)
station.metadata["sample"] = "Si 111"


def tune():
    """Find the reflection in a rough scan, look closer with both axes in step, and stand on it."""
    ascan(bragg, 10.9 * q.deg, 11.1 * q.deg, 20, 0.01 * q.s)
    goto_cen()
    d2scan(bragg, -0.03 * q.deg, 0.03 * q.deg, detector, -0.06 * q.deg, 0.06 * q.deg, 20, 0.01 * q.s)
    goto_cen()


def look():
    """Check a scan before it goes, do it in the background, and end it in good order when there is light."""
    scan = describe.ascan(bragg, 10.9 * q.deg, 11.1 * q.deg, 100, 0.01 * q.s)
    print(scan.check())
    run = scan.start()
    for _position, intensity in run:
        if intensity > 0.5 * q.V:
            run.stop()
    print(f"{run.title} was {run.status} after {run.points} of {run.expected} points")


def measure():
    """Tune, then look."""
    tune()
    look()
    print(scans)
