"""Parameterizable: an object with parameters."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import Any, ClassVar

from concert.async_ import Future, async_, wait
from concert.base._errors import LockError, ParameterError
from concert.base._exclusive import Exclusion
from concert.base._parameter import Parameter, ParameterValue
from concert.base._state import State


class Parameterizable:
    """Collection of parameters, which are declared as class attributes.

    Iterating gives each :class:`.ParameterValue`, sorted by name; ``device['position']`` gives one of them.
    For each parameter there are ``get_position()`` and ``set_position(value)``, which return futures.

    >>> class Device(Parameterizable):
    ...     def _get_something(self):
    ...         return 'something'
    ...     something = Parameter()
    >>> device = Device()
    >>> device.something
    'something'
    >>> [value.name for value in device]
    ['something']
    """

    _declared: ClassVar[dict[str, Parameter]] = {}
    _state_name: ClassVar[str | None] = None
    _values: dict[str, ParameterValue]
    _exclusion: Exclusion | None = None
    _name: str | None = None
    _stashes: list[dict[str, Any]] | None = None

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Any:
        # Not in __init__: a driver may forget to call it, or set parameters before it does.
        self = super().__new__(cls)
        self._values = {}
        return self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._declared = _declared_parameters(cls)
        cls._state_name = min((name for name, each in cls._declared.items() if isinstance(each, State)), default=None)
        for name in cls._declared:
            _add_method(cls, f"get_{name}", _getter(name))
            _add_method(cls, f"set_{name}", _setter(name))

    @property
    def name(self) -> str:
        """What messages call the object: the name given, else its class' name."""
        return self._name or type(self).__name__

    @name.setter
    def name(self, name: str | None) -> None:
        self._name = name

    # -- finding parameters -------------------------------------------------------------------------------------

    def __iter__(self) -> Iterator[ParameterValue]:
        return iter([self[name] for name in sorted(self._declared)])

    def __getitem__(self, name: str) -> Any:  # a ParameterValue, of the class that its declaration says
        value = self._values.get(name)
        if value is None:
            parameter = self._declared.get(name)
            if parameter is None:
                raise ParameterError(name, self.name, sorted(self._declared))
            value = self._values.setdefault(name, parameter.value_class(self, parameter))
        return value

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def being_set(self) -> list[ParameterValue]:
        """Return the parameters that are on their way to a value."""
        exclusion = self._exclusion
        return [] if exclusion is None else [self[name] for name in sorted(exclusion.sets)]

    def install_parameters(self, params: Mapping[str, Parameter]) -> None:
        """Add the parameters, a dictionary of name and :class:`Parameter`, to this object alone."""
        for name, parameter in params.items():
            if not isinstance(parameter, Parameter):
                raise TypeError(f"expected a Parameter for {name!r} of {self.name}, not {parameter!r}")
            if not name.isidentifier() or keyword.iskeyword(name):
                raise ValueError(f"{name!r} cannot be the name of a parameter of {self.name}")
            if name not in self._declared and hasattr(type(self), name):
                raise ValueError(
                    f"{name!r} cannot be the name of a parameter of {self.name}: it has {name} for another purpose"
                )
        # A class of its own, so that no other object sees them; and parameters of its own, which know its names.
        cls = type(self)
        namespace = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
        own = {name: copy(parameter) for name, parameter in params.items()}
        self.__class__ = type(cls.__name__, (cls,), {**namespace, **own})
        for name in params:
            self._values.pop(name, None)

    def _state_for_messages(self) -> str:
        try:
            return "unknown" if self._state_name is None else self[self._state_name]._read()
        except Exception:  # a message about something else is no place for this error
            return "unknown"

    # -- all of them --------------------------------------------------------------------------------------------

    def lock(self, permanent: bool = False) -> None:
        """Lock all the parameters for writing; if *permanent*, they cannot be unlocked any more."""
        for value in self:
            value.lock(permanent)

    def unlock(self) -> None:
        """Unlock all the parameters for writing; raise :exc:`.LockError` at the end if some are locked permanently."""
        refusals = []
        for value in self:
            try:
                value.unlock()
            except LockError as error:
                refusals.append(str(error))
        if refusals:
            raise LockError(", ".join(refusals))

    @async_
    def stash(self) -> None:
        """Save the values of all parameters that can be read and written, for :meth:`restore`: a future.

        Left out is what is no setting: the velocity of a motor that can keep moving, which begins to when it is set.
        They are read at the same time. One that fails does not keep the others from being saved; it is raised at the
        end.
        """
        reads = {value.name: value.get() for value in self if self._is_saved(value)}
        try:
            wait(reads.values())
        finally:
            if all(read.done() and not read.cancelled() for read in reads.values()):  # not killed
                if self._stashes is None:
                    self._stashes = []
                self._stashes.append({name: read.result() for name, read in reads.items() if not _failed(read)})

    def _is_saved(self, value: ParameterValue) -> bool:
        # A class that declares a parameter of its base again need not say again that it is no setting.
        declarations = (vars(cls).get(value.name) for cls in type(self).__mro__)
        is_setting = all(getattr(each, "is_setting", True) for each in declarations)
        return is_setting and value.readable and value.writable

    @async_
    def restore(self) -> None:
        """Write the values that the last :meth:`stash` saved and forget them: a future.

        They are written at the same time. Those that fail are kept, the others are written all the same, and the
        first failure is raised at the end, with the others in a note. With nothing saved do nothing.
        """
        if not self._stashes:
            return
        saved = self._stashes.pop()
        sets = {name: self[name].set(value) for name, value in saved.items()}
        try:
            wait(sets.values())
        finally:
            kept = {name: saved[name] for name, each in sets.items() if not each.done() or _failed(each)}
            if kept:
                self._stashes.append(kept)


def _failed(future: Future) -> bool:
    return future.exception() is not None


def _declared_parameters(cls: type) -> dict[str, Parameter]:
    """Return the parameters of the class, its bases' included; the class nearest to it decides about a name."""
    attributes = {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}
    return {name: value for name, value in attributes.items() if isinstance(value, Parameter)}


def _add_method(cls: type, name: str, method: Callable[..., Any]) -> None:
    if not hasattr(cls, name):
        method.__name__ = name
        method.__qualname__ = f"{cls.__qualname__}.{name}"
        setattr(cls, name, method)


def _getter(name: str) -> Callable[..., Future]:
    def get(self: Parameterizable, wait_on: Future | None = None) -> Future:
        return self[name].get(wait_on)

    get.__doc__ = f"Read {name}: a future whose result is the value."
    return get


def _setter(name: str) -> Callable[..., Future]:
    def set(self: Parameterizable, value: Any, wait_on: Future | None = None) -> Future:
        return self[name].set(value, wait_on)

    set.__doc__ = f"Write {name}: a future that is done when the device has arrived."
    return set
