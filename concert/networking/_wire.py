"""Values and errors of served devices as text: what goes between a session that serves them and one that uses them."""

from __future__ import annotations

import base64
import builtins
import json
from typing import Any

import numpy as np
import pint

from concert import base
from concert.async_ import KillException
from concert.base import ParameterError, ReadAccessError, StateError, TransitionNotAllowed, WriteAccessError
from concert.helpers import WaitError
from concert.quantities import q

PREFIX = "Concert_"  # of the reasons of Tango's errors that carry one of ours: Concert_SoftLimitError

CALLED = "called"  # of a refused transition that came after the call
_OF_PARAMETERS = (ParameterError, ReadAccessError, WriteAccessError)

# Errors that arrive as what they were; of the others the nearest of these that they are derived from.
_KNOWN = {name: getattr(base, name) for name in base.__all__ if name.endswith("Error")}
_KNOWN |= {"TransitionNotAllowed": TransitionNotAllowed, "WaitError": WaitError}
_KNOWN |= {
    name: getattr(builtins, name)
    for name in (
        *("ArithmeticError", "AttributeError", "ConnectionError", "LookupError", "NotImplementedError", "OSError"),
        *("PermissionError", "RuntimeError", "TimeoutError", "TypeError", "ValueError", "ZeroDivisionError"),
    )
}


def dumps(content: Any) -> str:
    """Return *content*, of plain values, quantities and arrays, as text; raise :exc:`TypeError` for anything else."""
    return json.dumps(_packed(content))


def loads(text: str) -> Any:
    """Undo :func:`dumps`; raise :exc:`ValueError` for what it has not made."""
    try:
        return _unpacked(json.loads(text))
    except (KeyError, TypeError, AttributeError, pint.PintError) as error:
        raise ValueError(f"cannot understand what came: {error}") from error


def _packed(content: Any) -> Any:
    if content is None or isinstance(content, (bool, int, float, str)):
        return content
    if isinstance(content, pint.Quantity):
        return {"quantity": _packed(content.magnitude), "unit": f"{content.units:D}"}
    if isinstance(content, np.generic):
        return _packed(content.item())
    if isinstance(content, np.ndarray) and content.dtype.kind in "biufc":
        data = base64.b64encode(content.tobytes()).decode()
        return {"array": data, "dtype": content.dtype.str, "shape": content.shape}
    if isinstance(content, tuple):
        return {"tuple": [_packed(each) for each in content]}
    if isinstance(content, list):
        return [_packed(each) for each in content]
    if isinstance(content, dict) and all(isinstance(key, str) for key in content):
        return {"dict": {key: _packed(value) for key, value in content.items()}}
    raise TypeError(f"expected numbers, text, quantities or arrays, which can be sent elsewhere, not {content!r}")


def _unpacked(content: Any) -> Any:
    if isinstance(content, list):
        return [_unpacked(each) for each in content]
    if not isinstance(content, dict):
        return content
    if "quantity" in content:
        return q.Quantity(_unpacked(content["quantity"]), content["unit"])
    if "array" in content:
        array = np.frombuffer(base64.b64decode(content["array"]), content["dtype"])
        return array.reshape(content["shape"]).copy()
    if "tuple" in content:
        return tuple(_unpacked(each) for each in content["tuple"])
    return {key: _unpacked(value) for key, value in content["dict"].items()}


# -- errors ---------------------------------------------------------------------------------------------------------


def packed_error(error: BaseException) -> dict[str, Any]:
    """Return what :func:`unpacked_error` makes the error of again, for :func:`dumps`."""
    kind = _kind(error)
    message = str(error) or type(error).__name__
    return {
        "kind": kind,
        "message": message if type(error).__name__ == kind else f"{type(error).__name__}: {message}",
        "state": _detail(error),
        "notes": [str(note) for note in getattr(error, "__notes__", ())],
    }


def unpacked_error(packed: dict[str, Any]) -> Exception:
    """Return the error: of the same class if it is one of Concert's or a common one of Python's."""
    error = made_error(packed["kind"], packed["message"], packed["state"])
    for note in packed["notes"]:
        error.add_note(note)
    return error


def made_error(kind: str, message: str, state: str | None = None) -> Exception:
    """Return an error of the class called *kind*, else a :exc:`RuntimeError`.

    *state* is what it has besides its message: a state, or the name of a parameter.
    """
    cls = _KNOWN.get(kind, RuntimeError)
    error = cls.__new__(cls, message)  # their own arguments differ; what people see is the message
    error.args = (message,)
    if isinstance(error, StateError):
        error.error_state, error.msg = state or "unknown", message
    elif isinstance(error, TransitionNotAllowed):
        error.called = state == CALLED
    elif isinstance(error, _OF_PARAMETERS):
        error.parameter = state or "unknown"
    return error


def _detail(error: BaseException) -> str | None:
    """Return what :func:`made_error` wants as *state*."""
    if isinstance(error, StateError):
        return str(error.error_state)
    if isinstance(error, TransitionNotAllowed):
        return CALLED if error.called else None
    return str(error.parameter) if isinstance(error, _OF_PARAMETERS) else None


def _kind(error: BaseException) -> str:
    if isinstance(error, KillException):
        return "StoppedError"
    return next((each.__name__ for each in type(error).__mro__ if _KNOWN.get(each.__name__) is each), "RuntimeError")
