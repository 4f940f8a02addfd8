"""Scans that run: followed, paused, stopped, aborted, failing, and always cleaned up after."""

import re
import time
from functools import partial

import pytest

from concert.async_ import KillException, async_, runtime, wait
from concert.base import LockError, StoppedError, refusing
from concert.devices.dummy import DummyDevice
from concert.processes import Hooks, Region, Scan, ScanAborted, ScanError, active_runs, closing, describe
from concert.processes._points import Together
from concert.quantities import q
from tests.devices_for_tests import after, concurrent, until

POINTS = [1, 2, 3, 4] * q.mm


@pytest.fixture
def slow_slits(concert_clock):
    return DummyDevice(delay=1 * q.s, name="slits")


def scan_of(device, read=None, **options):
    return Scan(Together([Region(device, POINTS)]), read=read or (lambda: device.value * 2), **options)


def position(device):
    return device.value.magnitude


def test_a_scan_gives_its_data(slits):
    run = scan_of(slits).start()
    assert run.result()["<lambda>"].m_as(q.mm).tolist() == [2, 4, 6, 8]
    assert (run.status, run.reason, run.done()) == ("done", "", True)


def test_it_is_a_future_as_every_other(slits):
    other = DummyDevice(name="other")
    runs = [scan_of(slits).start(), scan_of(other).start()]
    wait([*runs, slits["comment"].set("wait with others")])
    assert [len(run.result()) for run in runs] == [4, 4]


def test_iterating_gives_the_points_as_they_come(slits):
    assert [point[0].magnitude for point in scan_of(slits).start()] == [1, 2, 3, 4]


def test_iterating_raises_at_the_end_what_went_wrong(slits):
    def broken():
        raise RuntimeError("no light")

    points = iter(scan_of(slits, after(3, broken)).start())
    assert [next(points)[0].magnitude, next(points)[0].magnitude] == [1, 2]
    with pytest.raises(RuntimeError, match="no light"):
        next(points)


def test_progress_counts_points_and_time(slow_slits):
    run = scan_of(slow_slits).start()
    run.join()
    assert (run.points, run.expected, run.progress, run.remaining) == (4, 4, 1.0, 0)
    assert run.elapsed == pytest.approx(4, abs=0.1)


@concurrent
def test_what_remains_is_estimated(slow_slits):
    run = scan_of(slow_slits).start()
    until(lambda: run.points == 1)
    assert run.remaining == pytest.approx(3, abs=0.2)
    assert run.name.startswith("scan (1/4, ")
    run.abort()


# -- pause, resume, stop, abort -------------------------------------------------------------------------------------


@concurrent
def test_a_pause_comes_before_the_next_point_and_ends_with_resume(slits):
    run = scan_of(slits, after(2, lambda: run.pause("coffee"))).start()
    until(lambda: run.status == "paused")
    assert (run.points, run.reason, position(slits)) == (2, "coffee", 2)
    run.resume()
    assert len(run.result()) == 4


@concurrent
def test_a_scan_can_be_paused_in_its_first_point_and_twice(slits):
    run = scan_of(slits, after(1, lambda: (run.pause(), run.pause()))).start()
    until(lambda: run.status == "paused")
    run.resume()
    until(lambda: run.status in ("running", "done"))
    assert len(run.result()) == 4


@concurrent
def test_a_pause_before_the_first_point(slits):
    run = scan_of(slits).start()
    run.pause()
    until(lambda: run.status == "paused")
    assert position(slits) == 0
    run.resume()
    run.join()


@concurrent
def test_after_a_pause_everything_is_set_again(slits):
    still, sets = DummyDevice(name="still"), []
    reading = after(2, lambda: (run.pause(), still["value"].subscribe(sets.append)))
    run = describe.mesh(still, 5 * q.mm, 6 * q.mm, 1, slits, 1 * q.mm, 4 * q.mm, 3, read=reading).start()
    until(lambda: run.status == "paused")
    run.resume()
    run.join()
    until(lambda: len(sets) == 2)  # once after the pause, and once for its next value


def test_a_stop_completes_the_point_in_progress(slits):
    begun = []
    scan = scan_of(slits, after(2, lambda: begun[0].stop()))
    scan.hooks.before_scan.append(lambda: begun.extend(active_runs()))
    assert len(scan.start().result()) == 2
    assert begun[0].status == "stopped"


