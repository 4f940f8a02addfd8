"""What type checkers make of the public interface; mypy reads this file, nobody runs it."""

from collections.abc import Iterator
from typing import Any, assert_type

from concert.async_ import Future, async_, resolve, runtime, threaded, unhandled, using, wait
from concert.base import Parameter, Parameterizable, Quantity, State, StateError, check
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.helpers import Bunch, busy_wait, memoize
from concert.networking.base import SocketConnection
from concert.processes import Region, ScanData, ascan, scan
from concert.quantities import q, seconds


class Shutter(Device):
    state = State(default="closed")
    delay = Quantity(q.s, lower=0 * q.s)
    comment = Parameter(help="Some text")

    @async_
    @check(source="closed", target="open")
    def open(self) -> None: ...


@async_
def expose(seconds: float) -> float:
    return seconds


@threaded
def compute(n: int) -> int:
    return n


@memoize
def area(width: int, height: int) -> int:
    return width * height


def futures() -> None:
    assert_type(expose(1.0), Future)
    assert_type(compute(3), Future)
    assert_type(expose(1.0).join(), Future)
    assert_type(expose(1.0).done(), bool)
    assert_type(resolve([expose(1.0)]), list[Any])
    wait([expose(1.0)], timeout=2 * q.s)
    with using("sync"):
        assert_type(str(runtime()), str)
    assert_type([failure.name for failure in unhandled()], list[str])


def devices(stage: LinearMotor, shutter: Shutter) -> None:
    assert_type(stage.move(1 * q.mm), Future)
    assert_type(stage.stop(), Future)
    assert_type(stage.stash(), Future)
    with stage as held:
        assert_type(held, LinearMotor)
    assert_type([value.name for value in shutter], list[str])
    assert_type(StateError("error").state, str)
    Parameterizable().install_parameters({"more": Parameter()})


def processes(stage: LinearMotor) -> None:
    assert_type(scan(lambda: 1, Region(stage, [])), Iterator[Future])
    assert_type(ascan(stage, 0 * q.mm, 1 * q.mm, 3), ScanData)


def helpers() -> None:
    assert_type(seconds(3), float)
    assert_type(area(1, height=2), int)
    busy_wait(lambda: True, timeout=1)
    Bunch({"a": 1})
    with SocketConnection("localhost", 4001) as connection:
        assert_type(connection.execute("P?"), str)
