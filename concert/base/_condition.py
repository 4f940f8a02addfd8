"""Conditions: what is wanted of parameters or functions, to be looked at whenever somebody needs to know."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from concert.async_ import Future
from concert.quantities import shown

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


class Verdict(NamedTuple):
    """What came of a look at a condition.

    *holds* is None if nobody can tell: its source does not answer, fails, or answers NaN. *reason* says why it does not
    hold, and is empty if it does; *error* is what a source raised.
    """

    holds: bool | None
    reason: str = ""
    error: Exception | None = None


class Condition:
    """What *function*, called without arguments, answers: True or False. *text* is what messages call it.

    Parameters make conditions as well, by comparison, and ``&``, ``|`` and ``~`` make others of them. A condition is
    looked at when its truth is asked for, not when it is made::

        beam = (ring["current"] > 80 * q.mA) & shutter["state"].equals("open") & ~Condition(is_raining, "rain")
        if beam: ...

    ``and``, ``or`` and ``not`` ask for the truth at once, so they do not make conditions.
    """

    def __init__(self, function: Callable[[], Any], text: str | None = None) -> None:
        if not callable(function):
            raise TypeError(f"expected a function without arguments as condition, not {shown(function)}")
        self._function = function
        self._text = text or _name(function)

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The parameters that are looked at."""
        return ()

    def evaluate(self) -> Verdict:
        """Look now. Nothing that goes wrong with a source is raised; the verdict says it."""
        return self._judge(True)

    def __bool__(self) -> bool:
        """Look now; raise what a source raises if it takes that one to know."""
        verdict = self.evaluate()
        if verdict.error is not None:
            raise verdict.error
        return verdict.holds is True

    def __and__(self, other: Any) -> Condition:
        return _Combination(True, (self, condition_of(other)))

    def __rand__(self, other: Any) -> Condition:
        return _Combination(True, (condition_of(other), self))

    def __or__(self, other: Any) -> Condition:
        return _Combination(False, (self, condition_of(other)))

    def __ror__(self, other: Any) -> Condition:
        return _Combination(False, (condition_of(other), self))

    def __invert__(self) -> Condition:
        return _Opposite(self)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<Condition {self}>"

    def _judge(self, wanted: bool) -> Verdict:
        """Tell whether the condition is *wanted*, which is False in a negation."""
        try:
            answer = self._function()
            if isinstance(answer, Future):
                answer = answer.result()
            if isinstance(answer, Condition):
                return answer._judge(wanted)
            holds = _as_truth(answer)
        except Exception as error:  # whatever is wrong with a source, nothing is known
            return Verdict(None, f"{self} cannot be told: {type(error).__name__}: {error}", error)
        if holds is wanted:
            return Verdict(True)
        return Verdict(False, f"{self} is {'not ' if wanted else ''}true")


class Comparison(Condition):
    """The *parameter*'s comparison with *value*; for equality, give or take *eps* if that is given."""

    def __init__(self, parameter: Any, relation: str, value: Any, eps: Any = None) -> None:
        self._parameter = parameter
        self._relation = RELATIONS[relation]
        self._number = parameter._compared(value)
        self._eps = None if eps is None else parameter._as_difference(eps)
        around = "" if eps is None else f" ± {shown(eps)}"
        self._wanted = shown(value) + around if relation == "==" else f"{relation} {shown(value)}"
        self._verb = " is " if relation == "==" else " "

    @property
    def parameters(self) -> tuple[Any, ...]:
        return (self._parameter,)

    def __str__(self) -> str:
        return f"{self._parameter.full_name}{self._verb}{self._wanted}"

    def _judge(self, wanted: bool) -> Verdict:
        parameter = self._parameter
        target = f"wanted {'' if wanted else 'not '}{self._wanted}"
        doing = "read"
        try:
            reading = parameter._read()
            doing = "compared"
            number = parameter._comparable(reading)
            holds = None if _is_nan(number) else self._compare(number)
        except Exception as error:
            what = f"{parameter.full_name} cannot be {doing}: {type(error).__name__}: {error}"
            return Verdict(None, f"{what}, {target}", error)
        if holds is wanted:
            return Verdict(True)
        return Verdict(None if holds is None else False, f"{parameter.full_name} is {shown(reading)}, {target}")

    def _compare(self, number: Any) -> bool:
        if self._eps is not None:
            return bool(np.all(np.abs(number - self._number) <= self._eps))
        return bool(np.all(self._relation(number, self._number)))


