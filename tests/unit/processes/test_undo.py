"""Steps that can be undone: what a command, a move or a scan has set, from where to where."""

import gc

import pytest

from concert.async_ import async_, wait
from concert.async_._scope import begin_command
from concert.base import SoftLimitError, ignore_sets
from concert.base._audit import listeners
from concert.devices.dummy import DummyDevice
from concert.processes import ScanError, ascan, describe, dscan, one_step, remember_moves
from concert.processes._undo import KEPT, steps
from concert.quantities import q


@pytest.fixture(autouse=True)
def remembering():
    remember_moves()
    steps.clear()
    yield
    steps.clear()
    if steps.note in listeners:
        ignore_sets(steps.note)


@pytest.fixture
def stage():
    device = DummyDevice(1 * q.mm, name="stage")
    device.value  # so that it is known
    return device


@pytest.fixture
def lift():
    device = DummyDevice(2 * q.mm, name="lift")
    device.value
    return device


@pytest.fixture
def typed():
    """A function that begins a command, as the prompt does."""
    yield begin_command
    begin_command()


def go_back():
    step = steps.last()
    with steps.undoing(step):
        wait([parameter.set(value) for parameter, value in step.back()])
    return step.label


def go_forth():
    step = steps.last_undone()
    with steps.redoing(step):
        wait([parameter.set(value) for parameter, value in step.forth()])
    return step.label


def at(*devices):
    return [device.value.magnitude for device in devices]


def test_a_set_is_undone(stage):
    stage.value = 5 * q.mm
    assert go_back() == "set of stage.value"
    assert at(stage) == [1]


def test_once_more_goes_back_further_and_redo_forth_again(stage):
    for position in (2, 3, 4):
        stage.value = position * q.mm
    assert [go_back() and at(stage)[0] for _ in range(3)] == [3, 2, 1]
    with pytest.raises(ScanError, match="there is nothing to undo: nothing has been moved"):
        steps.last()
    assert [go_forth() and at(stage)[0] for _ in range(3)] == [2, 3, 4]
    with pytest.raises(ScanError, match="nothing to do again"):
        steps.last_undone()


def test_what_is_moved_after_an_undo_cannot_be_redone(stage):
    stage.value = 2 * q.mm
    go_back()
    stage.value = 3 * q.mm
    with pytest.raises(ScanError, match="something was moved since"):
        steps.last_undone()


def test_what_one_typed_command_has_set_is_one_step(stage, lift, typed):
    typed("align()")
    stage.value = 5 * q.mm
    lift.value = 6 * q.mm
    stage.value = 7 * q.mm
    typed("1 + 1")
    assert go_back() == "align()"
    assert at(stage, lift) == [1, 2]


def test_the_same_command_typed_twice_is_two_steps(stage, typed):
    for position in (2, 3):
        typed("mvr stage 1 mm")
        stage.value = position * q.mm
    go_back()
    assert at(stage) == [2]


def test_in_a_script_what_a_future_has_set_is_one_step(stage, lift):
    @async_
    def align():
        stage.value = 5 * q.mm
        wait([lift["value"].set(6 * q.mm), stage["value"].set(7 * q.mm)])

    align().join()
    go_back()
    assert at(stage, lift) == [1, 2]


def test_in_a_script_what_belongs_together_can_be_said(stage, lift):
    with one_step("move both"):
        stage.value = 5 * q.mm
        lift.value = 6 * q.mm
    assert go_back() == "move both"
    assert at(stage, lift) == [1, 2]


def test_what_belongs_together_is_not_part_of_what_was_done_before(stage, lift):
    stage.value = 5 * q.mm
    gc.collect()  # what has done it is gone
    with one_step("move lift"):
        lift.value = 6 * q.mm
    assert go_back() == "move lift"
    assert at(stage, lift) == [5, 2]


def test_a_scan_is_one_step(stage, lift):
    ascan(stage, 5 * q.mm, 6 * q.mm, lift, 7 * q.mm, 8 * q.mm, 3, read=lambda: 0, show=False)
    assert go_back() == "ascan"
    assert at(stage, lift) == [1, 2]


def test_a_scan_that_went_back_itself_is_none(stage):
    stage.value = 2 * q.mm
    dscan(stage, 0 * q.mm, 1 * q.mm, 3, read=lambda: 0, show=False)
    assert go_back() == "set of stage.value"


def test_a_failed_scan_can_be_undone(stage):
    def broken():
        raise RuntimeError("no light")

    with pytest.raises(RuntimeError, match="no light"):
        describe.ascan(stage, 5 * q.mm, 6 * q.mm, 3, read=broken).start().join()
    go_back()
    assert at(stage) == [1]


def test_a_refused_set_is_none(stage):
    stage["value"].upper = 10 * q.mm
    with pytest.raises(SoftLimitError):
        stage.value = 11 * q.mm
    with pytest.raises(ScanError, match="nothing to undo"):
        steps.last()


def test_what_nobody_knew_before_is_told_and_stays():
    fresh = DummyDevice(1 * q.mm, name="fresh")
    fresh.value = 5 * q.mm
    step = steps.last()
    assert (step.back(), step.unknown()) == ([], [fresh["value"]])


def test_an_undo_that_fails_can_be_tried_again(stage):
    stage.value = 5 * q.mm
    stage["value"].lower = 3 * q.mm
    with pytest.raises(SoftLimitError):
        go_back()
    stage["value"].lower = None
    go_back()
    assert at(stage) == [1]


def test_only_so_many_steps_are_kept(stage):
    for position in range(KEPT + 50):
        stage.value = (position + 2) * q.mm
    for _ in range(KEPT):
        go_back()
    assert at(stage) == [51]
    with pytest.raises(ScanError, match="nothing to undo"):
        steps.last()


def test_where_nothing_is_remembered_that_is_said():
    ignore_sets(steps.note)
    with pytest.raises(ScanError, match="there is nothing to undo: moves are not remembered here"):
        steps.last()
