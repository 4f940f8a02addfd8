"""Lines typed without parentheses, and with units as they are spoken."""

import pytest

from concert.devices.motors.dummy import LinearMotor
from concert.session.lines import translate_assignment, translate_verb

STAGE = LinearMotor(name="stage")
NAMES = {"stage": STAGE, "px": LinearMotor(name="px"), "h": STAGE["position"], "s": 1, "x": 1}


@pytest.mark.parametrize(
    ("typed", "python"),
    [
        ("mv stage 3 mm", "mv(stage, q.Quantity(3, 'mm'))"),
        ("mv stage 3mm", "mv(stage, q.Quantity(3, 'mm'))"),
        ("mv stage -1.5e-3 m", "mv(stage, q.Quantity(-1.5e-3, 'm'))"),
        ("mv stage.position 3 mm", "mv(stage['position'], q.Quantity(3, 'mm'))"),
        ("mv stage 3", "mv(stage, 3)"),
        ("mv stage [1, 2] mm", "mv(stage, q.Quantity([1, 2], 'mm'))"),
        ("wa", "wa()"),
        ("mv --dry-run stage 3 mm", "mv(stage, q.Quantity(3, 'mm'), dry_run=True)"),
        ("wm stage.position > 80 mm", "wm((stage['position'] > q.Quantity(80, 'mm')))"),
        ("wm stage.position<3 --name=x", "wm(stage.position<3, name=x)"),
        (
            "wm stage.position >= 1 mm & stage.position < 3 mm | x --a=2",
            "wm((((stage['position'] >= q.Quantity(1, 'mm')) & (stage['position'] < q.Quantity(3, 'mm'))) | x), a=2)",
        ),
        ("wm stage >", "wm(stage, >)"),
        ("mv stage 3 mm # in the beam; wa", "mv(stage, q.Quantity(3, 'mm'))"),
        ("wa  # all", "wa()"),
        ("mv stage '#' 'a;b' [1;2]", "mv(stage, '#', 'a;b', [1;2])"),
        ("mv stage 3 mm; wa", "mv(stage, q.Quantity(3, 'mm')); wa()"),
        ("mv stage 3 mm ; x = 3 ;wa", "mv(stage, q.Quantity(3, 'mm')); x = 3; wa()"),
        ("mv stage 3 mm;", "mv(stage, q.Quantity(3, 'mm'));"),
        ("mv stage 3 mm, px 4mm,", "mv(stage, q.Quantity(3, 'mm'), px, q.Quantity(4, 'mm'))"),
        ("mv stage 20 px 0 mm", "mv(stage, 20, px, q.Quantity(0, 'mm'))"),
        ("mv stage [1, 2] h 3", "mv(stage, [1, 2], h, 3)"),
        ("mv stage 20px 3 s", "mv(stage, q.Quantity(20, 'px'), q.Quantity(3, 's'))"),
        ("mv stage (1+2)*q.mm", "mv(stage, (1+2)*q.mm)"),
        ("mv(stage, 3 * q.mm)", "mv(stage, 3 * q.mm)"),
        ("mv = 3", "mv = 3"),
        ("wm.x", "wm.x"),
        ("stage", "stage"),
    ],
)
def test_a_verb_line_is_python(typed, python):
    assert translate_verb(typed, ["mv", "wa", "wm"], NAMES) == python


@pytest.mark.parametrize(
    ("typed", "python"),
    [
        ("stage.position = 3 mm", "stage.position = q.Quantity(3, 'mm')"),
        ("stage.position = 3 mm # in", "stage.position = q.Quantity(3, 'mm')"),
        ("stage.position = 3 px", "stage.position = q.Quantity(3, 'px')"),
        ("  stage.position=-3mm", "stage.position = q.Quantity(-3, 'mm')"),
        ("stage.positon = 3 mm", "stage.positon = q.Quantity(3, 'mm')"),
        ("stage.position = 3 * q.mm", "stage.position = 3 * q.mm"),
        ("stage.position = 3", "stage.position = 3"),
        ("stage.position == 3 mm", "stage.position == 3 mm"),
        ("x.position = 3 mm", "x.position = 3 mm"),
        ("stage.position = 3 mm 4 mm", "stage.position = 3 mm 4 mm"),
    ],
)
def test_a_quantity_is_assigned_as_it_is_spoken(typed, python):
    assert translate_assignment(typed, NAMES) == python
