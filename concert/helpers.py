"""Helpers that know no device: waiting for a condition, checking arguments, remembering results, small classes."""

import argparse
import functools
import inspect
import keyword
import numbers
import reprlib
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from types import UnionType
from typing import Any, ParamSpec, TypeVar, get_args

import numpy as np
import pint

from concert.quantities import q, seconds

P = ParamSpec("P")
R = TypeVar("R")


class WaitError(TimeoutError):
    """Raised when waiting took too long."""


def busy_wait(condition: Callable[[], Any], sleep_time: Any = 0.1 * q.s, timeout: Any = None) -> None:
    """Wait until *condition()* is true.

    *sleep_time* passes between two checks. If *timeout* passes first, raise :exc:`WaitError`; with a timeout of 0 s the
    condition is checked once, with None (the default) until it is true. Both are quantities of time or seconds.
    """
    if not callable(condition):
        raise TypeError(f"expected a condition to call, such as lambda: shutter.state == 'open', not {condition!r}")
    sleep_time_s = seconds(sleep_time)
    timeout_s = float("inf") if timeout is None else seconds(timeout)
    deadline = time.monotonic() + timeout_s
    while not condition():
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise WaitError(f"{_name(condition)} did not become true within {timeout_s:g} s")
        time.sleep(min(sleep_time_s, left_s))


def _name(condition: Callable[[], Any]) -> str:
    name = getattr(condition, "__name__", "<unnamed>")
    return "the condition" if name.startswith("<") else name


class Numeric:
    """What :func:`expects` takes for numbers.

    *dimension* 1 means one number, *n* means *n* of them in a row, as in ``[4, 5] * q.mm`` for 2. With *units* (a unit
    or a quantity) they must be compatible with it; without, only bare numbers will do.
    """

    def __init__(self, dimension: int, units: Any = None) -> None:
        if type(dimension) is not int or dimension < 1:
            raise ValueError(f"expected the dimension to be 1 or more numbers, not {dimension!r}")
        self.dimension = dimension
        self.units = None if units is None else q.Unit(getattr(units, "units", units))

    def accepts(self, value: Any) -> bool:
        """Return whether *value* has the expected shape and unit."""
        has_unit = isinstance(value, pint.Quantity)
        if not self._fits_shape(value.magnitude if has_unit else value):
            return False
        if self.units is None:
            return not has_unit
        return bool(self.units.is_compatible_with(value))

    def _fits_shape(self, value: Any) -> bool:
        if isinstance(value, np.ndarray):
            shape, numeric = value.shape, value.dtype.kind in "iuf"
        elif isinstance(value, list | tuple):
            shape, numeric = (len(value),), all(map(_is_number, value))
        else:
            shape, numeric = (), _is_number(value)
        return numeric and shape in ([(), (1,)] if self.dimension == 1 else [(self.dimension,)])

    def __str__(self) -> str:
        count = "one number" if self.dimension == 1 else f"{self.dimension} numbers"
        return count if self.units is None else f"{count} in {self.units}"


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


class _Instance:
    """What :func:`expects` takes for other objects: an instance of a class, or of one of several."""

    def __init__(self, classes: type | UnionType) -> None:
        self.classes = classes

    def accepts(self, value: Any) -> bool:
        return isinstance(value, self.classes)

    def __str__(self) -> str:
        return "of class " + " or ".join(member.__name__ for member in get_args(self.classes) or (self.classes,))


