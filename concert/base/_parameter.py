"""Parameters: what can be read from a device and written to it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

from concert.async_ import Future, dispatcher
from concert.async_._runtimes import call, start
from concert.async_._scope import running_future
from concert.base._audit import UNKNOWN, listeners, recorded
from concert.base._condition import Comparable
from concert.base._errors import LockError, ReadAccessError, StoppedError, WriteAccessError
from concert.base._exclusive import exclusion_of, holders_of, passes, passing
from concert.helpers import WaitError, busy_wait
from concert.quantities import q, shown

if TYPE_CHECKING:
    from concert.base._parameterizable import Parameterizable

SET = "set"  # the message a ParameterValue sends when a set has completed

PERMANENTLY = "permanently locked"

SLEEP_TIME = 0.1 * q.s


class ParameterValue(Comparable):
    """One parameter of one device.

    *instance* is the device, *parameter* what its class declares. Comparing it with a value makes a
    :class:`.Condition`, ``ring['current'] > 80 * q.mA`` for example.
    """

    __slots__ = (
        "__weakref__",
        "_cancel",
        "_data",
        "_device",
        "_getter",
        "_known",
        "_lock",
        "_parameter",
        "_setter",
        "_stash",
    )

    def __init__(self, instance: Parameterizable, parameter: Parameter) -> None:
        self._device = instance
        self._parameter = parameter
        self._data: tuple = () if parameter.data is None else (parameter.data,)
        self._getter = parameter.accessor(instance, "get", parameter.fget)
        self._setter = parameter.accessor(instance, "set", parameter.fset)
        if self._setter is not None and parameter.check is not None:
            self._setter = parameter.check(self._setter)
        cancel = getattr(instance, f"_cancel_{parameter.name}", None)
        self._cancel: Callable[[], Any] | None = None if cancel is None else functools.partial(passing, cancel)
        self._lock: str = ""  # "", "locked" or "permanently locked"
        self._stash: list[Any] | None = None

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The parameter's name, ``position`` for example."""
        return self._parameter.name

    @property
    def device(self) -> Any:
        """The device that the parameter belongs to."""
        return self._device

    @property
    def help(self) -> str | None:
        """What the parameter means, as its declaration says."""
        return self._parameter.help

    @property
    def full_name(self) -> str:
        """What messages call it: the device's name and its own, ``stage.position`` for example."""
        return f"{self._device.name}.{self.name}"

    call_name = full_name  # what futures that get or set it are called

    @property
    def readable(self) -> bool:
        """Whether the parameter can be read."""
        return self._getter is not None

    @property
    def writable(self) -> bool:
        """Whether the parameter can be written, if it is not locked."""
        return self._setter is not None

    @property
    def verified(self) -> bool:
        """Whether a set reads back where the device is."""
        return False

    @property
    def last_known(self) -> Any:
        """The value that was read or set last, without asking the device: known where sets are listened to."""
        return getattr(self, "_known", UNKNOWN)

    @last_known.setter
    def last_known(self, value: Any) -> None:
        self._known = value

    def is_readable(self) -> bool:
        """Return :attr:`readable`."""
        return self.readable

    def is_writable(self) -> bool:
        """Return :attr:`writable`."""
        return self.writable

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.full_name}>"

    # -- reading and writing ------------------------------------------------------------------------------------

    def get(self, wait_on: Future | None = None) -> Future:
        """Read the parameter: a future whose result is the value. Join on the future *wait_on* first, if given."""
        return start(self._read if wait_on is None else self._read_after, () if wait_on is None else (wait_on,), {})

    def set(self, value: Any, wait_on: Future | None = None) -> Future:
        """Write *value*: a future that is done when the device has arrived, or has failed to.

        The device is not touched if the value is refused, and the future then raises what is wrong with it. Join on
        the future *wait_on* first, if given.
        """
        if wait_on is None:
            return start(self._write, (value,), {})
        return start(self._write_after, (wait_on, value), {})

    def check_value(self, value: Any) -> None:
        """Raise what is wrong with *value*, as a set would, without touching the device."""
        self._accepted(value)

    def estimate(self, begin: Any, end: Any) -> Any:
        """Return how long a set from the value *begin* to *end* takes, a time; None if the driver does not say.

        Both may be arrays, of one value for each of several sets.
        """
        estimator = getattr(self._device, f"_estimate_{self.name}", None)
        return None if estimator is None else estimator(begin, end)

    def holders(self) -> list[str]:
        """Return the names of those who hold the parameter, or its device, so that others have to wait; best none."""
        return holders_of(self._device, self.name)

    def _read(self) -> Any:
        if self._getter is None:
            raise ReadAccessError(self.full_name)
        try:
            value = self._getter(self._device, *self._data)
            if isinstance(value, Future):  # of an asynchronous getter
                value = value.result()
        except OSError as error:
            self._name_in(error, "reading")
            raise
        received = self._received(value)
        if listeners and self._setter is not None:
            self._known = received
        return received

    def _name_in(self, error: OSError, doing: str) -> None:
        """Note in an error of the line, which knows no devices, which one it was."""
        if not getattr(error, "__notes__", None):
            error.add_note(f"while {doing} {self.full_name}")

    def _read_after(self, wait_on: Future) -> Any:
        wait_on.join()
        return self._read()

    def _write_after(self, wait_on: Future, value: Any) -> None:
        wait_on.join()
        self._write(value)

    def _write(self, value: Any, record: bool = True) -> None:
        """Check *value* and write it; runs as a future of its own."""
        if listeners and record:
            recorded(self, value, self._write)
            return
        accepted = self._accepted(value)
        device, name = self._device, self._parameter.name
        exclusion = device._exclusion or exclusion_of(device)
        future = running_future.get()
        assert future is not None
        stops = exclusion.stops
        mine = free = exclusion.begin_set(name, future)
        if not free:
            stops_for_all = exclusion.stops_for_all
            mine = exclusion.wait_for_set(name, future)
        try:
            if not free:
                accepted = self._accepted(value)  # limits and locks may have changed while it waited
                stops = exclusion.stops
                if exclusion.stops_for_all != stops_for_all:
                    self._raise_stopped(value)
            self._write_exclusively(accepted, future)
            if exclusion.stops != stops and exclusion.stopped_since(stops, name):
                self._raise_stopped(value)
            self._verify(accepted)
        finally:
            if mine:
                exclusion.end_set(name)
        self._tell()

    def _write_exclusively(self, value: Any, future: Future) -> None:
        if self._cancel is not None:
            future.cancel_operation = self._cancel
        try:
            returned = self._setter(self._device, value, *self._data)  # type: ignore[misc]
            if returned is not None and isinstance(returned, Future):  # of an asynchronous setter
                returned.join()
        except OSError as error:
            self._name_in(error, "setting")
            raise
        future.cancel_operation = None

    def _raise_stopped(self, value: Any) -> NoReturn:
        try:
            where = f" at {shown(self._read())}"
        except Exception:  # the set has failed anyway; this only tells more, where it can
            where = ""
        raise StoppedError("stopped", f"{self.full_name} was stopped{where} on the way to {shown(value)}")

    def _accepted(self, value: Any) -> Any:
        """Return *value* as the setter wants it, or raise what is wrong with it."""
        if self._setter is None:
            raise WriteAccessError(self.full_name, self._parameter.advice)
        if self._lock and not passes():
            advice = "" if self._lock == PERMANENTLY else "; unlock it first"
            raise LockError(f"{self.full_name} is {self._lock} and cannot be set to {shown(value)}{advice}")
        return self._converted(value)

    def _converted(self, value: Any) -> Any:
        return value

    def _received(self, value: Any) -> Any:
        """Return what the getter returned as the user gets it."""
        return value

    def _compared(self, value: Any) -> Any:
        """Return *value* as readings are compared with it by a condition, or raise what is wrong with it."""
        if not self.readable:
            raise ReadAccessError(self.full_name)
        return value

    def _comparable(self, reading: Any) -> Any:
        """Return what of a reading is compared."""
        return reading

    def _as_difference(self, value: Any) -> Any:
        """Return a difference of two values as a number."""
        return value

    def _verify(self, value: Any) -> None:
        """Raise if the device is not where it was sent."""

    def _tell(self) -> None:
        """Tell those who subscribed that a set has completed."""
        dispatcher.send(self, SET)

    def wait(self, value: Any, sleep_time: Any = SLEEP_TIME, timeout: Any = None) -> None:
        """Wait until the parameter is *value*, looking every *sleep_time*.

        Raise :exc:`.WaitError`, with the last value, if *timeout* passes first. Both are times.
        """
        self._wait_until(lambda actual: bool(np.all(actual == value)), f"be {shown(value)}", sleep_time, timeout)

    def _wait_until(self, arrived: Callable[[Any], bool], wanted: str, sleep_time: Any, timeout: Any) -> None:
        last: list[Any] = []

        def condition() -> bool:
            last[:] = [self._read()]
            return bool(arrived(last[0]))

        try:
            busy_wait(condition, sleep_time, timeout)
        except WaitError as error:
            if not last:  # of the device itself
                raise
            raise WaitError(f"{self.full_name} is {shown(last[0])} and did not come to {wanted} in time") from error

    # -- telling others -----------------------------------------------------------------------------------------

    def subscribe(self, handler: Callable[[ParameterValue], Any]) -> None:
        """Call *handler* with this object after every set that has completed, through the dispatcher."""
        dispatcher.subscribe(self, SET, handler)

    def unsubscribe(self, handler: Callable[[ParameterValue], Any]) -> None:
        """Do not call *handler* any more."""
        dispatcher.unsubscribe(self, SET, handler)

    # -- locking ------------------------------------------------------------------------------------------------

    @property
    def locked(self) -> bool:
        """Whether the parameter is locked for writing."""
        return bool(self._lock)

    def lock(self, permanent: bool = False) -> None:
        """Lock the parameter for writing, for everybody; if *permanent*, it cannot be unlocked any more."""
        if permanent or not self._lock:
            self._lock = PERMANENTLY if permanent else "locked"

    def unlock(self) -> None:
        """Unlock the parameter; raise :exc:`.LockError` if it was locked permanently."""
        if self._lock == PERMANENTLY:
            raise LockError(f"{self.full_name} is permanently locked")
        self._lock = ""

    def __enter__(self) -> ParameterValue:
        """Hold the parameter: until the end of the block only this code and what it starts may write to it."""
        exclusion_of(self._device).acquire(self.name)
        return self

    def __exit__(self, *_exception: Any) -> None:
        exclusion_of(self._device).release(self.name)

    # -- remembering --------------------------------------------------------------------------------------------

    def stash(self) -> Future:
        """Save the current value on a stack, for :meth:`restore`: a future. Do nothing if it cannot be written."""
        return start(self._stash_value, (), {})

    def restore(self) -> Future:
        """Write the value saved last and forget it: a future.

        Do nothing if the parameter cannot be written or nothing is saved. A value that is refused stays saved.
        """
        return start(self._restore_value, (), {})

    def _stash_value(self) -> None:
        if self.writable:
            value = self._read()
            if self._stash is None:
                self._stash = []
            self._stash.append(value)

    def _restore_value(self) -> None:
        if not self.writable or not self._stash:
            return
        value = self._stash.pop()
        try:
            self._write(value)
        except BaseException:
            self._stash.append(value)
            raise


