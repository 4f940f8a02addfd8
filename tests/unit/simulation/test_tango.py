import pytest

from concert.simulation.process import simulated

tango = pytest.importorskip("tango")


@pytest.fixture(scope="module")
def beamline():
    with simulated("tango", velocity_factor=10, centre=3) as process:
        yield process


def proxy(beamline, device):
    return tango.DeviceProxy(f"tango://{beamline.host}:{beamline.port}/{device}#dbase=no")


def test_it_listens_on_the_loopback_interface(beamline):
    assert beamline.host == "127.0.0.1"
    for device in ("sim/motor/stage", "sim/motor/bragg", "sim/detector/1"):
        assert proxy(beamline, device).state() == tango.DevState.ON


def test_motor_moves_and_stops(beamline, until):
    stage = proxy(beamline, "sim/motor/stage")
    stage.Position = 5
    until(lambda: stage.state() == tango.DevState.ON)
    assert stage.Position == 5
    stage.Position = 40
    assert stage.state() == tango.DevState.MOVING
    stage.Stop()
    until(lambda: stage.state() == tango.DevState.ON)
    assert 5 < stage.Position < 40
    stage.Home()
    until(lambda: stage.Position == 0)


def test_motor_refuses_in_words(beamline):
    stage = proxy(beamline, "sim/motor/stage")
    stage.Position = 40
    with pytest.raises(tango.DevFailed, match="stage is in motion"):
        stage.Position = 10
    stage.Stop()


def test_limit_switch_is_an_alarm(beamline, until):
    bragg = proxy(beamline, "sim/motor/bragg")
    bragg.Position = -190
    until(lambda: bragg.state() == tango.DevState.ALARM)
    assert bragg.Position == -180
    bragg.Position = 0
    until(lambda: bragg.state() == tango.DevState.ON)


def test_rotation_axis_keeps_turning(beamline, until):
    bragg = proxy(beamline, "sim/motor/bragg")
    bragg.Velocity = 20
    assert bragg.state() == tango.DevState.MOVING
    until(lambda: bragg.Position > 1)
    bragg.Velocity = -20
    until(lambda: bragg.Velocity < 0)
    bragg.Stop()
    until(lambda: bragg.Velocity == 0)


def test_detector_sees_the_crystal(beamline, until):
    bragg, detector = proxy(beamline, "sim/motor/bragg"), proxy(beamline, "sim/detector/1")
    bragg.Position = 3
    until(lambda: bragg.state() == tango.DevState.ON)
    assert detector.Intensity == pytest.approx(1.01, abs=0.05)
    assert detector.Image.max() == pytest.approx(1010, abs=1)
    assert detector.Profile.max() == pytest.approx(1.01, abs=0.01)
    detector.Gain = "HIGH"
    assert detector.Intensity == pytest.approx(101, abs=1)
    detector.Gain = "LOW"
    bragg.Position = 0
    until(lambda: bragg.state() == tango.DevState.ON)
    assert detector.Intensity == pytest.approx(0.01, abs=0.05)


def test_exposure_takes_its_time(beamline, until):
    detector = proxy(beamline, "sim/detector/1")
    detector.IntegrationTime = 30
    detector.Expose()
    assert detector.state() == tango.DevState.RUNNING
    detector.Abort()
    assert detector.state() == tango.DevState.ON


def test_changes_are_told(beamline, until):
    stage = proxy(beamline, "sim/motor/stage")
    seen = []
    number = stage.subscribe_event("Position", tango.EventType.CHANGE_EVENT, lambda event: seen.append(event))
    stage.Position = 3
    # On a busy machine Tango may tell meanwhile that it has not heard from the server for a while.
    until(lambda: any(event.attr_value.value == 3 for event in list(seen) if not event.err))
    stage.unsubscribe_event(number)


def test_two_beamlines_are_two(beamline):
    with simulated("tango") as other:
        assert other.port != beamline.port
        proxy(beamline, "sim/motor/stage").Speed = 123.0
        assert proxy(other, "sim/motor/stage").Speed == 20


def test_wrong_options_are_refused(capfd):
    with pytest.raises(RuntimeError, match=r"^expected the simulated tango to tell"):
        simulated("tango", velocity_factor=0)
    assert "expected a factor above 0, not 0" in capfd.readouterr().err
