"""Scans and interlocks: held up before the next point, gone on with after settling, and nothing wrong in the data."""

import time

import pytest

from concert.async_ import async_, runtime
from concert.base import Condition, StoppedError
from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor
from concert.processes import Hooks, Interlock, Region, Scan, ScanAborted, ScanError, describe, interlock
from concert.processes._interlocks import installed
from concert.processes._points import Together
from concert.quantities import q
from tests.devices_for_tests import concurrent, until
from tests.unit.processes.conditions import Ring

LOW = "ring.current is 12 mA, wanted > 80 mA"


@pytest.fixture(autouse=True)
def no_interlocks():
    yield
    installed.clear()


@pytest.fixture
def ring():
    return Ring()


@pytest.fixture
def beam(ring):
    return Interlock(ring["current"] > 80 * q.mA, settle=2 * q.s, name="beam")


@pytest.fixture
def slits(concert_clock):
    return DummyDevice(delay=1 * q.s, name="slits")


@pytest.fixture
def stage(concert_clock):
    return LinearMotor(speed=1 * q.mm / q.s, name="stage")


def scan_of(device, ring, interlocks, points=4, **options):
    values = list(range(1, points + 1)) * q.mm
    return Scan(Together([Region(device, values)]), read=ring["current"], interlocks=interlocks, **options)


def currents(run):
    return run.result()["ring.current"].m_as(q.mA).tolist()


def paused(run):
    return lambda: run.status == "paused"


@async_
def change(ring, *changes):
    """Change the ring's current at times: pairs of when, in seconds, and to what."""
    began = time.monotonic()
    for when, current in changes:
        time.sleep(max(0, began + when - time.monotonic()))
        ring.stored = current * q.mA


@concurrent
def test_a_trip_pauses_before_the_next_point_and_recovery_goes_on(ring, beam, slits):
    log = []
    hooks = Hooks(on_pause=[lambda: log.append("pause")], on_resume=[lambda: log.append("resume")])
    run = scan_of(slits, ring, [beam], hooks=hooks).start()
    change(ring, (1.5, 12), (10, 100))
    until(paused(run))
    assert (run.status, run.points, slits._value) == ("paused", 2, 2 * q.mm)
    assert run.reason == LOW
    assert "paused" in run.name
    assert currents(run) == [100, 12, 100, 100]
    assert 13.8 < run.elapsed < 14.5  # four points, and from 2 s to 12 s
    assert log == ["pause", "resume"]


@concurrent
def test_what_has_tripped_already_pauses_before_the_first_point(ring, beam, slits):
    ring.stored = 12 * q.mA
    run = scan_of(slits, ring, [beam]).start()
    until(paused(run))
    assert (run.points, slits._value, run.reason) == (0, 0 * q.mm, LOW)
    change(ring, (5, 100))
    assert currents(run) == [100] * 4


def test_the_sync_runtime_waits_as_well(ring, concert_clock):
    device = DummyDevice(name="slits")
    began = time.monotonic()
    open_then = Condition(lambda: not 2.5 <= time.monotonic() - began < 7, "the shutter is open")

    def read():
        time.sleep(1)
        return time.monotonic() - began

    points = Together([Region(device, [1, 2, 3, 4, 5] * q.mm)])
    scan = Scan(points, read=read, interlocks=[Interlock(open_then, settle=1 * q.s)])
    seconds = scan.start().result()["read"].magnitude
    assert seconds.tolist() == pytest.approx([1, 2, 3, 9, 10], abs=0.1)


@concurrent
def test_the_time_that_is_left_of_settling_is_told(ring, beam, slits):
    ring.stored = 12 * q.mA
    run = scan_of(slits, ring, [beam]).start()
    until(paused(run))
    reasons = {run.reason}
    change(ring, (1, 100))
    for _ in run.follow():
        reasons.add(run.reason)
    assert LOW in reasons
    assert len([each for each in reasons if each.startswith("beam: settling, 1.")]) > 3


@concurrent
def test_flapping_goes_on_only_when_it_has_ended(ring, slits):
    began = time.monotonic()
    flapping = Condition(lambda: time.monotonic() * 100 % 1 < 0.5 or time.monotonic() - began > 9, "shutter")
    run = scan_of(slits, ring, [Interlock(flapping, settle=2 * q.s)]).start()
    run.join()
    assert 10.9 + 3 < run.elapsed < 10.9 + 5


