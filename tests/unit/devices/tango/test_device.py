import logging

import numpy as np
import pytest

from concert.base import (
    LimitError,
    Parameter,
    Quantity,
    ReadAccessError,
    Selection,
    SoftLimitError,
    StateError,
    UnitError,
    WriteAccessError,
)
from concert.devices.tango import TangoDevice, _kinds
from concert.networking.tango import TangoConnectionError, UnknownDeviceError
from concert.quantities import q
from tests.servers import unused_port

pytest.importorskip("tango")

RUNTIMES = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)


@pytest.fixture
def specimen(specimen_server):
    """A device from a Tango device that has nearly everything."""
    device = TangoDevice(specimen_server.uri("test/specimen/2"), name="specimen", timeout=20)
    device.tango.Become("ON")
    device.number = 1.5 * q.mm
    yield device
    device.close()


# -- attributes --------------------------------------------------------------------------------------------------------


@RUNTIMES
def test_numbers_are_quantities_with_the_servers_unit(specimen, concert_runtime):
    assert isinstance(type(specimen).number, Quantity)
    specimen.number = 2500 * q.um
    assert specimen.number == 2.5 * q.mm
    assert specimen.tango.Number == 2.5
    specimen.exposure_time = 100 * q.ms
    assert specimen.exposure_time == 0.1 * q.s
    with pytest.raises(UnitError, match=r"^specimen.number must be given in mm, not 3 s$"):
        specimen.number = 3 * q.s


def test_minimum_and_maximum_are_limits(specimen):
    assert (specimen["number"].lower, specimen["number"].upper) == (-10 * q.mm, 10 * q.mm)
    assert (specimen["exposure_time"].lower, specimen["exposure_time"].upper) == (None, None)
    with pytest.raises(SoftLimitError, match=r"^specimen.number 11 mm is outside its soft limits \[-10 mm, 10 mm\]$"):
        specimen.number = 11 * q.mm


def test_server_enforces_its_limits_as_well(specimen):
    specimen["number"].upper = 100 * q.mm
    with pytest.raises(LimitError, match=r"failed while writing Number: .* above the maximum"):
        specimen.number = 11 * q.mm
    assert specimen.number == 1.5 * q.mm


def test_temperatures_have_an_offset(specimen):
    specimen.warmth = q.Quantity(300, q.K)
    assert specimen.warmth.m_as(q.degC) == pytest.approx(26.85)
    assert specimen.tango.Warmth == pytest.approx(26.85)


def test_access_is_as_the_configuration_says(specimen):
    assert specimen["shown"].readable
    assert not specimen["shown"].writable
    assert not specimen["secret"].readable
    specimen.secret = 3 * q.V
    assert specimen.shown == 3 * q.V
    with pytest.raises(ReadAccessError, match=r"^specimen.secret cannot be read$"):
        specimen.secret
    with pytest.raises(WriteAccessError, match=r"^specimen.shown cannot be written$"):
        specimen.shown = 1 * q.V


def test_spectra_and_images_are_array_quantities(specimen):
    specimen.spectrum = np.array([1.0, 2.0, 3.0]) * q.mm
    assert specimen.spectrum.units == q.um
    assert specimen.spectrum.magnitude.tolist() == [1000, 2000, 3000]
    assert specimen.picture.magnitude.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert specimen.picture.magnitude.dtype == np.uint16


@pytest.mark.parametrize(
    ("value", "refusal"),
    [
        (2 * q.mm, "must be a list, not 2 mm"),
        (np.zeros(9) * q.mm, "must be a list of at most 8, not of 9"),
        (np.zeros((2, 2)) * q.mm, "must be a list, not "),
    ],
)
def test_shape_of_arrays_is_checked(specimen, value, refusal):
    before = specimen.spectrum
    with pytest.raises(ValueError, match=rf"^specimen.spectrum {refusal}"):
        specimen.spectrum = value
    assert np.all(specimen.spectrum == before)


