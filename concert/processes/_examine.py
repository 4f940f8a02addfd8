"""Examining a scan before it goes: everything that can be known is asked, at the same time, and nothing is moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from concert.base import ParameterValue
from concert.base._state import StateValue, states_to_set
from concert.processes import _estimate
from concert.processes._amounts import shown_size
from concert.processes._answers import NoAnswer, deadline, failure_of
from concert.processes._check import Check, Finding
from concert.processes._interlock import problems
from concert.processes._interlocking import Applying
from concert.processes._points import Points
from concert.processes._refusals import outside, refusals
from concert.processes._region import short_name

if TYPE_CHECKING:
    from concert.processes._scan import Scan


class Examination(NamedTuple):
    """What was found out about a scan: the *check*, the *points* it really goes to, and where it goes back to.

    If the check fails, the points may still be relative ones.
    """

    check: Check
    points: Points
    here: dict[ParameterValue, Any]


def used_by(scan: Scan) -> list[ParameterValue]:
    """Return what a scan holds while it runs: what it moves, and what it sets to measure."""
    return [*scan.points.parameters, *(scan.counting.integrating if scan.time is not None else ())]


def examine(scan: Scan, refuse: bool = True) -> Examination:
    """Ask everything about *scan*. With *refuse*, what somebody else holds prevents it; else the scan would wait."""
    answers = _Answers(_to_be_asked(scan))
    interlocks = problems(list(Applying(scan.interlocks)))
    answers.wait()
    points, here, unplaced = _placed(scan.points, answers.values)
    findings = [
        *unplaced,
        *refusals(points),
        *_cannot_return(here),
        *_settings(scan),
        *answers.findings,
        *_states(scan, answers.values),
        *_held(scan, refuse),
        *_unreadable(scan),
        *(Finding("interlock", f"{each}; the scan waits", None, False) for each in interlocks if each is not None),
    ]
    if points.parameters and not points.regions:
        findings.append(Finding("points", "are decided on while it runs, and checked then", None, False))
    size, disk = _estimate.size(scan, answers.values), _estimate.disk()
    findings += _storage(size, disk)
    duration = _estimate.duration(scan, points, answers.values)
    free = None if disk is None else disk[1]
    check = Check(scan.title, points.expected, duration, size, free, tuple(findings))
    return Examination(check, points, here)


class _Answers:
    """What devices answer to reading *parameters*, all at the same time."""

    def __init__(self, parameters: Iterable[ParameterValue]) -> None:
        self._reads = {parameter: parameter.get() for parameter in parameters}
        self._until = deadline()
        self.values: dict[ParameterValue, Any] = {}
        self.findings: list[Finding] = []

    def wait(self) -> None:
        """Wait for all of them, as long as they have time."""
        silent: set[str] = set()
        for parameter, read in self._reads.items():
            failure = failure_of(read, self._until)  # whatever is wrong with one device, the others are asked
            device = parameter.device.name
            if failure is None:
                self.values[parameter] = read.result()
            elif device not in silent:  # one finding for each device says enough
                silent.add(device)
                self.findings.append(Finding(device, _reason(parameter, failure)))


def _reason(parameter: ParameterValue, failure: BaseException) -> str:
    if isinstance(failure, NoAnswer):
        return str(failure)
    return f"{parameter.name} cannot be read: {type(failure).__name__}: {failure}"


def _to_be_asked(scan: Scan) -> list[ParameterValue]:
    """Return what to read: where everything is that moves, in which states, and whether detectors are there."""
    asked: dict[ParameterValue, None] = {}
    for parameter in scan.points.parameters:
        if parameter.readable:
            asked[parameter] = None
    for parameter in used_by(scan):
        if states_to_set(parameter) is not None:
            asked |= dict.fromkeys(_states_of(parameter))
    for detector in scan.counting.parameters:
        if detector is not None and detector.readable:
            asked[_sign_of_life(detector)] = None
    return list(asked)


def _states_of(parameter: ParameterValue) -> Iterator[StateValue]:
    name = parameter.device._state_name
    if name is not None:
        yield parameter.device[name]


def _sign_of_life(detector: ParameterValue) -> ParameterValue:
    """Return what to read of a detector's device: not what it measures, if that takes its integration time."""
    told = [state for state in _states_of(detector) if state._getter is not None]
    if told:
        return told[0]
    device = detector.device
    return device["integration_time"] if "integration_time" in device else detector  # noqa: SIM401  # no dictionary


def _placed(
    points: Points, values: Mapping[ParameterValue, Any]
) -> tuple[Points, dict[ParameterValue, Any], list[Finding]]:
    """Return the points as they are from here, where that is, and what keeps it from being told."""
    relative = points.relative
    here = {parameter: values[parameter] for parameter in relative if parameter in values}
    missing = [parameter for parameter in relative if parameter not in here]
    if missing:  # it is among the answers why, if it can be read at all
        unreadable = [each for each in missing if not each.readable]
        return (
            points,
            {},
            [Finding(each.full_name, "cannot be read, so nothing is relative to it") for each in unreadable],
        )
    try:
        return points.placed_at(here), here, []
    except (ValueError, TypeError) as error:  # of pint: the distances have another unit
        return points, {}, [Finding("points", str(error))]


def _cannot_return(here: Mapping[ParameterValue, Any]) -> list[Finding]:
    reasons = [(parameter, outside(parameter, value)) for parameter, value in here.items()]
    return [Finding(short_name(each), f"could not go back: {reason}") for each, reason in reasons if reason is not None]


def _settings(scan: Scan) -> list[Finding]:
    """Return what is wrong with setting the integration time."""
    if scan.time is None:
        return []
    found = []
    for parameter in scan.counting.integrating:
        try:
            parameter.check_value(scan.time)
        except Exception as error:  # a lock, a limit, no setter: all of them would fail the scan
            found.append(Finding(parameter.device.name, str(error)))
    return found


def _states(scan: Scan, values: Mapping[ParameterValue, Any]) -> list[Finding]:
    found = []
    for parameter in used_by(scan):
        allowed = states_to_set(parameter)
        for state in _states_of(parameter):
            if allowed is not None and state in values and values[state] not in allowed:
                wanted = " or ".join(map(repr, allowed))
                text = f"its {parameter.name} can be set in state {wanted}, and it is {values[state]!r}"
                found.append(Finding(parameter.device.name, text))
    return found


def _held(scan: Scan, refuse: bool) -> list[Finding]:
    holders = [(parameter, parameter.holders()) for parameter in used_by(scan)]
    return [Finding(short_name(each), f"held by {', '.join(names)}", None, refuse) for each, names in holders if names]


def _unreadable(scan: Scan) -> list[Finding]:
    return [
        Finding(detector.full_name, "cannot be read")
        for detector in scan.counting.parameters
        if detector is not None and not detector.readable
    ]


def _storage(size: int | None, disk: tuple[Any, int, bool] | None) -> list[Finding]:
    if disk is None:
        return []
    directory, free, writable = disk
    if not writable:
        return [Finding("disk", f"{directory} cannot be written")]
    if size is not None and size > free:
        return [Finding("disk", f"{shown_size(size)} are needed, and {shown_size(free)} are free in {directory}")]
    return []