@concurrent
def test_two_at_once_must_both_be_clear(ring, beam, slits):
    shutter = Interlock(ring["shutter"].equals("open"), settle=1 * q.s)
    ring.stored, ring._shutter = 12 * q.mA, "closed"
    run = scan_of(slits, ring, [beam, shutter]).start()
    until(paused(run))
    assert run.reason == f"{LOW}; ring.shutter is 'closed', wanted 'open'"
    ring.current = 100 * q.mA
    until(lambda: run.reason == "ring.shutter is 'closed', wanted 'open'")
    assert run.points == 0
    ring.shutter = "open"
    assert currents(run) == [100] * 4


@concurrent
def test_a_source_that_cannot_be_reached_pauses(ring, beam, slits):
    run = scan_of(slits, ring, [beam], points=3).start()
    until(lambda: run.points == 1)
    ring.trouble = ConnectionError("no connection to 10.0.3.7:4001")
    # The scan reads the ring as well, and fails with it, unless it is held up before.
    detached = Scan(
        Together([Region(DummyDevice(name="other"), [1] * q.mm)]), read=lambda: 1, interlocks=[beam]
    ).start()
    until(paused(detached))
    assert "ring.current cannot be read: ConnectionError: no connection to 10.0.3.7:4001" in detached.reason
    assert isinstance(run.exception(), ConnectionError)
    ring.trouble = None
    detached.join()


@concurrent
def test_pausing_and_resuming_by_hand_while_tripped(ring, beam, slits):
    ring.stored = 12 * q.mA
    run = scan_of(slits, ring, [beam]).start()
    until(paused(run))
    run.pause("lunch")
    until(lambda: run.reason == f"{LOW}; lunch")
    run.resume()
    until(lambda: run.reason == LOW)
    run.pause("lunch")
    ring.current = 100 * q.mA
    until(lambda: run.reason == "lunch")
    assert run.points == 0
    run.resume()
    assert currents(run) == [100] * 4


@concurrent
@pytest.mark.parametrize("end", ["stop", "abort"])
def test_stop_and_abort_end_it_while_tripped(ring, beam, slits, end):
    ring.stored = 12 * q.mA
    cleaned = []
    run = scan_of(slits, ring, [beam], hooks=Hooks(cleanup=[lambda: cleaned.append(1)])).start()
    until(paused(run))
    getattr(run, end)()
    until(lambda: run.over)
    assert (run.status, run.points, cleaned) == ("stopped" if end == "stop" else "aborted", 0, [1])


@concurrent
def test_the_session_s_interlocks_apply_and_may_change_meanwhile(ring, slits, capsys):
    run = scan_of(slits, ring, [], points=8).start()
    until(lambda: run.points == 1)
    ring.stored = 12 * q.mA
    interlock(ring["current"] > 80 * q.mA, name="beam")
    until(paused(run))
    assert run.reason == LOW
    installed.remove("beam")
    run.join()
    assert run.points == 8


@concurrent
@pytest.mark.parametrize(
    "let_go",
    [lambda: installed.remove("slow"), lambda: interlock(lambda: True, name="slow")],
    ids=["removed", "replaced"],
)
def test_an_interlock_may_go_while_the_scan_looks_at_it(slits, let_go, capsys):
    readings = []

    def slow():
        if len(readings) == 2:  # the look tells whether that reading counts
            readings.append("the interlock goes")
            let_go()
        time.sleep(0.3)
        return True

    interlock(slow, stop_motion=True, name="slow")
    points = Together([Region(slits, [1, 2, 3] * q.mm)])
    run = Scan(points, read=lambda: readings.append(slits._value) or 1).start()
    until(run.done)
    assert readings == [1 * q.mm, 2 * q.mm, "the interlock goes", 3 * q.mm]


@concurrent
def test_a_trip_while_it_waits_for_who_uses_its_motor_meanwhile_holds_it_up(ring, beam, slits):
    run = scan_of(slits, ring, [beam]).start()
    run.pause("lunch")
    until(paused(run))
    with slits:
        run.resume()
        until(lambda: "held by" in run.reason)
        ring.stored = 12 * q.mA
        time.sleep(0.2)
    until(lambda: run.reason == LOW)
    assert slits._value == 0 * q.mm
    ring.stored = 100 * q.mA
    assert currents(run) == [100] * 4


@concurrent
def test_stopping_motion_measures_the_interrupted_point_again(ring, beam, stage):
    beam.stop_motion = True
    run = scan_of(stage, ring, [beam]).start()
    change(ring, (1.5, 12), (10, 100))
    until(paused(run))
    assert 1.4 < stage.position.m_as(q.mm) < 1.7  # it was on its way to 2 mm
    assert run.points == 1
    assert run.result()["stage"].m_as(q.mm).tolist() == [1, 2, 3, 4]
    assert currents(run) == [100] * 4