@concurrent
def test_a_paused_scan_can_be_stopped(slits):
    run = scan_of(slits, after(1, lambda: run.pause())).start()
    until(lambda: run.status == "paused")
    run.stop()
    assert len(run.result()) == 1
    assert run.status == "stopped"


@concurrent
def test_abort_ends_the_point_in_progress_and_says_how_far_it_was(slow_slits):
    run = scan_of(slow_slits).start()
    until(lambda: run.points == 1)
    run.abort()
    with pytest.raises(ScanAborted, match="scan was aborted after 1 of 4 points"):
        run.result()
    until(lambda: run.over)  # where code runs in threads its cleanup may take longer
    assert run.status == "aborted"
    assert position(slow_slits) <= 2
    assert len(run.data) == 1


@concurrent
def test_killing_a_scan_marks_it_as_aborted(slow_slits):
    run = scan_of(slow_slits).start()
    until(lambda: run.points == 1)
    run.cancel()
    with pytest.raises(KillException):
        run.result()
    until(lambda: run.over)
    assert (run.status, run.reason) == ("aborted", "interrupted")


@pytest.mark.skipif(runtime() != "sync", reason="elsewhere somebody can resume it")
def test_without_concurrency_a_pause_is_refused(slits):
    with pytest.raises(RuntimeError, match="cannot be paused where every call runs to its end"):
        scan_of(slits, after(1, lambda: active_runs()[-1].pause())).start().result()


# -- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("point", [1, 2, 4], ids=["first", "middle", "last"])
def test_a_failing_reader_ends_the_scan_and_says_where(slits, point):
    def broken():
        raise RuntimeError("no light")

    run = scan_of(slits, after(point, broken)).start()
    with pytest.raises(RuntimeError, match="no light") as caught:
        run.result()
    assert (run.status, len(run.data)) == ("failed", point - 1)
    assert caught.value.__notes__[0].startswith(f"in scan ({point - 1}/4")
    assert run.reason == "RuntimeError: no light"


@pytest.mark.parametrize("point", [1, 2, 4], ids=["first", "middle", "last"])
def test_a_set_that_does_not_arrive_ends_the_scan_with_the_reason(slits, point):
    class Sticking(DummyDevice):
        def _set_value(self, value):
            super()._set_value(value if value.magnitude < point else 0 * q.mm)

    run = scan_of(Sticking(name="slits")).start()
    with pytest.raises(Exception, match=rf"slits.value is 0 mm and not within 0 mm of {point}"):
        run.result()
    assert run.status == "failed"


def test_a_refused_point_moves_nothing(slits):
    slits["value"].upper = 3 * q.mm
    run = scan_of(slits).start()
    with pytest.raises(ScanError, match=r"point 3: slits 4 mm is above its soft limit 3 mm; nothing was moved"):
        run.result()
    assert (position(slits), run.status) == (0, "failed")


# -- hooks ----------------------------------------------------------------------------------------------------------


def noting(log, word):
    return lambda: log.append(word)


def hooks_that_note(log):
    return Hooks(**{moment: [noting(log, moment)] for moment, _ in Hooks()})


def test_hooks_are_called_in_their_order(slits):
    log = []
    Scan(Together([Region(slits, [1, 2] * q.mm)]), read=lambda: 0, hooks=hooks_that_note(log)).start().join()
    assert log == ["before_scan", *["before_point", "after_point"] * 2, "after_scan", "cleanup"]


def test_a_hook_may_be_asynchronous(slits):
    log = []
    later = async_(noting(log, "later"))
    scan_of(slits, hooks=Hooks(cleanup=[later])).start().join()
    assert log == ["later"]


@pytest.mark.parametrize("moment", ["before_scan", "before_point", "after_point", "after_scan"])
def test_a_failing_hook_ends_the_scan_and_cleanup_is_done(slits, moment):
    log = []
    hooks = hooks_that_note(log)

    def broken():
        raise RuntimeError("hook broken")

    getattr(hooks, moment).append(broken)
    run = scan_of(slits, hooks=hooks).start()
    with pytest.raises(RuntimeError, match="hook broken"):
        run.result()
    assert run.status == "failed"
    assert log[-1] == "cleanup"


