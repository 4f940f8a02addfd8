"""What served devices and their clients tell each other, as text."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concert import base
from concert.async_ import KillException
from concert.base import (
    HardLimitError,
    ParameterError,
    ReadAccessError,
    SoftLimitError,
    StateError,
    TransitionNotAllowed,
    WriteAccessError,
    ignore_sets,
    listen_to_sets,
)
from concert.helpers import WaitError
from concert.networking._wire import dumps, loads, packed_error, unpacked_error
from concert.quantities import q

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
quantities = st.builds(q.Quantity, st.floats(allow_nan=False), st.sampled_from(["mm", "deg", "degC", "1/s", "count"]))
values = st.recursive(
    plain | quantities,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.lists(inner).map(tuple),
)


@given(values)
def test_values_come_back_as_they_went(value):
    assert loads(dumps(value)) == value


@given(values)
def test_text_is_ascii(value):
    assert dumps(value).isascii()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int64", "float32", "float64", "complex128", ">i4"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 3, 4)])
def test_arrays_keep_their_type_and_shape(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    back = loads(dumps(array.T))
    assert back.dtype == array.dtype
    assert np.array_equal(back, array.T)
    back[...] = 1  # it is the receiver's own


def test_quantities_may_hold_arrays():
    back = loads(dumps(np.arange(3.0) * q.mm))
    assert (back == np.arange(3.0) * q.mm).all()


def test_numbers_of_numpy_become_numbers():
    assert type(loads(dumps(np.float64(1.5)))) is float


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": object()}, np.array([object()]), b"bytes", q.mm])
def test_what_cannot_be_sent_is_refused(value):
    with pytest.raises(TypeError, match="which can be sent elsewhere, not"):
        dumps(value)


@pytest.mark.parametrize(
    "text", ["", "{", '{"a": 1}', '{"quantity": 1, "unit": "no unit"}', '{"array": "!"}', '{"tuple": 1}']
)
def test_text_that_is_none_of_ours_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        loads(text)


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (SoftLimitError("too far"), SoftLimitError, "too far"),
        (ReadAccessError("stage.x"), ReadAccessError, "stage.x cannot be read"),
        (ParameterError("x", "stage", ["y"]), ParameterError, "stage has no parameter 'x'; it has y"),
        (WaitError("late"), WaitError, "late"),
        (ConnectionRefusedError("nobody there"), ConnectionError, "ConnectionRefusedError: nobody there"),
        (KeyError("x"), LookupError, "KeyError: 'x'"),
        (type("Own", (SoftLimitError,), {})("own"), SoftLimitError, "Own: own"),
        (type("Own", (Exception,), {})("own"), RuntimeError, "Own: own"),
        (ValueError(), ValueError, "ValueError"),
        (KillException(), base.StoppedError, "GreenletExit: GreenletExit"),
    ],
)
def test_errors_come_back_as_what_they_were(error, kind, message):
    back = unpacked_error(json.loads(json.dumps(packed_error(error))))
    assert type(back) is kind
    assert str(back) == message


@pytest.mark.parametrize("name", [name for name in base.__all__ if name.endswith("Error")])
def test_every_error_of_ours_comes_back(name):
    error = getattr(base, name)
    back = unpacked_error({"kind": name, "message": "it failed", "state": None, "notes": []})
    assert type(back) is error
    assert str(back) == "it failed"


def test_errors_keep_their_state_and_notes():
    error = HardLimitError(msg="ran into it")
    error.add_note("while setting stage.position")
    back = unpacked_error(packed_error(error))
    assert (back.error_state, back.state, back.msg) == ("hard-limit", "hard-limit", "ran into it")
    assert back.__notes__ == ["while setting stage.position"]
    assert unpacked_error(packed_error(StateError("broken"))).error_state == "broken"


@pytest.mark.parametrize(
    "error",
    [
        TransitionNotAllowed("shutter.opening needs state 'ready', not 'interlocked'"),
        TransitionNotAllowed("shutter.open should have led to state 'open', not 'closed'", called=True),
        ParameterError("speed", "stage", ["position"]),
        ReadAccessError("stage.x"),
        WriteAccessError("stage.x"),
        StateError("broken", "it broke"),
    ],
    ids=repr,
)
def test_errors_have_all_their_attributes_again(error):
    assert vars(unpacked_error(packed_error(error))) == vars(error)


def test_refused_transition_that_came_from_elsewhere_is_recorded_as_refused():
    refusal = TransitionNotAllowed("shutter.opening needs state 'ready', not 'interlocked'")

    class Shutter(base.Parameterizable):
        opening = base.Parameter()

        def _set_opening(self, opening):
            raise unpacked_error(packed_error(refusal))

    outcomes = []

    def note(record):
        outcomes.append(record.outcome)

    listen_to_sets(note)
    try:
        with pytest.raises(TransitionNotAllowed, match="needs state 'ready'"):
            Shutter().opening = 1
    finally:
        ignore_sets(note)
    assert outcomes[-1] == "refused"
