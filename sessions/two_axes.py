"""Two axes of one simulated controller, moved at the same time, and a photodiode to look for the beam with."""

from concert.devices.motors.aerotech import ContinuousRotationMotor
from concert.devices.photodiodes.aerotech import PhotoDiode
from concert.session.prelude import *
from concert.simulation.process import simulated

controller = simulated("aerotech", centre=11.0013, noise=0.004, velocity=60)

bragg = ContinuousRotationMotor(controller.host, controller.port, axis="X")
bragg["position"].lower, bragg["position"].upper = -5 * q.deg, 90 * q.deg
detector = ContinuousRotationMotor(controller.host, controller.port, axis="Y")
diode = PhotoDiode(controller.host, controller.port)
counters(diode)


def align():
    """Bring crystal and detector to the reflection, the detector at twice the angle, and look at the beam."""
    mv(bragg, 11.0013 * q.deg, detector, 22.0026 * q.deg)
    wm(bragg, detector)
    ct(0.1 * q.s)
