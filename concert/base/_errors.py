"""What can go wrong with parameters and states. The class of an error says whose fault it was."""

from __future__ import annotations

from typing import Any


class UnitError(ValueError):
    """Raised when an operation is passed a value with an incompatible unit, or without one."""


class LimitError(ValueError):
    """Raised when an operation is passed a value that exceeds a limit."""


class SoftLimitError(LimitError):
    """Raised when a value is outside the soft limits, before the device is touched."""


class ParameterError(LookupError):
    """Raised when a parameter is accessed that does not exist."""

    def __init__(self, parameter: str, device: str = "this object", existing: Any = ()) -> None:
        has = f"; it has {', '.join(existing)}" if existing else ""
        super().__init__(f"{device} has no parameter {parameter!r}{has}")
        self.parameter = parameter


class AccessorNotImplementedError(NotImplementedError):
    """Raised when a getter or setter is not implemented; a driver may raise it in an accessor as well."""


class ReadAccessError(AccessorNotImplementedError):
    """Raised when a parameter is read that cannot be read."""

    def __init__(self, parameter: Any) -> None:
        super().__init__(f"{parameter} cannot be read")
        self.parameter = parameter


class WriteAccessError(AccessorNotImplementedError):
    """Raised when a parameter is written that cannot be written."""

    def __init__(self, parameter: Any, advice: str = "") -> None:
        super().__init__(f"{parameter} cannot be written{advice}")
        self.parameter = parameter


class LockError(RuntimeError):
    """Raised when something locked, or held by somebody else, is to be changed."""


class DeadlockError(LockError):
    """Raised instead of waiting for a device whose holder waits for what the caller holds."""


class StateError(Exception):
    """Raised by a device that could not do what it was told; *error_state* is the state it is in because of that."""

    def __init__(self, error_state: str, msg: str | None = None) -> None:
        super().__init__(msg if msg is not None else f"the device is in state {error_state!r}")
        self.error_state = error_state
        self.msg = msg

    @property
    def state(self) -> str:
        """The state that the error left the device in."""
        return self.error_state


class HardLimitError(StateError):
    """Raised when a device ran into a limit switch."""

    def __init__(self, error_state: str = "hard-limit", msg: str | None = None) -> None:
        super().__init__(error_state, msg)


class StoppedError(StateError):
    """Raised by a set that was stopped by somebody else before it arrived."""


class ToleranceError(StateError):
    """Raised by a set that ended farther from the wanted value than its tolerance."""


class FSMError(Exception):
    """Raised when a state machine is declared or used wrongly."""


class TransitionNotAllowed(FSMError):
    """Raised when the state does not allow what was called, or is not one that it should have led to.

    *called* tells the second from the first, in which nothing was done.
    """

    def __init__(self, message: str = "", called: bool = False) -> None:
        super().__init__(message)
        self.called = called


# Tracebacks name them as the documentation does.
for _error in [each for each in vars().values() if isinstance(each, type) and each.__module__ == __name__]:
    _error.__module__ = "concert.base"
del _error
