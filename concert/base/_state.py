"""States, and what methods have to do with them."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from concert.async_ import Future, dispatcher
from concert.async_._native import allocate_lock
from concert.async_._scope import running_future
from concert.base._errors import FSMError, HardLimitError, StateError, TransitionNotAllowed
from concert.base._parameter import SET, SLEEP_TIME, Parameter, ParameterValue
from concert.quantities import shown

Function = TypeVar("Function", bound=Callable[..., Any])

HARD_LIMIT = "hard-limit"
ENDS = (HARD_LIMIT, "fault")  # of a motion that has not arrived
START_TIME = 0.5  # seconds in which a motion out of such a state shows that it has begun

_guard = allocate_lock()


class StateValue(ParameterValue):
    """The state of one device: what the device says, else what is kept here."""

    __slots__ = ("_kept", "_transitions")

    def __init__(self, instance: Any, state: State) -> None:
        super().__init__(instance, state)
        self._setter = None
        self._kept = state.default
        self._transitions: list[_Transition] = []  # in progress, in the order in which they began

    @property
    def readable(self) -> bool:
        """Whether the state can be read: always."""
        return True

    def _read(self) -> Any:
        if self._getter is not None:
            return super()._read()
        if self._kept is None:
            raise FSMError(
                f"{self.full_name} has no value: give it a default, {self.name} = State(default='standby'), "
                f"or the device a method _get_{self.name}"
            )
        return self._kept

    def wait(self, value: Any, sleep_time: Any = SLEEP_TIME, timeout: Any = None) -> None:
        """Wait until the state is *value*, looking every *sleep_time*.

        A motion also ends in a limit switch or with a fault: raise :exc:`.HardLimitError` if the state has become
        ``hard-limit``, or stays so, and :exc:`.StateError` for ``fault``, unless that is waited for. Raise
        :exc:`.WaitError` if *timeout* passes first. Both are times.
        """
        began = time.monotonic()
        moved = False

        def arrived(state: Any) -> bool:
            nonlocal moved
            if state != value and state in ENDS and (moved or time.monotonic() - began > START_TIME):
                kind, what = (
                    (HardLimitError, "ran into a limit switch") if state == HARD_LIMIT else (StateError, "has a fault")
                )
                raise kind(state, f"{self._device.name} {what}: its {self.name} is {state!r} and not {value!r}")
            moved = moved or state not in ENDS
            return bool(state == value)

        self._wait_until(arrived, f"be {shown(value)}", sleep_time, timeout)

    def _change(self, state: str | None) -> None:
        """Keep another state, and tell those who subscribed."""
        if state != self._kept:
            self._kept = state
            dispatcher.send(self, SET)

    def _begin(self, immediate: str | None) -> _Transition:
        """Begin a transition: keep the state *immediate*, if it is one."""
        with _guard:
            begun = _Transition(self._kept, immediate)
            self._transitions.append(begun)
        if immediate is not None:
            self._change(immediate)
        return begun

    def _end(self, transition: _Transition, state: str | None) -> None:
        """End *transition* in *state*, or, while others are in progress, in the immediate state of the last of them."""
        with _guard:
            position = self._transitions.index(transition)
            del self._transitions[position]
            later = self._transitions[position:]
            if later:
                later[0].before = state  # what it goes back to if it fails
            others = [each.immediate for each in self._transitions if not transition.is_part_of(each)]
        self._change(next((each for each in reversed(others) if each is not None), state))


class _Transition:
    """That a method with a :func:`transition` is running; *before* is the state to go back to if it fails."""

    __slots__ = ("_future", "before", "immediate")

    def __init__(self, before: str | None, immediate: str | None) -> None:
        self.before = before
        self.immediate = immediate
        self._future = running_future.get()

    def is_part_of(self, other: _Transition) -> bool:
        """Tell whether the method is called by the one of *other*, as far as is known, whose state it may change."""
        return other._future is None or (self._future is not None and self._future.belongs_to(other._future))


class State(Parameter):
    """The state of a device: a finite state machine.

    If the device has a method ``_get_state``, it always tells the state. Otherwise the state is kept in software,
    starts with *default* and is changed by :func:`transition`. It cannot be assigned.
    """

    value_class = StateValue
    advice = ": the device's methods change it"

    def __init__(
        self,
        default: str | None = None,
        fget: Callable[..., Any] | None = None,
        fset: Callable[..., Any] | None = None,
        data: Any = None,
        check: Any = None,
        help: str | None = None,
    ) -> None:
        super().__init__(fget, fset, data, check, help)
        self.default = default


def check(
    source: str | Iterable[str] = "*", target: str | Iterable[str] | None = None
) -> Callable[[Function], Function]:
    """Decorate a method, or a setter, to check the state before and after it.

    *source* is the state, or the states, in which it may be called, ``'*'`` any. *target* is the state, or one of the
    states, that it leads to. Otherwise :exc:`.TransitionNotAllowed` is raised: before the call, or after it.
    """
    sources, targets = _states(source), _states(target)

    def decorate(function: Function) -> Function:
        def call(device: Any, *args: Any, **kwargs: Any) -> Any:
            state = _state_of(device, function)
            _require(state._read(), sources, False, device, function, args)
            result = function(device, *args, **kwargs)
            if targets is not None:
                _await(result)
                _require(state._read(), targets, True, device, function, args)
            return result

        return _decorated(function, decorate, call, "state_check", (sources, targets))

    return decorate


def transition(immediate: str | None = None, target: str | None = None) -> Callable[[Function], Function]:
    """Decorate a method, or a setter, to change the state that is kept in software.

    The state is *immediate* while it runs and *target* after it. If it fails, or is killed, the state is that of a
    :exc:`.StateError`, or else the one of before.
    """

    def decorate(function: Function) -> Function:
        def call(device: Any, *args: Any, **kwargs: Any) -> Any:
            state = _state_of(device, function)
            begun = state._begin(immediate)
            try:
                result = function(device, *args, **kwargs)
                _await(result)
            except StateError as error:
                state._end(begun, error.error_state)
                raise
            except BaseException:
                state._end(begun, begun.before)
                raise
            if target is not None:
                state._end(begun, target)
            else:
                state._transitions.remove(begun)
            return result

        return _decorated(function, decorate, call, "state_transition", (immediate, target))

    return decorate


def _await(result: Any) -> None:
    """Wait for what an asynchronous setter, or a method that calls one, has begun."""
    if isinstance(result, Future):
        result.join()


def inside(function: Any, wrap: Callable[[Any], Any]) -> Any:
    """Wrap the method, for an asynchronous one the code that its future runs."""
    asynchronous = getattr(function, "asynchronous", None)
    if asynchronous is None:
        return wrap(function)
    code = function.__wrapped__
    # Decorators above async_ have its mark as well: they stay what is called, in a future around its future.
    return asynchronous(wrap(_finishing(function) if hasattr(code, "asynchronous") else code))


def _finishing(function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return result.result() if isinstance(result, Future) else result

    del call.asynchronous  # type: ignore[attr-defined]
    return call


def _decorated(function: Any, decorate: Any, call: Any, attribute: str, value: Any) -> Any:
    if hasattr(function, "asynchronous"):
        # The states are looked at when the method runs, and a refusal comes through its future.
        return inside(function, decorate)
    call = functools.wraps(function)(call)
    setattr(call, attribute, value)
    return call


def states_to_set(parameter: ParameterValue) -> tuple[str, ...] | None:
    """Return the states in which *parameter* may be set, None for any."""
    function, allowed = parameter._setter, None
    while function is not None:
        sources = vars(function).get("state_check", (None, None))[0] if hasattr(function, "__dict__") else None
        if sources is not None and "*" not in sources:
            allowed = sources if allowed is None else tuple(each for each in allowed if each in sources)
        function = getattr(function, "__wrapped__", None)
    return allowed


def _states(states: str | Iterable[str] | None) -> tuple[str, ...] | None:
    if states is None:
        return None
    return (states,) if isinstance(states, str) else tuple(states)


def _state_of(device: Any, function: Any) -> StateValue:
    name = device._state_name
    if name is None:
        raise FSMError(f"{function.__qualname__} needs a state, and {device.name} has none: add state = State(...)")
    return device[name]


def _require(
    state: str, allowed: tuple[str, ...] | None, called: bool, device: Any, function: Any, args: tuple[Any, ...]
) -> None:
    if allowed is None or "*" in allowed or state in allowed:
        return
    states = " or ".join(repr(each) for each in allowed)
    relation = "should have led to" if called else "needs"
    raise TransitionNotAllowed(f"{_what(device, function, args)} {relation} state {states}, not {state!r}", called)


def _what(device: Any, function: Any, args: tuple[Any, ...]) -> str:
    """Return what messages call the method, for a setter the parameter and the value."""
    for value in device:
        setter = value._setter
        while setter is not None:
            if setter is function and args:
                return f"setting {value.full_name} to {shown(args[0])}"
            setter = getattr(setter, "__wrapped__", None)
    return f"{device.name}.{function.__name__}"
