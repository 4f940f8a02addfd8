"""A simulated motion controller in the manner of Aerotech's: axes, their state, and an analogue input.

``python -m concert.simulation.aerotech`` listens on a port of the loopback interface and prints which. A command is a
line of ASCII text, whatever its case, and so is the reply:

======================================== =====================================================================
``%`` and data                           done, or begun: motions are not waited for
``!`` and why                            refused: unknown, malformed, not enabled, in motion, out of travel
``#`` and which                          not done because the axis has a fault
======================================== =====================================================================

The commands, for an axis X; positions are in deg, velocities in deg/s:

======================================== =====================================================================
``ENABLE X``, ``DISABLE X``              switch the drive on, or off, which stops the axis at once
``HOME X``                               look for the reference, at 0 deg
``MOVEABS X <position> [<velocity>]``    move there
``MOVEINC X <distance> [<velocity>]``    move by that
``FREERUN X <velocity>``                 keep moving, up to the end of the travel; 0 stops
``ABORT X``                              slow down and stop
``VELOCITY X <velocity>``                set the velocity of motions that do not bring their own
``FAULTACK X``                           acknowledge the faults
``SIMFAULT X``                           provoke a position error, which switches the drive off
``PFBK(X)``                              position
``VFBK(X)``                              velocity at this moment
``VELOCITY(X)``                          velocity of motions that do not bring their own
``AXISSTATUS(X)``                        1 enabled, 2 homed, 4 in motion, 8 homing, 16 and 32 at the lower and
                                         upper end of the travel, 64 fault: the sum of what is true
``AXISFAULT(X)``                         1 position error, 4 and 8 upper and lower end of the travel
``AIN(X,0)``                             the analogue input, V: a rocking curve over the position of the first
                                         axis, whichever axis is asked
======================================== =====================================================================

An axis begins at 0 deg, switched off and not homed. It speeds up and slows down with its acceleration. A motion to the
end of the travel, or beyond, stops there with a fault; then only a motion away from it is possible. With a fault,
``ENABLE``, ``HOME`` and motions are not done until it is acknowledged. While an axis moves, other motions of it are
refused.
"""

from __future__ import annotations

import argparse
import math
import random
import re
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any, NamedTuple

from concert.simulation._axis import Axis, FaultError, RefusedError
from concert.simulation._rocking_curve import RockingCurve
from concert.simulation._server import serve


class Command(NamedTuple):
    """What *action* to call with an axis, the time and numbers, at least *required* of those that *usage* tells."""

    action: Callable[..., None]
    usage: str = ""
    required: int = 0


COMMANDS = {
    "ENABLE": Command(Axis.enable),
    "DISABLE": Command(Axis.disable),
    "HOME": Command(Axis.home),
    "MOVEABS": Command(Axis.move, "<position> [<velocity>]", 1),
    "MOVEINC": Command(Axis.move_by, "<distance> [<velocity>]", 1),
    "FREERUN": Command(Axis.run, "<velocity>", 1),
    "ABORT": Command(Axis.abort),
    "VELOCITY": Command(Axis.set_velocity, "<velocity>", 1),
    "FAULTACK": Command(Axis.acknowledge),
    "SIMFAULT": Command(Axis.fail),
}
QUERIES: dict[str, Callable[[Axis, float], float]] = {
    "PFBK": Axis.position,
    "VFBK": Axis.actual_velocity,
    "VELOCITY": lambda axis, now: axis.velocity,
    "AXISSTATUS": Axis.status,
    "AXISFAULT": Axis.faults,
}

_QUERY = re.compile(r"(\w+)\s*\((.*)\)")