class Parameter:
    """A parameter with getter and setter, declared as an attribute of a device's class.

    *fget* is called with the device and returns the value, *fset* is called with the device and the value. Without
    them the methods ``_get_name`` and ``_set_name`` of the device are used; ``_cancel_name``, if there is one, is
    called when a set is cancelled, and ``_estimate_name``, with two values or arrays of them, tells how long sets from
    the ones to the others take. *data*, when given, is a further argument to the accessors and the check. *check*
    is a :func:`.check`, or another decorator, of the setter. *help* describes the parameter.

    The device's attribute is the value: reading it reads the device, assigning waits until the device has arrived.
    ``device['name']`` is the :class:`ParameterValue`.
    """

    value_class: ClassVar[type[ParameterValue]] = ParameterValue
    advice = ""  # what to do instead of writing what cannot be written
    is_setting = True  # whether a device that is restored gets it back; not if setting it begins something

    def __init__(
        self,
        fget: Callable[..., Any] | None = None,
        fset: Callable[..., Any] | None = None,
        data: Any = None,
        check: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None,
        help: str | None = None,
    ) -> None:
        self.fget = fget
        self.fset = fset
        self.data = data
        self.check = check
        self.help = help
        self.name = "parameter"
        self.__doc__ = help

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def accessor(self, device: Any, kind: str, given: Callable[..., Any] | None) -> Callable[..., Any] | None:
        """Return the getter or setter, a function of the device and more: the one given, else the class' own."""
        return given if given is not None else getattr(type(device), f"_{kind}_{self.name}", None)

    def __get__(self, device: Any, owner: type | None = None) -> Any:
        if device is None:
            return self
        value = device._values.get(self.name)
        return (device[self.name] if value is None else value)._read()

    def __set__(self, device: Any, value: Any) -> None:
        call(device[self.name]._write, value)