@concurrent
def test_a_reading_that_was_interrupted_is_taken_again(ring, beam, stage):
    beam.stop_motion = True
    reads = []

    def read():
        reads.append(stage.position.m_as(q.mm))
        time.sleep(1)
        return ring.stored.m_as(q.mA)

    run = Scan(Together([Region(stage, [1, 2] * q.mm)]), read=read, interlocks=[beam]).start()
    change(ring, (1.5, 12), (1.7, 100))
    assert run.result()["read"].magnitude.tolist() == [100, 100]
    assert reads == pytest.approx([1, 1, 2])


@concurrent
def test_a_reading_is_taken_again_though_nobody_has_noticed_yet_what_spoils_it(ring, beam, slits):
    beam.stop_motion = True
    lost = []

    def read():
        if not lost:
            lost.append(change(ring, (1, 100)))
            ring.stored = 12 * q.mA
        return ring.stored.m_as(q.mA)

    run = Scan(Together([Region(slits, [1, 2] * q.mm)]), read=read, interlocks=[beam]).start()
    assert run.result()["read"].magnitude.tolist() == [100, 100]


@concurrent
def test_without_stopping_motion_the_point_in_progress_is_completed(ring, beam, stage):
    run = scan_of(stage, ring, [beam]).start()
    change(ring, (1.5, 12), (5, 100))
    assert currents(run) == [100, 12, 100, 100]


@concurrent
def test_everything_that_the_scan_moves_is_stopped(ring, beam, stage):
    beam.stop_motion = True
    lift = LinearMotor(speed=1 * q.mm / q.s, name="lift")
    apart = LinearMotor(speed=1 * q.mm / q.s, name="apart")
    run = describe.ascan(
        stage, 0 * q.mm, 10 * q.mm, lift, 0 * q.mm, 20 * q.mm, 1, read=ring["current"], interlocks=[beam]
    ).start()
    elsewhere = apart["position"].set(40 * q.mm)
    change(ring, (5.5, 12), (8, 100))
    until(paused(run))
    assert stage.position.m_as(q.mm) == pytest.approx(5.5, abs=0.3)
    assert lift.position.m_as(q.mm) == pytest.approx(5.5, abs=0.3)
    assert run.result()["lift"].m_as(q.mm).tolist() == [0, 20]
    elsewhere.join()  # it was nobody's business to stop that one


@concurrent
def test_a_stop_that_fails_is_tried_again(ring, beam, concert_clock, caplog):
    class Busy(LinearMotor):
        stops = 0

        def _stop(self):
            self.stops += 1
            if self.stops < 4:
                raise OSError("the line is busy")
            super()._stop()

    beam.stop_motion = True
    stage = Busy(speed=1 * q.mm / q.s, name="stage")
    run = scan_of(stage, ring, [beam], points=1).start()
    change(ring, (0.2, 12), (5, 100))
    until(paused(run))
    assert 0.2 < stage.position.m_as(q.mm) < 0.7
    assert run.result()["stage"].m_as(q.mm).tolist() == [1]
    assert caplog.text.count("stage does not stop, and is told again: the line is busy") == 1


@concurrent
def test_a_stop_that_answers_late_does_not_hit_the_next_motion(ring, concert_clock):
    class Stage(LinearMotor):
        def _stop(self):
            super()._stop()
            time.sleep(0.3)

    stage = Stage(speed=1 * q.mm / q.s, name="stage")
    flap = Interlock(ring["current"] > 80 * q.mA, settle=0 * q.s, stop_motion=True)
    run = scan_of(stage, ring, [flap], points=2).start()
    flapping = change(ring, *((number / 10 + 0.05, (12, 100)[number % 2]) for number in range(30)))
    assert run.result()["stage"].m_as(q.mm).tolist() == [1, 2]
    flapping.join()


@concurrent
def test_two_that_trip_together_and_are_over_at_once_do_not_stop_the_next_motion(ring, stage, concert_clock):
    flaps = [
        Interlock(ring["current"] > limit * q.mA, settle=0 * q.s, stop_motion=True, name=f"{limit}")
        for limit in (70, 80)
    ]
    run = scan_of(stage, ring, flaps, points=2).start()
    flapping = change(ring, (0.5, 12), (0.51, 100), (1.5, 12), (1.51, 100), (2, 12), (2.01, 100))
    assert run.result()["stage"].m_as(q.mm).tolist() == [1, 2]
    flapping.join()


