"""Descriptions: every kind of scan, before it runs."""

import pytest

from concert.processes import describe
from concert.quantities import q


def numbers(scan):
    return [tuple(value.magnitude for value in point) for point in scan]


def test_the_ends_come_exactly_once_as_they_are_given(stage, diode):
    scan = describe.ascan(stage, 1 * q.mm, 1.3 * q.mm, 3, read=diode)
    assert len(scan) == 4
    assert next(iter(scan)) == (1 * q.mm,)
    assert list(scan)[-1] == (1.3 * q.mm,)


def test_a_description_moves_nothing_and_can_be_printed(stage, diode):
    scan = describe.ascan(stage, 0 * q.mm, 10 * q.mm, 20, 0.1 * q.s, read=diode, metadata={"sample": "Fe"})
    assert str(scan).splitlines() == [
        "ascan stage 0–10 mm, 21 points, 0.1 s",
        "  moves         stage",
        "  reads         diode",
        "  sample        'Fe'",
    ]
    assert repr(scan) == "<Scan ascan stage 0–10 mm, 21 points, 0.1 s>"
    assert stage.position == 0 * q.mm


def test_several_motors_move_together(stage, lift, diode):
    scan = describe.ascan(stage, 0 * q.mm, 2 * q.mm, lift, 10 * q.mm, 0 * q.mm, 2, read=diode)
    assert numbers(scan) == [(0, 10), (1, 5), (2, 0)]
    assert scan.title == "ascan stage 0–2 mm, lift 10–0 mm, 3 points"


def test_a2scan_takes_two(stage, lift, diode):
    assert describe.a2scan(stage, 0 * q.mm, 1 * q.mm, lift, 0 * q.mm, 1 * q.mm, 1, read=diode).kind == "a2scan"
    with pytest.raises(ValueError, match="a2scan moves 2 motors, not 1"):
        describe.a2scan(stage, 0 * q.mm, 1 * q.mm, 1, read=diode)


def test_relative_scans_tell_absolute_positions(stage, lift, diode):
    stage.position = 5 * q.mm
    scan = describe.d2scan(stage, -1 * q.mm, 1 * q.mm, lift, 0 * q.mm, 1 * q.mm, 2, read=diode)
    assert [tuple(round(number, 6) for number in point) for point in numbers(scan)] == [(4, 0), (5, 0.5), (6, 1)]


def test_a_mesh_is_every_combination(stage, lift, diode):
    scan = describe.mesh(lift, 0 * q.mm, 1 * q.mm, 1, stage, 0 * q.mm, 2 * q.mm, 2, 0.5 * q.s, snake=True, read=diode)
    assert numbers(scan) == [(0, 0), (0, 1), (0, 2), (1, 2), (1, 1), (1, 0)]
    assert (scan.axis, scan.time) == ("lift", 0.5 * q.s)


def test_a_list_of_positions(stage, diode):
    assert numbers(describe.listscan(stage, [1, 5, 2] * q.mm, read=diode)) == [(1,), (5,), (2,)]


def test_scans_that_move_nothing_have_a_time(diode):
    assert describe.loopscan(3, read=diode).names == ["time", "diode"]
    assert describe.timescan(1 * q.s, 3, read=diode).title == "timescan every 1 s, 3 points"
    assert describe.timescan(1 * q.s, read=diode).points.expected is None


def test_points_of_a_generator_function(stage, diode):
    def spiral():
        yield from [1 * q.mm, 2 * q.mm]

    assert numbers(describe.fscan(stage, spiral, read=diode)) == [(1,), (2,)]


@pytest.mark.parametrize("source", [lambda: (n * q.mm for n in range(3)), lambda: iter([1 * q.mm, 2 * q.mm])])
def test_points_that_can_be_had_only_once_are_refused(stage, diode, source):
    with pytest.raises(TypeError, match=r"a generator function, or a list, for fscan, not <.*only once"):
        describe.fscan(stage, source(), read=diode)


@pytest.mark.parametrize("points", [[1, 2] * q.mm, lambda: iter([1 * q.mm, 2 * q.mm])], ids=["array", "function"])
def test_a_description_with_given_points_can_be_started_again(stage, diode, points):
    scan = describe.fscan(stage, points, read=diode)
    assert [len(scan.start().result()) for _ in range(2)] == [2, 2]
    assert [step.values for step in scan.points.steps(1)] == [(2 * q.mm,)]


@pytest.mark.parametrize(
    ("describes", "message"),
    [
        (lambda stage: describe.ascan(), "expected a device or a parameter such as motor.* for ascan, not nothing"),
        (lambda stage: describe.ascan(stage, 1 * q.mm), r"expected motor, start and stop for stage.position in ascan"),
        (
            lambda stage: describe.ascan(stage, 0 * q.mm, 1 * q.mm),
            "the number of intervals at the end of ascan",
        ),
        (lambda stage: describe.ascan(stage, 0 * q.mm, 1 * q.mm, 2, 1 * q.s, 2 * q.s), "at most an integration time"),
        (lambda stage: describe.mesh(stage, 0 * q.mm, 1 * q.mm), "expected motor, start, stop and intervals for stage"),
        (lambda stage: describe.fscan(stage, 5 * q.mm), "a generator function, or a list, for fscan, not 5 mm$"),
        (lambda stage: describe.loopscan(0), "expected the number of points, 1 or more, not 0"),
    ],
)
def test_what_is_missing_is_said(stage, diode, describes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        describes(stage)
