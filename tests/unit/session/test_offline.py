"""A device that cannot be made keeps no other from loading, and can be made later."""

import sys

import pytest

from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.session import inventory
from concert.session.loader import load, make_importable
from concert.session.offline import Offline, OfflineError
from concert.session.overview import overview
from concert.session.reconnecting import reconnect
from concert.session.stopping import stop_devices
from concert.session.utils import devices_in

REASON = "no answer from 10.0.3.9:4002 within 2 s"

CAMERA = f"""
from concert.base import Quantity
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q

class Camera(Device):
    there = False
    def __init__(self):
        super().__init__()
        if not Camera.there:
            raise TimeoutError({REASON!r})
    main_parameter = "exposure"
    exposure = Quantity(q.ms)
    def _get_exposure(self): return 10 * q.ms

before = LinearMotor()
camera = Camera()
"""


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch):
    monkeypatch.setattr(inventory, "_namespaces", [])


@pytest.fixture
def imaging(session):
    """Return a function that loads the session with a camera that is offline and more text."""
    return lambda more="": load(session("imaging", CAMERA + more))


def test_the_others_are_loaded(imaging):
    module = imaging("after = LinearMotor()\n")
    assert (module.before.name, module.after.name) == ("before", "after")
    assert isinstance(module.camera, Offline)


def test_whatever_is_done_with_it_says_why_and_what_to_do(imaging):
    camera = imaging().camera
    told = rf"^camera is offline: {REASON}; reconnect\(camera\)$"
    for act in (
        lambda: camera.exposure,
        lambda: camera["exposure"],
        lambda: setattr(camera, "exposure", 1),
        lambda: camera.grab(),
        lambda: camera.__enter__(),
        lambda: camera.stop(),
    ):
        with pytest.raises(OfflineError, match=told):
            act()
    assert camera.state == "offline"
    assert type(camera).__name__ == "Camera"


def test_the_table_shows_it(imaging):
    module = imaging()
    lines = overview(devices_in(module, None))
    assert lines == [
        "  before  LinearMotor  standby  position 0.000 mm",
        f"  camera  Camera       offline  {REASON}; reconnect(camera)",
    ]


def test_an_emergency_stop_does_not_claim_to_have_stopped_it(imaging):
    (outcome,) = stop_devices({"camera": imaging().camera})
    assert not outcome.stopped
    assert REASON in outcome.evidence


def test_statements_that_need_it_are_made_up_for(imaging, capsys):
    module = imaging(
        "camera['exposure'].upper = 100 * q.ms\nlongest = camera['exposure'].upper\nprint(longest)\n"
        "after = LinearMotor()\n"
    )
    assert module.after.name == "after"
    assert not hasattr(module, "longest")
    prompt = {"camera": module.camera}
    inventory.include(prompt)
    module.Camera.there = True
    reconnect(module.camera)
    assert prompt["camera"] is module.camera
    assert module.camera["exposure"].upper == prompt["longest"]
    assert capsys.readouterr().out == "100 millisecond\n  camera  Camera    exposure 10 ms  [none, 100] ms\n"


@pytest.mark.parametrize(
    "line",
    [
        "def expose(time=camera.exposure): return time",
        "class expose(camera.base): pass",
        "if camera.exposure:\n    import os.path as expose",
        "if camera.exposure:\n    import expose.more",
        "if camera.exposure:\n    from os import path as expose",
    ],
)
def test_what_needs_a_statement_that_was_left_out_is_left_out_as_well(imaging, line):
    module = imaging(f"{line}\nplan = expose\nafter = LinearMotor()\n")
    assert module.after.name == "after"
    assert not hasattr(module, "plan")


def test_a_name_inside_a_function_that_is_left_out_is_not_waited_for(imaging):
    with pytest.raises(NameError, match="local"):
        imaging("def expose(time=camera.exposure):\n    local = time\nplan = local\n")