@pytest.mark.parametrize("moment", ["before_point", "after_point"])
@pytest.mark.parametrize("point", [1, 2, 4], ids=["first", "middle", "last"])
def test_a_hook_that_fails_at_a_point_ends_the_scan_there(slits, moment, point):
    log = []

    def broken():
        raise RuntimeError("hook broken")

    hooks = Hooks(**{moment: [after(point, broken)]}, cleanup=[noting(log, "closed")])
    run = scan_of(slits, hooks=hooks).start()
    with pytest.raises(RuntimeError, match="hook broken"):
        run.result()
    assert len(run.data) == (point if moment == "after_point" else point - 1)
    assert log == ["closed"]


@concurrent
@pytest.mark.parametrize("moment", ["on_pause", "on_resume"])
def test_a_failing_hook_of_a_pause_is_reported_only(slits, moment, caplog):
    def broken():
        raise RuntimeError("hook broken")

    run = scan_of(slits, after(1, lambda: run.pause()), hooks=Hooks(**{moment: [broken]})).start()
    until(lambda: run.status == "paused")
    run.resume()
    assert len(run.result()) == 4
    assert "broken of scan failed" in caplog.text


def test_every_cleanup_hook_runs_and_every_failure_is_told(slits):
    log = []

    def stuck():
        raise RuntimeError("the shutter is stuck")

    def broken():
        raise ValueError("no light")

    hooks = Hooks(cleanup=[noting(log, 1), stuck, noting(log, 2), stuck, noting(log, 3)])
    run = scan_of(slits, after(2, broken), hooks=hooks).start()
    with pytest.raises(ValueError, match="no light") as caught:
        run.result()
    assert log == [1, 2, 3]
    assert sum("the shutter is stuck" in note for note in caught.value.__notes__) == 2


def test_a_scan_whose_cleanup_fails_has_not_ended_well(slits):
    def close_shutter():
        raise RuntimeError("stuck")

    run = scan_of(slits, hooks=Hooks(cleanup=[close_shutter])).start()
    with pytest.raises(ScanError, match=r"has all its points, but the cleanup hook .*close_shutter failed: .*stuck"):
        run.result()
    assert (run.status, len(run.data)) == ("failed", 4)


@concurrent
@pytest.mark.parametrize("end", ["stop", "abort", "cancel", "kill"])
def test_cleanup_is_done_however_it_ends(slow_slits, end):
    log = []
    run = scan_of(slow_slits, hooks=Hooks(cleanup=[noting(log, "closed")])).start()
    until(lambda: run.points == 1)
    getattr(run, end)()
    run.exception()
    until(lambda: run.over)
    assert log == ["closed"]


@pytest.mark.skipif(runtime() != "gevent", reason="only greenlets can be interrupted in their cleanup")
def test_a_second_abort_does_not_cut_a_cleanup_short(slow_slits):
    log = []

    def slow_cleanup():
        log.append("begins")
        time.sleep(5)
        log.append("ends")

    run = scan_of(slow_slits, hooks=Hooks(cleanup=[slow_cleanup, noting(log, "next")])).start()
    until(lambda: run.points == 1)
    run.abort(block=False)
    until(lambda: log == ["begins"])
    run.abort()
    assert log == ["begins", "ends", "next"]


@pytest.mark.skipif(runtime() != "gevent", reason="only greenlets can be interrupted in their cleanup")
def test_a_third_abort_ends_a_cleanup_hook_but_not_those_behind_it(slow_slits):
    log = []

    def endless_cleanup():
        log.append("begins")
        time.sleep(1e6)

    run = scan_of(slow_slits, hooks=Hooks(cleanup=[endless_cleanup, noting(log, "next")])).start()
    until(lambda: run.points == 1)
    run.abort(block=False)
    until(lambda: log == ["begins"])
    run.abort(block=False)
    run.abort()
    assert log == ["begins", "next"]
    assert run.status == "aborted"


# -- relative scans -------------------------------------------------------------------------------------------------


def relative(device, read=lambda: 0):
    return Scan(Together([Region(device, POINTS, relative=True)]), read=read, kind="dscan")


@concurrent
def test_a_relative_scan_goes_back_when_it_is_aborted(slow_slits):
    slow_slits.value = 7 * q.mm
    run = relative(slow_slits).start()
    until(lambda: run.points == 1)
    run.abort()
    until(lambda: run.over)
    assert position(slow_slits) == 7