class _Combination(Condition):
    """*parts* of which all, or if not *all_of_them* any, are wanted.

    What nobody can tell decides only where it matters: beside one that holds, ``|`` does not need the other.
    """

    def __init__(self, all_of_them: bool, parts: tuple[Condition, ...]) -> None:
        self._all = all_of_them
        # a & b & c is one condition of three parts, not of two of which one has two
        alike = [
            part._parts if isinstance(part, _Combination) and part._all is all_of_them else (part,) for part in parts
        ]
        self._parts: tuple[Condition, ...] = tuple(part for each in alike for part in each)

    @property
    def parameters(self) -> tuple[Any, ...]:
        return tuple(parameter for part in self._parts for parameter in part.parameters)

    def __str__(self) -> str:
        word = " and " if self._all else " or "
        return word.join(f"({part})" if isinstance(part, _Combination) else str(part) for part in self._parts)

    def _judge(self, wanted: bool) -> Verdict:
        verdicts = [part._judge(wanted) for part in self._parts]
        conjunction = self._all is wanted  # not (a and b) is (not a) or (not b)
        failed = [verdict for verdict in verdicts if verdict.holds is not True]
        if not failed or (not conjunction and len(failed) < len(verdicts)):
            return Verdict(True)
        reason = ("; " if conjunction else ", and ").join(verdict.reason for verdict in failed)
        unknown = next((verdict for verdict in failed if verdict.holds is None), None)
        if unknown is None or (conjunction and any(verdict.holds is False for verdict in failed)):
            return Verdict(False, reason)
        return Verdict(None, reason, unknown.error)


class _Opposite(Condition):
    """The negation of *condition*. What nobody can tell about that one, nobody can tell about this one either."""

    def __init__(self, condition: Condition) -> None:
        self._condition = condition

    @property
    def parameters(self) -> tuple[Any, ...]:
        return self._condition.parameters

    def __invert__(self) -> Condition:
        return self._condition

    def __str__(self) -> str:
        simple = type(self._condition) is Condition
        return f"not {self._condition}" if simple else f"not ({self._condition})"

    def _judge(self, wanted: bool) -> Verdict:
        return self._condition._judge(not wanted)


class Comparable:
    """What makes conditions by comparison with a value: mixed into parameters."""

    __slots__ = ()

    def __lt__(self, value: Any) -> Any:
        return self._comparison("<", value)

    def __le__(self, value: Any) -> Any:
        return self._comparison("<=", value)

    def __gt__(self, value: Any) -> Any:
        return self._comparison(">", value)

    def __ge__(self, value: Any) -> Any:
        return self._comparison(">=", value)

    def equals(self, value: Any, eps: Any = None) -> Condition:
        """Return the condition that the parameter is *value*, give or take *eps*, a difference, if that is given."""
        return Comparison(self, "==", value, eps)

    def _comparison(self, relation: str, value: Any) -> Any:
        return NotImplemented if isinstance(value, Comparable) else Comparison(self, relation, value)


def condition_of(what: Any) -> Condition:
    """Return *what*, a condition or a function without arguments, as a condition."""
    if isinstance(what, Condition):
        return what
    if isinstance(what, (bool, np.bool_)):
        raise TypeError(
            f"{bool(what)} is no condition: it was found out already and will not change; "
            "write ring['current'] > 80 * q.mA, in brackets, to have it looked at again"
        )
    if isinstance(what, Comparable) or not callable(what):
        raise TypeError(
            "expected a condition, such as ring['current'] > 80 * q.mA, or a function without arguments, "
            f"not {shown(what)}"
        )
    return Condition(what)


def _as_truth(answer: Any) -> bool:
    """Return what a function of a condition has answered; what is neither yes nor no must not count as yes."""
    if isinstance(answer, (bool, np.bool_, int, np.integer)):
        return bool(answer)
    raise TypeError(f"it answered {shown(answer)}, not True or False")


def _is_nan(value: Any) -> bool:
    try:
        return bool(np.any(np.isnan(value)))
    except TypeError:  # no number
        return False


def _name(function: Any) -> str:
    name = getattr(function, "__qualname__", None) or repr(function)
    code = getattr(function, "__code__", None)
    if name.endswith("<lambda>") and code is not None:
        return f"the lambda in line {code.co_firstlineno}"
    return name.rpartition("<locals>.")[2]
