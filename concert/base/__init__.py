"""Parameters, quantities and states: what devices are made of."""

from concert.base._audit import UNKNOWN, SetRecord, ignore_sets, listen_to_sets, note_refusal
from concert.base._condition import Condition, Verdict
from concert.base._errors import (
    AccessorNotImplementedError,
    DeadlockError,
    FSMError,
    HardLimitError,
    LimitError,
    LockError,
    ParameterError,
    ReadAccessError,
    SoftLimitError,
    StateError,
    StoppedError,
    ToleranceError,
    TransitionNotAllowed,
    UnitError,
    WriteAccessError,
)
from concert.base._exclusive import refusing
from concert.base._parameter import Parameter, ParameterValue
from concert.base._parameterizable import Parameterizable
from concert.base._quantity import Quantity, QuantityValue, quantity
from concert.base._selection import Selection, SelectionValue
from concert.base._state import State, StateValue, check, transition

__all__ = [
    "UNKNOWN",
    "AccessorNotImplementedError",
    "Condition",
    "DeadlockError",
    "FSMError",
    "HardLimitError",
    "LimitError",
    "LockError",
    "Parameter",
    "ParameterError",
    "ParameterValue",
    "Parameterizable",
    "Quantity",
    "QuantityValue",
    "ReadAccessError",
    "Selection",
    "SelectionValue",
    "SetRecord",
    "SoftLimitError",
    "State",
    "StateError",
    "StateValue",
    "StoppedError",
    "ToleranceError",
    "TransitionNotAllowed",
    "UnitError",
    "Verdict",
    "WriteAccessError",
    "check",
    "ignore_sets",
    "listen_to_sets",
    "note_refusal",
    "quantity",
    "refusing",
    "transition",
]
