"""``concert serve`` as other people's clients use it, which come with the extra ``clients``: read, move, subscribe."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.served import beamline

ITANGO = Path(sys.executable).with_name("itango")

STAGE = """
    from concert.devices.motors.dummy import LinearMotor
    stage = LinearMotor(speed=20 * q.mm / q.s)
    stage["position"].lower, stage["position"].upper = 0 * q.mm, 40 * q.mm
"""


def needs(package):
    missing = importlib.util.find_spec(package) is None
    return pytest.mark.skipif(missing, reason=f"{package} is not installed; pip install concert[clients]")


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """A beamline with a database, which Taurus cannot do without, whose session ``optics`` is served."""
    with beamline(tmp_path_factory.mktemp("optics")) as line:
        line.session("optics", STAGE)
        line.start_database()
        line.name = line.serve("optics").names["stage"]
        yield line


@needs("taurus")
def test_taurus(line):
    client = line.client(
        """
        import taurus
        device, position = taurus.Device(sys.argv[1]), taurus.Attribute(sys.argv[1] + "/position")
        heard = []

        def listen(source, kind, value):
            if hasattr(value, "rvalue"):
                heard.append(value.rvalue.magnitude)

        position.addListener(listen)
        unit, (lower, upper) = position.read().rvalue.units, position.range
        say(unit, lower.magnitude, upper.magnitude, position.label, position.description)
        position.write(30)
        state = lambda: device.getAttribute("State").read(cache=False).rvalue.name
        until(lambda: state() == "MOVING")
        say("moving")
        until(lambda: state() == "STANDBY")
        say("standing")
        until(lambda: 30.0 in heard)
        say(position.read().rvalue, heard == sorted(heard), len(heard) > 2)
        """,
        line.name,
    )
    client.expect("^mm 0.0 40.0 position Position along the axis$")
    assert client.expect("30").string == "30.0 mm True True"


@needs("itango")
def test_itango(line):
    commands = """
import time, tango
stage = Device("concert/optics/stage")
heard = []
note = lambda event: heard.append(event.attr_value.value)
number = stage.subscribe_event("position", tango.EventType.CHANGE_EVENT, note)
stage.position = 0
while stage.state() != tango.DevState.STANDBY: time.sleep(0.01)
stage.position = 20
while 20.0 not in heard: time.sleep(0.01)
print("told", stage.position, stage.get_attribute_config("position").unit)
stage.unsubscribe_event(number)
"""
    client = line.process(
        [str(ITANGO), "--simple-prompt", "--no-banner", "-c", commands],
        TANGO_HOST=line.database,
        IPYTHONDIR=str(line.home / "ipython"),
    )
    assert client.expect("^told").string == "told 20.0 mm"
