"""Errors: their class tells whose fault it was, and their text what would do."""

import pytest

from concert import base
from concert.base import (
    AccessorNotImplementedError,
    HardLimitError,
    LimitError,
    ParameterError,
    ReadAccessError,
    StateError,
    WriteAccessError,
)

KINDS = {
    "UnitError": ValueError,
    "LimitError": ValueError,
    "SoftLimitError": base.LimitError,
    "ParameterError": LookupError,
    "AccessorNotImplementedError": NotImplementedError,
    "ReadAccessError": base.AccessorNotImplementedError,
    "WriteAccessError": base.AccessorNotImplementedError,
    "LockError": RuntimeError,
    "DeadlockError": base.LockError,
    "StateError": Exception,
    "HardLimitError": base.StateError,
    "StoppedError": base.StateError,
    "ToleranceError": base.StateError,
    "FSMError": Exception,
    "TransitionNotAllowed": base.FSMError,
}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_an_error_can_be_caught_by_its_kind(name, kind):
    assert issubclass(getattr(base, name), kind)
    assert name in base.__all__


def test_the_table_of_kinds_is_complete():
    assert {name for name in base.__all__ if name.endswith(("Error", "Allowed"))} == set(KINDS)


def test_the_callers_mistakes_are_not_the_devices():
    for error in (base.UnitError, LimitError, base.LockError, ParameterError, base.TransitionNotAllowed):
        assert not issubclass(error, StateError)
    assert not issubclass(HardLimitError, LimitError)


def test_every_public_name_exists():
    assert all(hasattr(base, name) for name in base.__all__)


@pytest.mark.parametrize("kind", [StateError, HardLimitError, base.StoppedError, base.ToleranceError])
def test_a_state_error_tells_the_state_and_its_message(kind):
    error = kind("fault", "the encoder is gone")
    assert (error.state, error.error_state, error.msg, str(error)) == (
        "fault",
        "fault",
        "the encoder is gone",
        "the encoder is gone",
    )


def test_a_state_error_without_message_tells_the_state():
    error = StateError("fault")
    assert error.msg is None
    assert "'fault'" in str(error)


def test_a_message_may_be_empty():
    assert str(StateError("fault", "")) == ""


def test_a_hard_limit_error_knows_its_state():
    assert HardLimitError(msg="the upper switch").state == "hard-limit"


def test_a_parameter_error_tells_what_there_is():
    error = ParameterError("speed", "stage", ["position", "state"])
    assert error.parameter == "speed"
    assert str(error) == "stage has no parameter 'speed'; it has position, state"


@pytest.mark.parametrize(("kind", "verb"), [(ReadAccessError, "read"), (WriteAccessError, "written")])
def test_an_access_error_says_what_is_impossible(kind, verb):
    error = kind("stage.position")
    assert isinstance(error, AccessorNotImplementedError)
    assert error.parameter == "stage.position"
    assert str(error) == f"stage.position cannot be {verb}"