@concurrent
def test_a_relative_scan_does_not_move_a_motor_that_somebody_stopped(stage):
    run = describe.dscan(stage, 0 * q.mm, 100 * q.mm, 2, read=lambda: 0).start()
    until(lambda: run.points == 1 and stage.state == "moving")
    stage.stop().join()
    with pytest.raises(StoppedError):
        run.result()
    assert 0 < stage.position.magnitude < 50


@concurrent
def test_a_relative_scan_stays_where_it_is_in_an_emergency(slow_slits):
    slow_slits.value = 7 * q.mm
    run = relative(slow_slits, read=lambda: time.sleep(1)).start()
    until(lambda: run.points == 1)
    run.abort(stay=True)
    until(lambda: run.over)
    assert position(slow_slits) > 7


# -- who holds what -------------------------------------------------------------------------------------------------


@concurrent
def test_what_a_scan_uses_is_refused_to_others_who_are_told_who_holds_it(slow_slits):
    run = scan_of(slow_slits).start()
    until(lambda: run.points == 1)
    second = scan_of(slow_slits).start(refuse=True)
    with pytest.raises(LockError, match=r"slits.value is held by scan \(1/4, .* s left\)"):
        second.result()
    assert (second.status, second.number) == ("failed", None)
    run.abort()


@concurrent
def test_a_refusal_names_the_scan_alone_and_says_what_to_do(slow_slits):
    run = scan_of(slow_slits).start()
    until(lambda: run.points == 1 and slow_slits.state == "moving")
    with refusing(), pytest.raises(LockError) as caught:
        slow_slits.value = 1 * q.mm
    assert re.fullmatch(
        r"slits.value is held by scan \(1/4, \d+ s left\); wait, pause or stop it", str(caught.value)
    ), caught.value
    run.abort()


@concurrent
def test_while_a_scan_pauses_others_may_move_what_it_uses(slits):
    run = scan_of(slits, after(1, lambda: run.pause())).start()
    until(lambda: run.status == "paused")
    with refusing():
        slits.value = 9 * q.mm
    run.resume()
    assert [value.m_as(q.mm) for value in run.result()["slits"]] == [1, 2, 3, 4]
    assert position(slits) == 4


@concurrent
def test_a_scan_goes_on_when_it_has_what_it_uses_again(slits):
    run = scan_of(slits, after(1, lambda: run.pause())).start()
    until(lambda: run.status == "paused")
    with slits:
        run.resume()
        until(lambda: "slits.value is held by the main program" in run.reason)
        assert run.status == "paused"
    assert len(run.result()) == 4


@concurrent
def test_a_scan_that_waits_for_what_it_uses_can_be_stopped(slits):
    run = scan_of(slits, after(1, lambda: run.pause())).start()
    until(lambda: run.status == "paused")
    with slits:
        run.resume()
        until(lambda: "is held by" in run.reason)
        run.stop()
        assert len(run.result()) == 1
    assert run.status == "stopped"


@concurrent
@pytest.mark.parametrize("end", ["stop", "abort"])
def test_a_scan_that_pauses_and_ends_does_not_move_what_somebody_else_uses(slits, end):
    run = relative(slits, after(1, lambda: run.pause())).start()
    until(lambda: run.status == "paused")
    with slits:
        getattr(run, end)()
        run.exception()
        until(lambda: run.over)
        assert position(slits) == 1
    assert "it did not go back: LockError" in str([run.reason, getattr(run.exception(), "__notes__", "")])


@concurrent
def test_a_second_scan_may_wait_for_the_first(slow_slits):
    first, second = scan_of(slow_slits).start(), scan_of(slow_slits).start()
    assert len(second.result()) == 4
    assert first.done()


@concurrent
def test_a_scan_that_is_over_holds_nothing(slits):
    scan_of(slits).start().join()
    slits.value = 9 * q.mm
    assert active_runs() == []


@concurrent
def test_a_scan_that_never_began_ends_as_well(slow_slits):
    first, second = scan_of(slow_slits).start(), scan_of(slow_slits).start()
    second.abort()
    assert second.cancelled()
    first.abort()


def test_a_timescan_keeps_its_period(concert_clock):
    data = describe.timescan(10 * q.s, 4, read=after(99, None)).start().result()
    assert [round(each) for each in data["time"].m_as(q.s)] == [0, 10, 20, 30]


def test_an_adaptive_scan_asks_where_to_go(slits):
    def bisect(data):
        return None if len(data) == 3 else (len(data) + 1) ** 2 * q.mm

    data = describe.adaptive(slits, bisect, read=lambda: 0).start().result()
    assert data["slits"].m_as(q.mm).tolist() == [1, 4, 9]


