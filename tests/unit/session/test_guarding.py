"""Misspelt parameters are refused where users write, and drivers may do what they like."""

import ast

import pytest

from concert.base import Parameter
from concert.devices.base import Device
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q
from concert.session.guarding import guarded
from concert.session.loader import load


class Camera(Device):
    """A driver with attributes of its own."""

    def __init__(self):
        super().__init__()
        self.trigger_delay = 1

    def _set_gain(self, gain):
        self.last_gain = gain  # made here, and never announced

    gain = Parameter()


def run(text, **names):
    exec(compile(guarded(ast.parse(text)), "cell", "exec"), names)
    return names


@pytest.mark.parametrize(
    "text",
    [
        "stage.positon = 3",
        "stage.positon += 3",
        "x, stage.positon = 1, 2",
        "for stage.positon in [1, 2]: pass",
        "stage.positon: int = 3",
        "devices['stage'].positon = 3",
        "def f():\n    stage.positon = 3\nf()",
        "class A:\n    def f(self):\n        stage.positon = 3\nA().f()",
    ],
)
def test_a_misspelt_parameter_is_refused_and_the_right_one_named(text):
    stage = LinearMotor(name="stage")
    with pytest.raises(AttributeError, match=r"^stage has no parameter 'positon'; did you mean position$"):
        run(text, stage=stage, devices={"stage": stage})
    assert "positon" not in vars(stage)


def test_what_is_like_nothing_else_gets_the_list():
    with pytest.raises(AttributeError, match="has no parameter 'xyz'; its parameters are position, state"):
        run("stage.xyz = 3", stage=LinearMotor(name="stage"))


def test_misspelt_limits_are_refused():
    with pytest.raises(AttributeError, match=r"^stage.position has no 'uper'; did you mean upper$"):
        run("stage['position'].uper = 3", stage=LinearMotor(name="stage"))


def test_what_there_is_can_be_assigned():
    stage, camera = LinearMotor(speed=1000 * q.m / q.s), Camera()
    run(
        "stage.position = 3 * q.mm\nstage['position'].upper = 4 * q.mm\nstage.name = 'x'\n"
        "camera.trigger_delay = 2\ncamera._mine = 1\ncamera.gain = 7\ncamera.last_gain += 1\nother.anything = 1",
        stage=stage,
        camera=camera,
        q=q,
        other=test_what_there_is_can_be_assigned,
    )
    assert (camera.trigger_delay, camera._mine, camera.last_gain) == (2, 1, 8)
    assert stage.position == 3 * q.mm


def test_a_driver_in_a_session_file_is_free(session):
    path = session(
        "imaging",
        "from concert.devices.base import Device\n"
        "class Mine(Device):\n"
        "    def __init__(self):\n        self.a = 1\n        super().__init__()\n"
        "    def b(self):\n        def inner():\n            self.c = 3\n        inner()\n"
        "mine = Mine()\nmine.b()\nmine.a = 2\n",
    )
    mine = load(path).mine
    assert (mine.a, mine.c) == (2, 3)


def test_a_session_file_is_looked_at_too(session):
    path = session(
        "imaging", "from concert.devices.motors.dummy import LinearMotor\nm = LinearMotor()\nm.Position = 3\n"
    )
    with pytest.raises(AttributeError, match="did you mean position"):
        load(path)


def test_the_object_is_looked_up_once():
    looked = []

    def device():
        looked.append(1)
        return LinearMotor(speed=1000 * q.m / q.s)

    run("device().position = 3 * q.mm", device=device, q=q)
    assert looked == [1]


def test_reading_is_not_touched():
    text = "print(stage.positon)\ndel stage.a\n"
    assert ast.dump(guarded(ast.parse(text))) == ast.dump(ast.parse(text))
