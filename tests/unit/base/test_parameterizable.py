"""Parameterizable: finding parameters, adding some to one object, drivers that forget half of the ceremony."""

import pytest

from concert.async_ import Future
from concert.base import (
    LockError,
    Parameter,
    ParameterError,
    Parameterizable,
    ParameterValue,
    Quantity,
    QuantityValue,
    Selection,
    SelectionValue,
    State,
    StateValue,
)
from concert.quantities import q
from tests.devices_for_tests import Stage


def test_iterating_gives_each_parameter_once_sorted_by_name():
    assert [value.name for value in Stage()] == ["comment", "corner", "mode", "position", "state"]


def test_a_parameter_is_always_the_same_object():
    stage = Stage()
    assert stage["position"] is stage["position"] is list(stage)[3]


def test_values_are_of_the_declared_kind():
    assert [type(value) for value in Stage()] == [
        ParameterValue,
        QuantityValue,
        SelectionValue,
        *(type(Stage()["position"]),),
        StateValue,
    ]


def test_an_unknown_name_is_an_error_that_tells_the_others():
    with pytest.raises(ParameterError, match="stage has no parameter 'speed'; it has comment, corner, mode, position"):
        Stage("stage")["speed"]


def test_an_object_without_parameters_has_none():
    class Empty(Parameterizable):
        pass

    assert list(Empty()) == []
    with pytest.raises(ParameterError, match=r"^Empty has no parameter 'x'$"):
        Empty()["x"]


def test_names_can_be_looked_for():
    assert "position" in Stage()
    assert "speed" not in Stage()
    assert 5 not in Stage()


def test_each_parameter_has_methods_that_return_futures():
    stage = Stage()
    future = stage.set_position(2 * q.mm)
    assert isinstance(future, Future)
    future.join()
    assert stage.get_position().result() == 2 * q.mm
    assert "position" in Stage.set_position.__doc__
    assert Stage.get_position.__qualname__ == "Stage.get_position"


def test_a_method_that_exists_is_not_replaced():
    class Documented(Parameterizable):
        def get_something(self):
            return "something"

        something = Parameter(get_something)

    assert Documented().get_something() == "something"
    assert Documented().something == "something"


def test_a_subclass_adds_and_replaces_parameters():
    class Better(Stage):
        speed = Parameter(fget=lambda self: 1)
        position = Quantity(q.um)
        mode = None

    assert [value.name for value in Better()] == ["comment", "corner", "position", "speed", "state"]
    assert Better()["position"].unit == q.um
    assert Better().mode is None
    assert Stage()["position"].unit == q.mm


def test_parameters_of_a_mixin_count():
    class Speed:
        speed = Parameter(fget=lambda self: 1)

    class Fast(Speed, Stage):
        pass

    assert Fast().speed == Fast()["speed"].get().result() == Fast().get_speed().result() == 1


# -- names -------------------------------------------------------------------------------------------------------


def test_the_name_is_the_classes_unless_given():
    class Ring(Parameterizable):
        x = Parameter()

    ring = Ring()
    assert (ring.name, ring["x"].full_name) == ("Ring", "Ring.x")
    ring.name = "storage"
    assert (ring.name, ring["x"].full_name) == ("storage", "storage.x")
    ring.name = None
    assert ring.name == "Ring"


# -- drivers that forget -----------------------------------------------------------------------------------------


class CallsNothing(Stage):
    """It never calls the base's ``__init__``."""

    def __init__(self):
        self.written, self._position = [], 1 * q.mm
        self.position = 2 * q.mm


class CallsBare(Stage):
    """It calls the base's ``__init__`` without a name."""

    def __init__(self):
        super().__init__()
        self.position = 2 * q.mm


class CallsLast(Stage):
    """It calls the base's ``__init__`` when all is done."""

    def __init__(self):
        self.written, self._position = [], 1 * q.mm
        self["position"].upper = 5 * q.mm
        self.position = 2 * q.mm
        self["position"].stash().join()
        self.name = "early"
        with self:
            self.position = 2 * q.mm
        position = self._position
        super().__init__()
        self._position = position


@pytest.mark.parametrize("kind", [CallsNothing, CallsBare, CallsLast])
def test_a_driver_may_begin_as_it_likes(kind):
    device = kind()
    assert device.position == 2 * q.mm
    with device:
        device.position = 3 * q.mm
    assert device.state == "standby"
    assert len(list(device)) == 5