def test_the_real_one_is_in_every_container_of_the_session(imaging):
    module = imaging(
        "from concert.helpers import Bunch\nfrom collections import namedtuple\n"
        "Pair = namedtuple('Pair', 'one other')\n"
        "a, b, c = [camera, 1], {'x': {'y': camera}}, Bunch({'camera': camera})\n"
        "d, e, f, g = (camera, [camera]), {camera}, frozenset([camera]), Pair(1, camera)\n"
        "a.append(a)\nunchanged = (1, [2])\n"
    )
    a, b, c, unchanged = module.a, module.b, module.c, module.unchanged
    module.Camera.there = True
    reconnect(module.camera)
    camera = module.camera
    assert (a[0], b, c.camera) == (camera, {"x": {"y": camera}}, camera)
    assert (module.d, module.e, module.f, module.g) == ((camera, [camera]), {camera}, {camera}, (1, camera))
    assert module.g.other is camera
    assert (module.a, module.b, module.c, module.unchanged) == (a, b, c, unchanged)
    assert module.unchanged is unchanged


def test_a_second_try_may_fail_for_another_reason(imaging):
    module = imaging()
    module.Camera.__init__ = lambda self: 1 / 0
    with pytest.raises(OfflineError, match="camera is offline: ZeroDivisionError: division by zero"):
        reconnect(module.camera)
    assert isinstance(module.camera, Offline)


def test_what_needs_two_devices_waits_for_both(imaging):
    module = imaging("other = Camera()\npair = [camera.exposure, other.exposure]\n")
    module.Camera.there = True
    reconnect(module.camera)
    assert not hasattr(module, "pair")
    reconnect(module.other)
    assert len(module.pair) == 2


def test_a_session_that_imports_it_gets_the_real_one(session, sessions):
    make_importable()
    session("optics", CAMERA)
    module = load(session("imaging", "from optics import camera\nimport optics\n"))
    assert isinstance(module.camera, Offline)
    sys.modules["optics"].Camera.there = True
    reconnect(module.camera)
    assert type(module.camera) is module.optics.Camera
    assert module.camera is module.optics.camera


@pytest.mark.parametrize(
    ("line", "kind", "reason"),
    [
        ("x = socket.create_connection(('127.0.0.1', 1), 5)", "create_connection", "refused"),
        ("x = Camera('wrong')", "Camera", "TypeError: "),
        ("x: Device = Camera()", "Camera", REASON),
        ("import module_of_cameras as m\nx = m.Camera()", "Camera", "no camera"),
    ],
)
def test_what_counts_as_a_device(imaging, monkeypatch, line, kind, reason):
    class Broken(Device):
        def __init__(self):
            raise ConnectionError("no camera")

    monkeypatch.setitem(sys.modules, "module_of_cameras", type("M", (), {"Camera": Broken}))
    module = imaging(f"import socket\n{line}\n")
    assert type(module.x).__name__ == kind
    assert reason in module.x._reason


@pytest.mark.parametrize(
    "line", ["1 / 0", "x = {}['y']", "x = int('a')", "x = open('missing.txt')", "nothing_of_that_name"]
)
def test_other_errors_are_the_sessions(imaging, line):
    with pytest.raises((ArithmeticError, LookupError, ValueError, OSError, NameError)):
        imaging(f"{line}\n")


def test_a_device_that_only_lost_its_line_is_asked_again(capsys):
    class Shy(LinearMotor):
        there = False

        def _get_position(self):
            if not self.there:
                raise ConnectionError("no connection to 10.0.3.10:4002: refused")
            return super()._get_position()

    shy = Shy(name="shy")
    reconnect(shy)
    Shy.there = True
    reconnect(shy)
    assert capsys.readouterr().out == (
        "  shy  Shy  offline  no connection to 10.0.3.10:4002: refused; reconnect(shy)\n"
        "  shy  Shy  standby  position 0.000 mm\n"
    )


def test_nothing_to_reconnect_is_refused():
    with pytest.raises(ValueError, match=r"reconnect\(camera\)"):
        reconnect()


def test_the_docstring_and_the_future_are_those_of_the_file(session):
    module = load(session("imaging", '"""Ask Jo."""\nfrom __future__ import annotations\n"not this"\nx: Nothing = 1\n'))
    assert module.__doc__ == "Ask Jo."
    assert module.__annotations__ == {"x": "Nothing"}
