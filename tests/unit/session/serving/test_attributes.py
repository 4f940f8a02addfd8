"""Parameters as Tango attributes: types, units, limits, choices."""

import numpy as np
import pytest
from tango import AttrDataFormat, CmdArgType

from concert.base import Parameter, Quantity, Selection
from concert.devices.base import Device
from concert.quantities import q
from concert.session.serving._attributes import Conversion, attribute_name, tango_text, tango_unit


class Sample(Device):
    """One parameter of each kind."""

    size = Quantity(q.um, lower=1 * q.um, upper=2 * q.mm)
    profile = Quantity(q.V, shape=(5,))
    image = Quantity(q.count)
    colour = Selection(["red", 2, 3 * q.mm])
    note = Parameter()


def conversion(name, example=None):
    return Conversion(Sample()[name], example)


def test_quantity_is_a_number_in_its_unit():
    size = conversion("size")
    assert (size.type, size.format) == (CmdArgType.DevDouble, AttrDataFormat.SCALAR)
    assert size.to_tango(2 * q.mm) == 2000
    assert size.from_tango(5.0) == 5 * q.um


def test_limits_are_numbers_of_the_declared_unit():
    assert conversion("size").limits() == {"min_value": "1.0", "max_value": "2000.0"}
    assert conversion("profile").limits() == conversion("note").limits() == {}


def test_limits_that_are_arrays_are_left_out():
    sample = Sample()
    sample["profile"].lower = np.zeros(5) * q.V
    assert Conversion(sample["profile"], None).limits() == {}


def test_arrays_have_the_declared_shape():
    profile = conversion("profile")
    assert (profile.type, profile.format, profile.size) == (CmdArgType.DevDouble, AttrDataFormat.SPECTRUM, (5,))


@pytest.mark.parametrize(
    ("dtype", "type_"),
    [("uint16", CmdArgType.DevUShort), ("int32", CmdArgType.DevLong), ("float32", CmdArgType.DevFloat)],
)
def test_arrays_that_nobody_has_declared_are_what_they_are(dtype, type_):
    image = conversion("image", np.zeros((3, 4), dtype) * q.count)
    assert (image.type, image.format) == (type_, AttrDataFormat.IMAGE)


def test_more_than_two_dimensions_are_refused():
    with pytest.raises(TypeError, match=r"image has 3 dimensions, and Tango's attributes at most two"):
        conversion("image", np.zeros((2, 3, 4)) * q.count)


def test_choices_are_an_enumeration():
    colour = conversion("colour")
    assert colour.type == CmdArgType.DevEnum
    assert colour.labels == ["red", "2", "3 mm"]
    assert [colour.to_tango(each) for each in ("red", 2, 3 * q.mm)] == [0, 1, 2]
    assert colour.from_tango(2) == 3 * q.mm


@pytest.mark.parametrize(
    ("example", "type_", "there"),
    [
        (True, CmdArgType.DevBoolean, True),
        (np.int32(3), CmdArgType.DevLong64, 3),
        (1.5, CmdArgType.DevDouble, 1.5),
        ("dark", CmdArgType.DevString, "dark"),
        (None, CmdArgType.DevString, "None"),
        ({"a": 1}, CmdArgType.DevString, "{'a': 1}"),
    ],
)
def test_other_parameters_are_what_they_are(example, type_, there):
    note = conversion("note", example)
    assert note.type == type_
    assert note.to_tango(example) == there


def test_arrays_without_unit_are_arrays():
    note = conversion("note", np.zeros((2, 3), "uint8"))
    assert (note.type, note.format) == (CmdArgType.DevUChar, AttrDataFormat.IMAGE)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        (q.mm, "mm"),
        (q.um, "um"),
        (q.deg, "deg"),
        (q.degC, "degC"),
        (q.angstrom, "angstrom"),
        (q.ohm, "ohm"),
        (q.mm / q.s, "mm/s"),
        (q.dimensionless, ""),
    ],
)
def test_units_are_written_as_tango_s_users_write_them(unit, text):
    assert tango_unit(unit) == text


def test_texts_are_what_tango_can_write():
    assert tango_text("3 Ω → 20 °C, 5 µm ‰") == "3 ohm -> 20 °C, 5 µm ?"


def test_names_that_tango_has_itself_are_changed():
    assert [attribute_name(name) for name in ("position", "state", "Status")] == ["position", "state_", "Status_"]
