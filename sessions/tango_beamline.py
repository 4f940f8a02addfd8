"""The same beamline as in the tutorial, but its devices are Tango devices, served by another process.

At a beamline leave out the simulation and write the names of its Tango devices, ``exp/motor/bragg`` for example.
"""

from concert.devices.tango import ContinuousRotationMotor, LinearMotor, TangoDevice
from concert.processes import ascan, counters
from concert.quantities import q
from concert.simulation.process import simulated

server = simulated("tango", centre=11.0013)
print(f"Simulated beamline up: Tango server on {server.host}:{server.port}")
tango = f"tango://{server.host}:{server.port}/{{}}#dbase=no".format

bragg = ContinuousRotationMotor(tango("sim/motor/bragg"))
stage = LinearMotor(tango("sim/motor/stage"))
detector = TangoDevice(tango("sim/detector/1"), main_parameter="intensity")
counters(detector)


def rocking_curve():
    """Turn the crystal through its reflection, find the centre and go there."""
    curve = ascan(bragg, 10.95 * q.deg, 11.05 * q.deg, 40, 0.03 * q.s)
    bragg.position = curve.cen
    return curve
