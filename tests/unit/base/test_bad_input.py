"""Bad input, whatever is wrong with it and whichever way it comes in, is refused before the device is touched.

The error names the device, the parameter, the value, and what would be accepted.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from concert.async_ import resolve
from concert.base import (
    LimitError,
    LockError,
    ParameterError,
    SoftLimitError,
    TransitionNotAllowed,
    UnitError,
    transition,
)
from concert.processes import Region, scan
from concert.quantities import q
from tests.devices_for_tests import Stage, is_free


class Axis(Stage):
    """A stage that can be made to do something else."""

    @transition(target="moving")
    def start(self) -> None:
        """Start to move."""


class Bad(NamedTuple):
    """Something wrong: the parameter and value that are given, and what the error is and says."""

    parameter: str
    value: Any
    kind: type[Exception]
    says: tuple[str, ...]
    spoil: Callable[[Axis], Any] | None = None  # what makes the value bad, which is good until then


ERRORS = {
    "wrong unit": Bad("position", 5 * q.s, UnitError, ("stage.position", "5 s", "mm")),
    "wrong unit, in an array": Bad("corner", [1, 2] * q.s, UnitError, ("stage.corner", "[1 2] s", "mm")),
    "a unit alone": Bad("position", q.mm, UnitError, ("stage.position", "millimeter", "given in mm")),
    "bare number": Bad("position", 5, UnitError, ("stage.position", "not 5", "mm")),
    "bare array": Bad("corner", np.array([0, 1]), UnitError, ("stage.corner", "array([0, 1])", "mm")),
    "switch": Bad("position", True, UnitError, ("stage.position", "not True", "mm")),
    "string": Bad("position", "5 mm", UnitError, ("stage.position", "'5 mm'", "mm")),
    "None": Bad("position", None, UnitError, ("stage.position", "None", "mm")),
    "list": Bad("corner", [0 * q.mm, 0 * q.mm], UnitError, ("stage.corner", "[<Quantity(0, 'millimeter')>", "in mm")),
    "complex": Bad("position", 2j * q.mm, ValueError, ("stage.position", "2j mm", "real numbers")),
    "NaN": Bad("position", np.nan * q.mm, LimitError, ("stage.position", "nan mm", "[0 mm, 10 mm]")),
    "NaN, in an array": Bad("corner", [0, np.nan] * q.mm, LimitError, ("stage.corner", "nan", "[-1 mm, 1 mm]")),
    "array": Bad("position", [1, 2] * q.mm, ValueError, ("stage.position", "[1 2] mm", "a single value")),
    "wrong shape": Bad("corner", [0, 0, 0] * q.mm, ValueError, ("stage.corner", "[0 0 0] mm", "(2,)")),
    "too low": Bad("position", -1 * q.um, SoftLimitError, ("stage.position", "-1 µm", "[0 mm, 10 mm]")),
    "too high": Bad("position", 2 * q.cm, SoftLimitError, ("stage.position", "2 cm", "[0 mm, 10 mm]")),
    "infinite": Bad("position", np.inf * q.mm, SoftLimitError, ("stage.position", "inf mm", "[0 mm, 10 mm]")),
    "out of limits in one element": Bad(
        "corner", [0, 2] * q.mm, SoftLimitError, ("stage.corner", "[0 2] mm", "[-1 mm, 1 mm]")
    ),
    "out of limits by now": Bad(
        "position",
        5 * q.mm,
        SoftLimitError,
        ("stage.position", "5 mm", "[0 mm, 2 mm]"),
        lambda stage: setattr(stage["position"], "upper", 2 * q.mm),
    ),
    "locked": Bad(
        "position",
        5 * q.mm,
        LockError,
        ("stage.position", "is locked", "5 mm", "unlock"),
        lambda stage: stage["position"].lock(),
    ),
    "locked for ever": Bad(
        "mode",
        "fast",
        LockError,
        ("stage.mode", "'fast'", "permanently locked"),
        lambda stage: stage.lock(permanent=True),
    ),
    "wrong state": Bad(
        "position",
        5 * q.mm,
        TransitionNotAllowed,
        ("stage.position", "5 mm", "'standby'", "'moving'"),
        lambda stage: stage.start(),
    ),
    "none of the choices": Bad("mode", "medium", ValueError, ("stage.mode", "'medium'", "'slow', 'fast'")),
    "unknown name": Bad("speed", 5 * q.mm, ParameterError, ("stage", "'speed'", "comment, corner, mode, position")),
}


def directly(write: Callable[[Axis, str, Any], Any]) -> Callable[[Axis, Bad], None]:
    """Return the way in that writes the bad value at once."""

    def way(stage: Axis, bad: Bad) -> None:
        if bad.spoil is not None:
            bad.spoil(stage)
        write(stage, bad.parameter, bad.value)

    return way


def restored(stage: Axis, bad: Bad) -> None:
    """Restore a value that has become bad after it was saved; one that was never good is put there by force."""
    value = stage[bad.parameter]
    if bad.spoil is None:
        value._stash = [bad.value]
    else:
        before = value.get().result()
        value.set(bad.value).join()
        value.stash().join()
        value.set(before).join()
        stage.written.clear()
        bad.spoil(stage)
    value.restore().join()


# To add a way in, add a line; the combinations that cannot exist, or are something else, go below it.
WAYS = {
    "property": directly(lambda stage, name, value: setattr(stage, name, value)),
    "item": directly(lambda stage, name, value: stage[name].set(value).join()),
    "method": directly(lambda stage, name, value: getattr(stage, f"set_{name}")(value).join()),
    "restore": restored,
    "scan": directly(lambda stage, name, value: resolve(scan(lambda: 0, Region(stage[name], [value])))),
}

IMPOSSIBLE = {
    ("unknown name", "property"): "assigning to an unknown attribute makes one: drivers keep things there",
    ("unknown name", "method"): "there is no such method, which Python says itself, in an AttributeError",
    ("unknown name", "restore"): "what does not exist cannot have been saved; asking for it is the case of the item",
}

COMBINATIONS = [(error, way) for error in ERRORS for way in WAYS if (error, way) not in IMPOSSIBLE]


@pytest.mark.parametrize(("error", "way"), COMBINATIONS)
def test_it_is_refused_before_the_device_is_touched(error, way):
    stage, bad = Axis("stage"), ERRORS[error]
    with pytest.raises(bad.kind) as raised:
        WAYS[way](stage, bad)
    for text in bad.says:
        assert text in str(raised.value)
    assert stage.written == []
    assert is_free(stage)


@pytest.mark.parametrize(("error", "way"), [each for each in COMBINATIONS if each[0] not in ("unknown name",)])
def test_nothing_has_changed_afterwards(error, way):
    stage, bad = Axis("stage"), ERRORS[error]
    before = repr(getattr(stage, bad.parameter))
    with pytest.raises(bad.kind):
        WAYS[way](stage, bad)
    assert repr(getattr(stage, bad.parameter)) == before
    assert stage.state == ("moving" if error == "wrong state" else "standby")


@pytest.mark.parametrize("error", [error for error, bad in ERRORS.items() if bad.spoil is not None])
def test_what_becomes_bad_is_good_before(error):
    stage, bad = Axis("stage"), ERRORS[error]
    stage[bad.parameter].set(bad.value).join()
    assert stage.written == [bad.value]


def test_each_combination_that_is_left_out_is_one():
    assert all(error in ERRORS and way in WAYS for error, way in IMPOSSIBLE)


@pytest.mark.parametrize("error", [error for error in ERRORS if error != "unknown name"])
def test_calling_does_not_raise_the_future_does(error):
    stage, bad = Axis("stage"), ERRORS[error]
    if bad.spoil is not None:
        bad.spoil(stage)
    future = stage[bad.parameter].set(bad.value)
    assert isinstance(future.exception(), bad.kind)


def test_python_says_that_there_is_no_such_method():
    with pytest.raises(AttributeError, match="set_speed"):
        Axis().set_speed(5)
