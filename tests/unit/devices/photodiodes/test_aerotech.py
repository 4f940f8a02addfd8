"""Photodiodes at analogue inputs of Aerotech controllers."""

from concert.devices.photodiodes.aerotech import PhotoDiode
from concert.quantities import q
from concert.testing import expected_conversation


def test_the_intensity_is_the_voltage_at_the_input():
    with expected_conversation(PhotoDiode, [("AIN(X,0)", "%0.83")]) as diode:
        assert diode.intensity == 0.83 * q.V


def test_axis_and_channel_can_be_chosen():
    with expected_conversation(lambda host, port: PhotoDiode(host, port, "Y", 1), [("AIN(Y,1)", "%0.5")]) as diode:
        assert diode.intensity == 0.5 * q.V