@concurrent
def test_a_stop_by_somebody_else_still_ends_the_scan(ring, beam, stage):
    beam.stop_motion = True
    run = scan_of(stage, ring, [beam]).start()
    until(lambda: run.points == 1)
    stage.stop().join()
    assert isinstance(run.exception(), StoppedError)


@concurrent
def test_a_relative_scan_does_not_go_back_while_motion_is_forbidden(ring, beam, stage):
    beam.stop_motion = True
    stage.position = 5 * q.mm
    run = describe.dscan(stage, 0 * q.mm, 4 * q.mm, 2, read=ring["current"], interlocks=[beam]).start()
    change(ring, (1, 12))
    until(paused(run))
    here = stage.position
    run.stop()
    assert isinstance(run.exception(), ScanError)
    assert run.status == "failed"
    assert f"it did not go back: StoppedError: {LOW}" in run.reason
    assert stage.position == here


@concurrent
def test_going_back_is_stopped_as_well(ring, beam, stage):
    beam.stop_motion = True
    run = describe.dscan(stage, 0 * q.mm, 10 * q.mm, 1, read=ring["current"], interlocks=[beam]).start()
    change(ring, (14.5, 12))  # from 10 s on it goes back
    assert isinstance(run.exception(), ScanError)
    assert run.points == 2
    assert "it did not go back: StoppedError: stage.position was stopped" in run.reason
    assert stage.position.m_as(q.mm) == pytest.approx(5.5, abs=0.3)


@concurrent
def test_going_back_after_an_abort_is_stopped_as_well(ring, beam, stage, caplog):
    beam.stop_motion = True
    run = describe.dscan(stage, 0 * q.mm, 10 * q.mm, 1, read=ring["current"], interlocks=[beam]).start()
    until(lambda: stage.position > 6 * q.mm)
    run.abort(block=False)
    until(lambda: stage.position < 4 * q.mm)
    ring.stored = 12 * q.mA
    assert isinstance(run.exception(), ScanAborted)
    until(lambda: run.over)
    assert stage.position.m_as(q.mm) == pytest.approx(3.9, abs=0.3)
    assert stage.state == "standby"
    assert "the interlock beam has tripped" in caplog.text


@concurrent
@pytest.mark.parametrize("while_paused", [False, True])
def test_a_relative_scan_that_is_aborted_goes_back_if_nothing_forbids_it(ring, beam, stage, while_paused):
    beam.stop_motion = not while_paused
    stage.position = 5 * q.mm
    run = describe.dscan(stage, 0 * q.mm, 4 * q.mm, 4, read=ring["current"], interlocks=[beam]).start()
    until(lambda: run.points == 2)
    if while_paused:
        ring.stored = 12 * q.mA
        until(paused(run))
    run.abort()
    until(lambda: run.over)
    assert run.status == "aborted"
    assert stage.position == 5 * q.mm


@concurrent
def test_a_scan_with_a_period_keeps_it_after_a_pause(ring, beam, concert_clock):
    times = []
    run = describe.timescan(
        1 * q.s, 6, read=lambda: times.append(time.monotonic()) or 1, interlocks=[beam], kind="timescan"
    ).start()
    began = time.monotonic()
    change(ring, (2.5, 12), (7.2, 100))
    run.join()
    assert [each - began for each in times] == pytest.approx([0, 1, 2, 9.2, 10.2, 11.2], abs=0.3)


def test_what_is_no_condition_is_refused_when_the_scan_is_described(ring):
    with pytest.raises(TypeError, match="is no condition"):
        describe.loopscan(3, read=ring["current"], interlocks=[ring.current > 80 * q.mA])


@pytest.mark.skipif(runtime() == "sync", reason="nothing is shown in between")
def test_the_display_tells_of_a_pause_once(ring, beam, slits, capsys):
    from concert.processes import watch

    ring.stored = 12 * q.mA
    run = scan_of(slits, ring, [beam], points=2).start()
    change(ring, (5, 100))
    watch(run)
    lines = [line for line in capsys.readouterr().out.splitlines() if line[:1] in "PG"]
    assert lines[0] == f"Paused: {LOW}"
    assert lines[-1] == "Going on."
    assert len(lines) <= 3  # and perhaps that it settles


@concurrent
def test_a_scan_that_an_interlock_holds_up_keeps_what_it_uses_until_somebody_wants_it(ring, beam, slits):
    first = scan_of(slits, ring, [beam]).start()
    until(lambda: first.points == 1)
    second = scan_of(slits, ring, []).start()
    ring.current = 12 * q.mA
    until(paused(first))
    assert second.execution.waits
    first.pause()
    second.join()
    assert first.points < 4
    ring.current = 100 * q.mA
    first.resume()
    assert len(first.result()) == 4