class Controller:
    """The controller without its network: a line goes in, its reply comes out, and *clock* gives the time in s.

    *axes* are its axes, the first of which turns the crystal of *curve*; *noise*, in V, is the standard deviation of
    what *generator* adds to the signal.
    """

    def __init__(
        self,
        axes: Iterable[Axis],
        clock: Callable[[], float],
        curve: RockingCurve | None = None,
        noise: float = 0.0,
        generator: random.Random | None = None,
    ) -> None:
        self._axes = {axis.name: axis for axis in axes}
        self._clock = clock
        self._curve = curve or RockingCurve()
        self._noise = noise
        self._generator = generator or random.Random(0)

    def reply(self, line: str) -> str:
        """Do what *line* says and return the reply, both without newline."""
        try:
            return "%" + self._answer(line.strip().upper())
        except RefusedError as error:
            return f"!{error}"
        except FaultError as error:
            return f"#{error}"

    def _answer(self, line: str) -> str:
        query = _QUERY.fullmatch(line)
        if query is not None:
            return self._ask(query[1], [argument.strip() for argument in query[2].split(",")])
        name, *arguments = line.split() or [""]
        if name not in COMMANDS:
            raise RefusedError(f"expected a command, not {line!a}")
        self._execute(name, arguments)
        return ""

    def _execute(self, name: str, arguments: list[str]) -> None:
        command = COMMANDS[name]
        most = len(command.usage.split())
        if not command.required < len(arguments) <= most + 1:
            raise RefusedError(" ".join(filter(None, ["expected", name, "<axis>", command.usage])))
        axis = self._axis(arguments[0])
        command.action(axis, self._clock(), *map(_number, arguments[1:]))

    def _ask(self, name: str, arguments: list[str]) -> str:
        if name == "AIN" and len(arguments) == 2:
            self._axis(arguments[0])
            return self._analogue_input(arguments[1])
        if name not in QUERIES or len(arguments) != 1:
            raise RefusedError(f"expected {', '.join(QUERIES)} of (<axis>) or AIN(<axis>,0)")
        value = QUERIES[name](self._axis(arguments[0]), self._clock())
        return f"{value:.6f}" if isinstance(value, float) else f"{value:d}"

    def _analogue_input(self, channel: str) -> str:
        if channel != "0":
            raise RefusedError(f"expected analogue input 0, not {channel!a}")
        first = next(iter(self._axes.values()))
        signal = self._curve.at(first.position(self._clock()))
        return f"{self._generator.gauss(signal, self._noise):.6f}"

    def _axis(self, name: str) -> Axis:
        if name not in self._axes:
            raise RefusedError(f"expected one of the axes {', '.join(self._axes)}, not {name!a}")
        return self._axes[name]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RefusedError(f"expected a number, not {text!a}")
    return number


def main(arguments: list[str] | None = None) -> None:
    """Run the controller until it is told to end."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        axes = [_make_axis(text, options) for text in options.axes.upper().split(",")]
    except ValueError as error:
        parser.error(str(error))
    begin = monotonic()
    controller = Controller(
        axes,
        lambda: (monotonic() - begin) * options.time_scale,
        RockingCurve(*(getattr(options, name) for name in RockingCurve._fields)),
        options.noise,
        random.Random(options.seed),
    )
    serve(controller.reply, options.port, options.until_stdin_closes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m concert.simulation.aerotech", description=__doc__.splitlines()[0])

    def add(name: str, default: Any, meaning: str, kind: Callable[[str], Any] | None = None) -> None:
        parser.add_argument(name, type=kind or type(default), default=default, help=f"{meaning} (%(default)s)")

    add("--port", 0, "the port to listen on, 0 for any that is free")
    add("--axes", "X:-180:180,Y:-180:180", "names of the axes, each with the lower and upper end of its travel in deg")
    add("--velocity", 10.0, "velocity of the axes in deg/s", _positive)
    add("--acceleration", 100.0, "acceleration of the axes in deg/s²", _positive)
    add("--time-scale", 1.0, "how many times faster than real time everything goes", _positive)
    curve = RockingCurve()
    add("--centre", curve.centre, "centre of the rocking curve in deg")
    add("--fwhm", curve.fwhm, "its full width at half maximum in deg", _positive)
    add("--height", curve.height, "its height above the background in V")
    add("--background", curve.background, "background in V")
    add("--lorentzian", curve.lorentzian, "share of the Lorentzian in the curve")
    add("--noise", 0.002, "standard deviation of the noise in V")
    add("--seed", 0, "seed of the noise")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that holds the other end of the input"
    )
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text!r}")
    return number


def _make_axis(text: str, options: argparse.Namespace) -> Axis:
    try:
        name, lower, upper = text.split(":")
        return Axis(name, float(lower), float(upper), options.velocity, options.acceleration)
    except ValueError as error:
        raise ValueError(f"expected axes such as X:-180:180, not {text!r}: {error}") from error


if __name__ == "__main__":
    main()