@pytest.mark.parametrize(
    ("value", "refusal"),
    [(1.5, "must be a whole number, not 1.5"), (256, "must be between 0 and 255, not 256"), (-1, "must be between 0 ")],
)
def test_integers_are_checked(specimen, value, refusal):
    specimen.tiny = 7
    with pytest.raises(ValueError, match=rf"^specimen.tiny {refusal}"):
        specimen.tiny = value
    assert specimen.tiny == 7
    specimen.tiny = 8.0
    assert specimen.tiny == 8


def test_enumerations_are_selections(specimen):
    assert isinstance(type(specimen).mode, Selection)
    assert specimen["mode"].values == ("IDLE", "SINGLE", "BURST")
    specimen.mode = "BURST"
    assert specimen.mode == "BURST"
    assert specimen.tango.Mode == 2
    with pytest.raises(ValueError, match=r"^specimen.mode must be one of 'IDLE', 'SINGLE', 'BURST', not 'LAZY'$"):
        specimen.mode = "LAZY"


def test_switches_are_selections(specimen):
    specimen.enabled = True
    assert specimen.enabled is True
    with pytest.raises(ValueError, match=r"^specimen.enabled must be one of False, True, not 1$"):
        specimen.enabled = 1


def test_text_is_a_parameter(specimen):
    specimen.label = "crystal"
    assert specimen.label == "crystal"
    specimen.words = ["a", "b"]
    assert specimen.words == ("a", "b")
    with pytest.raises(ValueError, match=r"^specimen.label must be text, not 5$"):
        specimen.label = 5
    with pytest.raises(ValueError, match=r"^specimen.words must be a list, not 'ab'$"):
        specimen.words = "ab"


def test_names_that_a_device_has_itself_get_a_mark(specimen):
    assert specimen.name == "specimen"
    assert specimen.name_ == "a specimen"


def test_descriptions_are_help(specimen):
    assert specimen["number"].help == "a length"


def test_unknown_unit_is_kept_as_text_and_reported_once(specimen_server, caplog):
    _kinds._reported.clear()
    with caplog.at_level(logging.WARNING):
        devices = [TangoDevice(specimen_server.uri(f"test/specimen/{number}")) for number in (1, 2)]
    assert [record.getMessage() for record in caplog.records] == [
        "the unit 'crates of ale' of test/specimen/1/Crates is not known: its values are numbers without a unit"
    ]
    assert devices[1]["crates"].unit_text == "crates of ale"
    devices[1].crates = 4
    assert devices[1].crates == 4


def test_invalid_value_is_an_error_of_the_device(specimen):
    with pytest.raises(StateError, match=r"^specimen has no valid value of Unknowable now$") as caught:
        specimen.unknowable
    assert caught.value.state == "on"


def test_failing_attribute_tells_the_servers_words(specimen):
    with pytest.raises(
        StateError, match=r"^test/specimen/2 failed while reading Broken: ValueError: the cryostat is w"
    ):
        specimen.broken


# -- state, commands, and the device -----------------------------------------------------------------------------------


@RUNTIMES
def test_state_is_tangos_in_small_letters(specimen, concert_runtime):
    assert specimen.state == "on"
    specimen.become("MOVING").join()
    assert specimen.state == "moving"


@RUNTIMES
def test_commands_are_asynchronous_methods(specimen, concert_runtime):
    assert specimen.double(4).result() == 8
    assert specimen.total([1, 2, 3]).result() == 6
    assert specimen.wait(0.1, timeout=20 * q.s).result() == 0.1
    assert specimen.double.__name__ == "double"
    assert (
        specimen.double.__doc__ == "Run the command Double: a future; *argument* is DevDouble; its result is DevDouble."
    )


def test_failing_command_is_an_error_of_the_device(specimen):
    specimen.become("FAULT").join()
    future = specimen.fail()
    with pytest.raises(
        StateError, match=r"^test/specimen/2 failed while running Fail: ValueError: the cryostat is"
    ) as e:
        future.result()
    assert e.value.state == "fault"


def test_commands_wait_for_who_holds_the_device(specimen):
    with specimen:
        assert specimen.double(1).result() == 2


