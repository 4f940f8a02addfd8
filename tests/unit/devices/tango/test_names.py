import pytest

from concert.devices.tango._names import python_name


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("Position", "position"),
        ("position", "position"),
        ("ExposureTime", "exposure_time"),
        ("CCDTemperature", "ccd_temperature"),
        ("ROI1Sum", "roi1_sum"),
        ("double_scalar", "double_scalar"),
        ("gain-1", "gain_1"),
        ("2theta", "n_2theta"),
        ("_hidden", "hidden"),
        ("_", "n_"),
        ("class", "class_"),
        ("Lambda", "lambda_"),
    ],
)
def test_names_are_spelt_as_python_does(name, spelled):
    assert python_name(name) == spelled


def test_taken_names_get_a_mark():
    assert python_name("Name", {"name"}) == "name_"
    assert python_name("Name", {"name", "name_"}) == "name__"