def test_selections_can_be_scanned(slits):
    data = Scan(Together([Region(slits["mode"], ["fast", "slow"])]), read=lambda: 0).start().result()
    assert data["slits.mode"].tolist() == ["fast", "slow"]


@concurrent
def test_a_scan_that_waits_for_what_somebody_holds_does_not_begin_after_a_stop(slow_slits):
    first, second = scan_of(slow_slits).start(), scan_of(slow_slits).start()
    until(lambda: first.points and second.execution.waits)
    second.stop()
    with pytest.raises(ScanAborted, match="was aborted after 0 of 4 points"):
        second.result()
    assert not first.done()
    assert len(first.result()) == 4


@concurrent
def test_a_stop_at_the_last_point_stops_nothing(slits):
    run = scan_of(slits, after(4, lambda: run.stop())).start()
    assert len(run.result()) == 4
    assert run.status == "done"


@concurrent
def test_a_scan_with_a_period_stops_and_pauses_before_the_period_is_over(concert_clock):
    run = describe.timescan(1 * q.hour, 3, read=lambda: 1).start()
    began = time.monotonic()
    until(lambda: run.points == 1)
    run.pause()
    until(lambda: run.status == "paused")
    run.resume()
    until(lambda: run.points == 2)
    run.stop()
    assert len(run.result()) == 2
    assert time.monotonic() - began < 60


@concurrent
def test_the_time_that_remains_does_not_grow_in_a_pause(slow_slits):
    run = scan_of(slow_slits, after(2, lambda: run.pause())).start()
    until(lambda: run.status == "paused")
    before = run.remaining
    time.sleep(10)
    assert run.remaining == pytest.approx(before, abs=0.1)
    run.abort()


@pytest.mark.parametrize("hook", [partial(int, "no number"), object.__getattribute__], ids=["partial", "slot wrapper"])
def test_whatever_fails_as_a_cleanup_hook_is_reported(slits, hook):
    run = scan_of(slits, hooks=Hooks(cleanup=[hook])).start()
    with pytest.raises(ScanError, match=r"has all its points, but the cleanup hook .* failed: (ValueError|TypeError)"):
        run.result()
    assert (run.status, run.over) == ("failed", True)


@concurrent
def test_what_went_wrong_after_a_stop_does_not_say_that_there_are_all_points(slits):
    def broken():
        raise OSError("the shutter is stuck")

    run = scan_of(slits, after(2, lambda: run.stop()), hooks=Hooks(cleanup=[broken])).start()
    with pytest.raises(ScanError, match="was stopped after 2 points, but the cleanup hook"):
        run.result()


@pytest.mark.parametrize("hooks", [[print], Hooks], ids=["a list", "the class"])
def test_hooks_that_are_none_are_refused(slits, hooks):
    with pytest.raises(TypeError, match=r"expected Hooks\(cleanup=\[shutter.close\], …\) as the hooks of a scan"):
        scan_of(slits, hooks=hooks)


def test_hooks_are_lists_of_functions():
    with pytest.raises(TypeError, match="expected a list of functions for the hooks cleanup, not <built-in"):
        Hooks(cleanup=print)


def test_what_is_moved_can_be_read_back(slits):
    run = scan_of(slits, read=[slits, lambda: 1]).start()
    data = run.result()
    assert run.scan.names == ["slits", "slits_readback", "<lambda>"]
    assert data["slits_readback"].m_as(q.mm).tolist() == [1, 2, 3, 4]


@concurrent
def test_what_went_wrong_with_the_cleanup_of_an_aborted_scan_is_told(slits):
    def shutter():
        raise OSError("the shutter is stuck")

    run = scan_of(slits, after(2, lambda: run.abort(block=False)), hooks=Hooks(cleanup=[shutter])).start()
    run.exception()
    until(lambda: run.over)
    assert run.reason.endswith("shutter failed: OSError: the shutter is stuck")
    told = closing(run).splitlines()
    assert "aborted after" in told[0]
    assert "the shutter is stuck" in told[1]


@pytest.mark.parametrize("option", ["time", "period"])
def test_a_time_without_end_is_refused(slits, option):
    with pytest.raises(ValueError, match=r"^expected a finite (integration time|period) for a scan, not inf s$"):
        scan_of(slits, **{option: float("inf") * q.s})