def test_device_without_a_name_has_tangos(specimen_server):
    device = TangoDevice(specimen_server.uri("test/specimen/1"))
    assert device.name == "test/specimen/1"
    with pytest.raises(UnitError, match=r"^test/specimen/1.number must be"):
        device.number = 1 * q.s


def test_devices_of_a_class_share_nothing(specimen_server, simulated_tango):
    specimen = TangoDevice(specimen_server.uri("test/specimen/1"))
    detector = TangoDevice(simulated_tango.uri("sim/detector/1"), main_parameter="intensity")
    assert "number" in specimen
    assert "number" not in detector
    assert "intensity" not in specimen
    assert detector.main_parameter == "intensity"
    assert specimen.main_parameter is None
    assert isinstance(specimen, TangoDevice)
    assert type(specimen).__name__ == "TangoDevice"


def test_subclass_declares_what_it_knows_better(specimen_server):
    class Sample(TangoDevice):
        """A sample."""

        number = Quantity(q.um, lower=0 * q.um, help="Thickness")

        def _get_number(self):
            return self.read_attribute("Number") * q.mm

    sample = Sample(specimen_server.uri("test/specimen/1"), name="sample")
    sample.tango.Number = 2.0
    assert sample.number == 2000 * q.um
    assert sample["number"].help == "Thickness"
    assert sample.label


def test_all_can_be_stashed_and_restored(specimen):
    specimen.mode, specimen.number = "IDLE", 2 * q.mm
    specimen.stash().join()
    specimen.mode, specimen.number = "BURST", 3 * q.mm
    specimen.restore().join()
    assert (specimen.mode, specimen.number) == ("IDLE", 2 * q.mm)


def test_unknown_device_and_dead_server_are_told(specimen_server):
    with pytest.raises(UnknownDeviceError):
        TangoDevice(specimen_server.uri("no/such/device"))
    with pytest.raises(TangoConnectionError):
        TangoDevice(f"tango://127.0.0.1:{unused_port()}/a/b/c#dbase=no")


def test_line_errors_say_what_was_read(start_server):
    server = start_server()
    device = TangoDevice(server.uri("test/specimen/1"), name="specimen")
    server.kill()
    with pytest.raises(TangoConnectionError, match=r"^no connection to the server of test/specimen/1") as caught:
        device.number
    assert caught.value.__notes__ == ["while reading specimen.number"]


# -- subscribers -------------------------------------------------------------------------------------------------------


@RUNTIMES
def test_subscribers_hear_of_changes_made_by_others(specimen, specimen_server, until, concert_runtime):
    other = TangoDevice(specimen_server.uri("test/specimen/2"))
    seen, states = [], []
    specimen["number"].subscribe(lambda value: seen.append(value.get().result()))
    specimen["state"].subscribe(lambda value: states.append(value.get().result()))
    assert not seen  # what it is now is no change
    other.number = 4 * q.mm
    other.become("MOVING").join()
    until(lambda: seen and seen[-1] == 4 * q.mm)
    until(lambda: states and states[-1] == "moving")


def test_nobody_hears_after_the_last_has_left(specimen, until):
    seen, others = [], []
    specimen["number"].subscribe(seen.append)
    specimen["number"].subscribe(others.append)
    specimen["number"].unsubscribe(others.append)
    specimen.tango.Number = 2.0
    until(lambda: seen)
    specimen["number"].unsubscribe(seen.append)
    assert not specimen._feeds
    assert not specimen.tango._subscriptions


def test_parameter_without_events_still_tells_of_sets_made_here(specimen, until, caplog):
    seen = []
    with caplog.at_level(logging.WARNING):
        specimen["label"].subscribe(seen.append)
    assert caplog.messages == ["specimen.label sends no events: only sets made here are told"]
    specimen.label = "other"
    until(lambda: seen)


def test_parameter_is_one_of_the_classes(specimen):
    assert all(isinstance(each, Parameter) for each in type(specimen)._declared.values())
