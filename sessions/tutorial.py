"""A first beamline: a crystal on a rotation axis, and a photodiode that sees what it reflects.

Both belong to a simulated controller, which this session starts and which ends with it. The connection is a real one.
"""

from concert.devices.motors.aerotech import ContinuousRotationMotor
from concert.devices.photodiodes.aerotech import PhotoDiode
from concert.processes import ascan, counters
from concert.quantities import q
from concert.session.utils import ddoc, dstate, pdoc
from concert.simulation.process import simulated

controller = simulated("aerotech", centre=11.0013, noise=0.004, velocity=60)
print(f"Simulated beamline up: controller on {controller.host}:{controller.port}")

bragg = ContinuousRotationMotor(controller.host, controller.port, axis="X")
bragg["position"].lower, bragg["position"].upper = -5 * q.deg, 90 * q.deg
diode = PhotoDiode(controller.host, controller.port)
counters(diode)


def rocking_curve():
    """Turn the crystal through its reflection, find the centre, go there, and keep what was measured."""
    curve = ascan(bragg, 10.95 * q.deg, 11.05 * q.deg, 40, 0.03 * q.s)
    bragg.position = curve.cen
    return curve


if __name__ == "__main__":
    for device, name in ((bragg, "bragg"), (diode, "diode")):
        device.name = name
    ddoc()
    dstate()
    pdoc()