def expects(*args: Any, **kwargs: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function to check its arguments, by position and by name.

    An expectation is a class, a choice of classes (``Camera | Diode``), or :class:`Numeric`::

        @expects(Camera, LinearMotor, pixelsize=Numeric(2, q.mm))
        def focus(camera, motor, pixelsize=None): ...

    The *self* of a method is not counted. None is accepted where it is the default. The function raises
    :exc:`TypeError` if an argument is something else, and so does decorating it if it has no such parameters.
    """

    def decorate(func: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(func)
        expected = _expectations(func.__name__, signature, args, kwargs)

        @functools.wraps(func)
        def checked(*call_args: P.args, **call_kwargs: P.kwargs) -> R:
            bound = _bind(signature, call_args, call_kwargs)
            for name, value in bound.arguments.items() if bound else ():
                if name not in expected or (value is None and signature.parameters[name].default is None):
                    continue
                if not expected[name].accepts(value):
                    raise TypeError(f"{func.__name__} expects {name} to be {expected[name]}, not {_shown(value)}")
            return func(*call_args, **call_kwargs)

        return checked

    return decorate


def _expectations(
    function: str, signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Numeric | _Instance]:
    """Return what is expected of each parameter by name, or raise :exc:`TypeError` if *function* has no such."""
    names, by_position = _parameters(signature)
    if len(args) > len(by_position):
        raise TypeError(f"expected at most {len(by_position)} expectations by position for {function}, not {len(args)}")
    expected = dict(zip(by_position, args, strict=False))
    for name in kwargs:
        if name not in names:
            raise TypeError(f"{function} has no parameter {name!r}; it has {', '.join(names) or 'none'}")
        if name in expected:
            raise TypeError(f"two expectations came for {name} of {function}, by position and by name")
    return {name: _expectation(what, f"{name} of {function}") for name, what in (expected | kwargs).items()}


def _parameters(signature: inspect.Signature) -> tuple[list[str], list[str]]:
    """Return the names of all single parameters, and of those that can be given by position, without *self*."""
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    single = [parameter for parameter in signature.parameters.values() if parameter.kind not in several]
    if single and single[0].name in ("self", "cls"):
        del single[0]
    by_position = [parameter.name for parameter in single if parameter.kind is not inspect.Parameter.KEYWORD_ONLY]
    return [parameter.name for parameter in single], by_position


def _expectation(what: Any, of: str) -> Numeric | _Instance:
    if isinstance(what, Numeric):
        return what
    if isinstance(what, type | UnionType):
        return _Instance(what)
    raise TypeError(f"expected a class or Numeric(...) as expectation for {of}, not {what!r}")


def _shown(value: Any) -> str:
    """Return *value* for a message: itself where that is short and clear, else its class."""
    if isinstance(value, pint.Quantity):
        return f"{value:~P}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None or isinstance(value, str | numbers.Number | np.generic | list | tuple | dict | np.ndarray):
        return reprlib.repr(value)
    return f"of class {type(value).__name__}"


def _bind(signature: inspect.Signature, args: Any, kwargs: Any) -> inspect.BoundArguments | None:
    """Return the arguments by name, or None for a wrong call: calling the function says what is wrong with it."""
    try:
        return signature.bind(*args, **kwargs)
    except TypeError:
        return None


def memoize(func: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function without side effects to remember its results.

    ``f(1, 2)`` and ``f(1, b=2)`` are the same call; ``f(1)``, ``f(1.0)`` and ``f(True)`` are not, neither are
    ``f(1 * q.m)`` and ``f(100 * q.cm)``. A failure is not remembered, and neither is a call with an argument that
    cannot be hashed, such as an array or a list. Nothing is ever forgotten. Two callers at the same time may both
    compute; both get what was ready first.
    """
    signature = inspect.signature(func)
    results: dict[Hashable, R] = {}

    @functools.wraps(func)
    def remembering(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = _bind(signature, args, kwargs)
        if bound is None:
            return func(*args, **kwargs)
        bound.apply_defaults()
        try:
            key = _key(bound)
            known = key in results
        except TypeError:  # an argument that cannot be hashed
            return func(*args, **kwargs)
        return results[key] if known else results.setdefault(key, func(*args, **kwargs))

    return remembering


def _key(bound: inspect.BoundArguments) -> Hashable:
    by_name = tuple((name, _identity(value)) for name, value in sorted(bound.kwargs.items()))
    return tuple(map(_identity, bound.args)), by_name


def _identity(value: Any) -> Hashable:
    """Return what tells *value* from others, although ``1 == True == 1.0`` and ``1 * q.m == 100 * q.cm``."""
    if isinstance(value, pint.Quantity):
        return type(value), type(value.magnitude), value.magnitude, value.units
    if isinstance(value, tuple):
        return type(value), tuple(map(_identity, value))
    if isinstance(value, frozenset):
        return type(value), frozenset(map(_identity, value))
    return type(value), value


class Bunch:
    """Attributes made of a dictionary, or of a list of names, each of which is its own value::

        Bunch({"foo": 123}).foo   # 123
        Bunch(["foo", "bar"]).foo   # 'foo'

    Iterating yields the names; two bunches are equal if their names and values are.
    """

    def __init__(self, values: Mapping[str, Any] | Iterable[str]) -> None:
        if isinstance(values, str):
            raise TypeError(f"expected a dictionary or a list of names, not {values!r}")
        entries = dict(values) if isinstance(values, Mapping) else {name: name for name in values}
        for name in entries:
            _check_attribute_name(name)
        vars(self).update(entries)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"there is no {name!r} in this bunch; there are {', '.join(self) or 'no names'}")

    def __iter__(self) -> Iterator[str]:
        return iter(vars(self))

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if isinstance(other, Bunch) else NotImplemented

    def __repr__(self) -> str:
        return f"Bunch({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def _check_attribute_name(name: Any) -> None:
    usable = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    # Names of every object, such as __class__, would not be found in the bunch, or break it.
    if not usable or hasattr(Bunch, name):
        raise ValueError(f"expected a name that can follow a dot, such as 'energy_1', not {name!r}")


class Command:
    """A sub-command of the ``concert`` program.

    *name* is what is typed, as ``mv`` in ``concert mv``. *opts* maps each argument to the keywords of
    :meth:`argparse.ArgumentParser.add_argument`::

        Command("start", {"session": {"help": "its name"}, "--force": {"action": "store_true"}})

    Its help is the first line of the class's docstring.
    """

    def __init__(self, name: str, opts: Mapping[str, Mapping[str, Any]]) -> None:
        self.name = name
        self.opts = opts
        self.help = (type(self).__doc__ or "").strip().partition("\n")[0]

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command with the parsed arguments by name, ``run(session="optics", force=True)``."""
        raise NotImplementedError(f"{type(self).__name__} does not say what to run; define run() in it")

    def attach(self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
        """Add the parser of this command to *subparsers* (from ``add_subparsers``) and return it.

        The arguments it parses have the command itself as ``_command``.
        """
        # In a help, unlike in a description, argparse takes % for a placeholder.
        parser = subparsers.add_parser(self.name, help=self.help.replace("%", "%%"), description=self.help)
        for argument, keywords in self.opts.items():
            parser.add_argument(argument, **keywords)
        parser.set_defaults(_command=self)
        return parser
