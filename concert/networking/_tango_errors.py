"""What can go wrong with Tango devices, in one line each. The class of an error says whose fault it was."""

from __future__ import annotations

from typing import Any, NamedTuple


class TangoError(Exception):
    """The common part: *device* is the device's name, *reason* the word that Tango, or its server, has for it."""

    def __init__(self, message: str, device: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.device = device
        self.reason = reason


class TangoRequestError(TangoError, ValueError):
    """Raised for what cannot be asked for: a value outside the limits, an unknown attribute. The caller's fault."""


class UnknownDeviceError(TangoRequestError):
    """Raised for a device that the database, or the server, does not know. The caller's fault."""


class TangoDeviceError(TangoError, RuntimeError):
    """Raised when the device itself fails, or is not in a state to do it; the message has the server's own words."""


class NoEventsError(TangoDeviceError):
    """Raised when a server does not send the events asked for."""


class TangoConnectionError(TangoError, ConnectionError):
    """Raised when the device's server cannot be reached."""


class TangoDatabaseError(TangoConnectionError):
    """Raised when the database that knows where the device is cannot be reached."""


class TangoTimeoutError(TangoError, TimeoutError):
    """Raised when there is no answer in time."""


class Call(NamedTuple):
    """What was asked: of which device, to be found where, doing what, and how many seconds it might take."""

    device: str
    place: str
    doing: str
    time: float

    def no_answer(self) -> TangoTimeoutError:
        """Return the error of a call that was not answered in time."""
        message = f"{self.device} did not answer within {self.time:g} s while {self.doing}"
        return TangoTimeoutError(message, self.device, "API_DeviceTimedOut")


_TIMEOUTS = {"API_DeviceTimedOut"}
_BUSY = {"API_CommandTimedOut"}  # a server lets a call wait a few seconds for the one before it
_DATABASE = {"API_CantConnectToDatabase", "API_DatabaseAccess"}
_UNKNOWN = {"API_DeviceNotDefined", "DB_DeviceNotDefined", "DB_AliasNotDefined"}
_NOT_RUNNING = {"API_DeviceNotExported"}
_UNREACHABLE = {"API_CantConnectToDevice", "API_ServerNotRunning", "API_CommunicationFailed", "API_ConnectionFailed"}
_NO_EVENTS = {"API_AttributePollingNotStarted", "API_EventPropertiesNotSet", "API_NotificationServiceFailed"}
_REQUEST = {
    "API_AttrIncorrectDataNumber",
    "API_AttrNotFound",
    "API_AttrNotWritable",
    "API_AttrOptProp",
    "API_AttrWrongDefined",
    "API_CommandNotFound",
    "API_IncompatibleArgumentType",
    "API_IncompatibleAttrArgumentType",
    "API_IncompatibleAttrDataType",
    "API_IncompatibleCmdArgumentType",
    "API_UnsupportedAttribute",
    "API_WAttrOutsideLimit",
    "API_WrongAttributeNameSyntax",
}


def error_of(failure: Any, call: Call) -> TangoError:
    """Return the error for *failure*, a ``DevFailed``, of *call*.

    It looks at the reasons, for the class of a ``DevFailed`` changes with the circumstances: a dead server gives
    ``ConnectionFailed`` first and a plain one after that.
    """
    stack = [each for each in failure.args if hasattr(each, "reason")]
    reasons = {each.reason for each in stack}
    device, where = call.device, call.place
    first = stack[0] if stack else None
    reason = first.reason if first is not None else ""
    if reasons & _DATABASE:
        message = f"no connection to {where}, which knows where {device} is"
        return TangoDatabaseError(message, device, "API_CantConnectToDatabase")
    if reasons & _TIMEOUTS or any("TRANSIENT_CallTimedout" in each.desc for each in stack):
        return call.no_answer()
    if reasons & _BUSY:
        message = f"{device} was busy with something else for too long, before {call.doing}"
        return TangoTimeoutError(message, device, reason)
    if reasons & _UNKNOWN:
        return UnknownDeviceError(f"{where} has no device {device!r}", device, reason)
    if reasons & _NOT_RUNNING:
        return TangoConnectionError(f"the server of {device} is not running, says {where}", device, reason)
    if reasons & _UNREACHABLE or reason == "API_CorbaException":
        message = f"no connection to the server of {device} while {call.doing}: it is not running or cannot be reached"
        return TangoConnectionError(message, device, "API_CantConnectToDevice")
    text = f"{device} failed while {call.doing}: {_one_line(first.desc if first is not None else str(failure))}"
    if reasons & _NO_EVENTS:
        return NoEventsError(text, device, reason)
    return (TangoRequestError if reasons & _REQUEST else TangoDeviceError)(text, device, reason)


def refusal_of(error: Exception, call: Call) -> TangoRequestError:
    """Return the error for what PyTango refuses to send: a value of the wrong type, for example."""
    message = f"{call.device} cannot begin {call.doing}: {_one_line(str(error))}"
    return TangoRequestError(message, call.device, type(error).__name__)


def _one_line(text: str) -> str:
    return " ".join(text.split())


for _error in [each for each in vars().values() if isinstance(each, type) and issubclass(each, TangoError)]:
    _error.__module__ = "concert.networking.tango"
del _error
