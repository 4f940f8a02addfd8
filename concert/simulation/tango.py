"""The simulated beamline as a Tango device server.

``python -m concert.simulation.tango`` listens on a port of the loopback interface and prints which. It has

======================== ==========================================================================================
``sim/motor/stage``      a linear axis from -50 to 50 mm: attributes Position, Speed; commands Stop, Home
``sim/motor/bragg``      a rotation axis from -180 to 180 deg that turns a crystal; also Velocity, to keep turning
``sim/detector/1``       a detector behind the crystal: Intensity, IntegrationTime, Gain, Profile, Image; Expose, Abort
======================== ==========================================================================================

Without a database their names are ``tango://127.0.0.1:port/sim/motor/stage#dbase=no`` and so on.
"""

from __future__ import annotations

import argparse

from concert.simulation._rocking_curve import RockingCurve
from concert.simulation._tango_devices import Detector, LinearMotor, RotationMotor
from concert.simulation._tango_server import serve

DEVICES = {
    "sim/motor/stage": "LinearMotor",
    "sim/motor/bragg": "RotationMotor",
    "sim/detector/1": "Detector",
}


def main(arguments: list[str] | None = None) -> None:
    """Run the server until it is told to end."""
    parser = argparse.ArgumentParser(prog="python -m concert.simulation.tango", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--port", type=int, default=0, help="the port to listen on, 0 for any that is free (%(default)s)"
    )
    parser.add_argument("--database", help="host:port of the Tango database to enter the devices in (none)")
    parser.add_argument("--name", default="ConcertSimulation/1", help="server/instance (%(default)s)")
    parser.add_argument(
        "--velocity-factor", type=float, default=1.0, help="how many times faster the motors are (%(default)s)"
    )
    parser.add_argument("--centre", type=float, default=11.0, help="centre of the rocking curve in deg (%(default)s)")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that holds the other end of the input"
    )
    options = parser.parse_args(arguments)
    if not options.velocity_factor > 0:
        parser.error(f"expected a factor above 0, not {options.velocity_factor:g}")
    for motor in (LinearMotor, RotationMotor):
        motor.velocity *= options.velocity_factor
        motor.acceleration *= options.velocity_factor
    Detector.curve = RockingCurve(centre=options.centre)
    serve(
        (LinearMotor, RotationMotor, Detector),
        DEVICES,
        options.name,
        options.port,
        options.database,
        options.until_stdin_closes,
    )


if __name__ == "__main__":
    main()