def test_what_was_said_before_init_is_kept():
    device = CallsLast()
    assert device.name == "early"
    assert device["position"].upper == 5 * q.mm
    device["position"].restore().join()


# -- installing --------------------------------------------------------------------------------------------------


def installed():
    stage = Stage("stage")
    stage._speed = 1 * q.mm / q.s
    stage.install_parameters(
        {
            "speed": Quantity(
                q.mm / q.s, fget=lambda self: self._speed, fset=lambda self, v: setattr(self, "_speed", v)
            ),
            "axis": Parameter(fget=lambda self: "x"),
        }
    )
    return stage


def test_an_installed_parameter_is_like_the_others():
    stage = installed()
    stage.speed = 2 * q.m / q.s
    assert stage.speed == stage["speed"].get().result() == stage.get_speed().result() == 2000 * q.mm / q.s
    stage.set_speed(1 * q.mm / q.s).join()
    assert [value.name for value in stage] == ["axis", "comment", "corner", "mode", "position", "speed", "state"]


def test_no_other_object_gets_an_installed_parameter():
    installed()
    other = Stage()
    assert "speed" not in other
    assert not hasattr(other, "speed")
    assert not hasattr(Stage, "get_speed")


def test_the_object_stays_what_it_was():
    stage = installed()
    assert isinstance(stage, Stage)
    assert (type(stage).__name__, type(stage).__doc__, stage.name) == ("Stage", Stage.__doc__, "stage")


def test_what_there_was_is_kept():
    stage = Stage()
    before = stage["position"]
    before.upper = 5 * q.mm
    stage.install_parameters({"axis": Parameter(fget=lambda self: "x")})
    assert stage["position"] is before


def test_parameters_may_be_installed_again_and_again():
    stage = installed()
    stage.install_parameters({"axis": Parameter(fget=lambda self: "y")})
    stage.install_parameters({"axis": Parameter(fget=lambda self: "z")})
    assert stage.axis == "z"
    assert "speed" in stage


def test_one_declaration_may_be_installed_under_several_names():
    shared = Parameter(fget=lambda self: 1)
    stage = Stage()
    stage.install_parameters({"first": shared, "second": shared})
    assert (stage["first"].name, stage["second"].name) == ("first", "second")
    assert (stage.first, stage.second) == (1, 1)


def test_installed_parameters_find_accessors_by_name():
    class Prepared(Stage):
        def _get_speed(self):
            return 7

    device = Prepared()
    device.install_parameters({"speed": Parameter()})
    assert device.speed == 7


@pytest.mark.parametrize(("name", "what"), [("speed", 5), ("speed", Parameter), ("speed", None)], ids=repr)
def test_only_parameters_can_be_installed(name, what):
    with pytest.raises(TypeError, match="expected a Parameter for 'speed' of stage"):
        Stage("stage").install_parameters({name: what})


@pytest.mark.parametrize("name", ["my speed", "class", "lock", "stash", "name", "get_position", "__class__"])
def test_a_name_has_to_be_one_and_free(name):
    stage = Stage("stage")
    with pytest.raises(ValueError, match=f"'{name}' cannot be the name of a parameter of stage"):
        stage.install_parameters({"axis": Parameter(), name: Parameter()})
    assert "axis" not in stage
    assert stage.name == "stage"


# -- locking all -------------------------------------------------------------------------------------------------


def test_all_parameters_are_locked_and_unlocked():
    stage = Stage("stage")
    stage.lock()
    assert all(value.locked for value in stage)
    with pytest.raises(LockError, match=r"stage\.position is locked"):
        stage.position = 2 * q.mm
    stage.unlock()
    assert not any(value.locked for value in stage)
    stage.position = 2 * q.mm


def test_a_permanent_lock_of_all_stays():
    stage = Stage("stage")
    stage.lock(permanent=True)
    with pytest.raises(LockError, match=r"stage\.comment is permanently locked.*stage\.position is permanently locked"):
        stage.unlock()
    assert all(value.locked for value in stage)


def test_one_permanent_lock_does_not_keep_the_others_locked():
    stage = Stage("stage")
    stage["comment"].lock(permanent=True)
    stage.lock()
    with pytest.raises(LockError, match=r"^stage\.comment is permanently locked$"):
        stage.unlock()
    assert [value.name for value in stage if value.locked] == ["comment"]


def test_declarations_can_be_inspected():
    assert isinstance(Stage.position, Quantity)
    assert isinstance(Stage.mode, Selection)
    assert isinstance(Stage.state, State)
    assert Stage.position.help == Stage.position.__doc__ == "Where"
