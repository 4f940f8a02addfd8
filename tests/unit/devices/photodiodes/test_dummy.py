"""The dummy photodiode: a peak over the position of a motor, with noise that can be repeated."""

import numpy as np
import pytest

from concert.base import WriteAccessError
from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import RotationMotor
from concert.devices.photodiodes import base
from concert.devices.photodiodes.dummy import PhotoDiode
from concert.quantities import q


def diode_over(device, **arguments):
    return PhotoDiode(device, 10 * q.mm, 2 * q.mm, **arguments)


def test_it_is_a_photodiode():
    diode = diode_over(DummyDevice(), name="diode")
    assert isinstance(diode, base.PhotoDiode)
    assert (diode.name, diode.main_parameter) == ("diode", "intensity")
    assert [value.name for value in diode] == ["intensity"]
    assert diode["intensity"].unit == q.V


@pytest.mark.parametrize(("position", "intensity"), [(10, 1), (9, 0.5), (11, 0.5), (100, 0)])
def test_the_peak_has_centre_width_and_height(position, intensity):
    diode = diode_over(DummyDevice(position * q.mm), height=2 * q.V)
    assert diode.intensity.m_as(q.V) == pytest.approx(2 * intensity)


def test_it_follows_what_is_moved():
    device = DummyDevice()
    diode = diode_over(device, height=500 * q.mV)
    device.value = 1 * q.cm
    assert diode.intensity.m_as(q.V) == pytest.approx(0.5)


def test_it_follows_an_angle():
    diode = PhotoDiode(RotationMotor(11 * q.deg), 11 * q.deg, 0.01 * q.deg)
    assert diode.intensity.m_as(q.V) == pytest.approx(1)


def test_it_cannot_be_written():
    with pytest.raises(WriteAccessError):
        diode_over(DummyDevice()).intensity = 1 * q.V


def readings(seed, noise=1 * q.mV, number=200):
    diode = diode_over(DummyDevice(10 * q.mm), noise=noise, seed=seed)
    return [diode.intensity.m_as(q.V) for _ in range(number)]


def test_the_noise_can_be_repeated():
    assert readings(seed=1) == readings(seed=1)
    assert readings(seed=1) != readings(seed=2)


def test_the_noise_is_as_large_as_it_is_told():
    assert np.std(readings(seed=0, noise=10 * q.mV)) == pytest.approx(0.01, rel=0.2)
    assert np.mean(readings(seed=0)) == pytest.approx(1, abs=0.001)


def test_without_noise_there_is_none():
    assert len(set(readings(seed=0, noise=0 * q.V))) == 1
