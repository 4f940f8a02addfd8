"""Settings: read from the environment, changed by assignment, refused with a sentence."""

import importlib.util
import subprocess
import sys

import pytest

from concert import config as the_real_one


@pytest.fixture
def load(monkeypatch):
    """Return a function that imports a copy of the module with no settings but the given in the environment."""

    def load_with(**variables):
        for row in the_real_one._TABLE:
            monkeypatch.delenv(f"CONCERT_{row.name}", raising=False)
            monkeypatch.delenv(f"CONCERT_{row.negation}", raising=False)
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        spec = importlib.util.spec_from_file_location("copy_of_config", the_real_one.__file__)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        return module

    return load_with


@pytest.fixture
def config(load):
    return load()


def test_defaults(config):
    assert (config.ENABLE_ASYNC, config.DISABLE_ASYNC) == (True, False)
    assert (config.ENABLE_GEVENT, config.DISABLE_GEVENT) == (True, False)


@pytest.mark.parametrize("text", ["1", "true", "True", "YES", "on"])
def test_variable_switches_on(text, load):
    assert load(CONCERT_ENABLE_GEVENT=text).ENABLE_GEVENT is True
    assert load(CONCERT_DISABLE_ASYNC=text).DISABLE_ASYNC is True


@pytest.mark.parametrize("text", ["0", "false", "False", "NO", "off"])
def test_variable_switches_off(text, load):
    assert load(CONCERT_ENABLE_GEVENT=text).ENABLE_GEVENT is False
    assert load(CONCERT_DISABLE_ASYNC=text).DISABLE_ASYNC is False


def test_variable_of_the_negation_sets_both_views(load):
    config = load(CONCERT_DISABLE_GEVENT="1")
    assert (config.ENABLE_GEVENT, config.DISABLE_GEVENT) == (False, True)


@pytest.mark.parametrize("text", ["maybe", "", "2", "-1", " "])
def test_unclear_variable_is_refused(text, load):
    with pytest.raises(ValueError, match="expected") as caught:
        load(CONCERT_DISABLE_GEVENT=text)
    assert str(caught.value) == (
        f"expected CONCERT_DISABLE_GEVENT to be 1, true, yes, on, 0, false, no or off, not {text!r}"
    )


def test_contradicting_variables_are_refused(load):
    with pytest.raises(ValueError, match="contradict") as caught:
        load(CONCERT_ENABLE_GEVENT="on", CONCERT_DISABLE_GEVENT="yes")
    assert str(caught.value) == (
        "CONCERT_ENABLE_GEVENT=on and CONCERT_DISABLE_GEVENT=yes contradict each other; set one of them"
    )


def test_variables_that_say_the_same_twice_are_fine(load):
    assert load(CONCERT_ENABLE_GEVENT="0", CONCERT_DISABLE_GEVENT="true").ENABLE_GEVENT is False


def test_variables_are_read_once(config, monkeypatch):
    monkeypatch.setenv("CONCERT_ENABLE_ASYNC", "0")
    assert config.ENABLE_ASYNC is True


@pytest.mark.parametrize(
    ("name", "value", "enabled"),
    [
        ("ENABLE_ASYNC", False, False),
        ("DISABLE_ASYNC", True, False),
        ("ENABLE_ASYNC", True, True),
        ("DISABLE_ASYNC", False, True),
    ],
)
def test_assignment_is_seen_in_both_views(name, value, enabled, config):
    config.ENABLE_ASYNC = not enabled
    setattr(config, name, value)
    assert config.ENABLE_ASYNC is enabled
    assert config.DISABLE_ASYNC is not enabled
    assert config.ENABLE_GEVENT is True


@pytest.mark.parametrize("value", [0, 1, "no", None])
@pytest.mark.parametrize("name", ["ENABLE_ASYNC", "DISABLE_ASYNC"])
def test_value_of_the_wrong_type_changes_nothing(name, value, config):
    before = config.settings()
    with pytest.raises(TypeError) as caught:
        setattr(config, name, value)
    assert str(caught.value) == f"{name} takes a bool, not {value!r}"
    assert config.settings() == before


def test_unknown_setting_is_refused_and_the_known_are_named(config):
    with pytest.raises(AttributeError) as caught:
        config.ENABLE_GEVNT = False
    assert str(caught.value) == (
        "there is no setting 'ENABLE_GEVNT'; there are ENABLE_ASYNC, DISABLE_ASYNC, ENABLE_GEVENT, DISABLE_GEVENT, DATA"
    )
    assert not hasattr(config, "ENABLE_GEVNT")


def test_callback_hears_of_a_change_before_it_takes_effect(config):
    heard = []
    config.on_change("ENABLE_ASYNC", lambda value: heard.append((value, config.ENABLE_ASYNC)))
    config.ENABLE_ASYNC = False
    config.DISABLE_ASYNC = False
    assert heard == [(False, True), (True, False)]


def test_callback_for_the_negation_hears_its_view(config):
    heard = []
    config.on_change("DISABLE_ASYNC", heard.append)
    config.ENABLE_ASYNC = False
    config.DISABLE_ASYNC = False
    assert heard == [True, False]


def test_callback_does_not_hear_of_what_stays(config):
    heard = []
    config.on_change("ENABLE_ASYNC", heard.append)
    config.ENABLE_ASYNC = True
    config.DISABLE_ASYNC = False
    config.ENABLE_GEVENT = False
    assert heard == []


@pytest.mark.parametrize("asked", ["ENABLE_GEVENT", "DISABLE_GEVENT"])
@pytest.mark.parametrize(("name", "value"), [("ENABLE_GEVENT", False), ("DISABLE_GEVENT", True)])
def test_refused_change_changes_nothing(asked, name, value, config):
    def refuse(value):
        raise RuntimeError("the process is cooperative already")

    config.on_change(asked, refuse)
    with pytest.raises(RuntimeError, match="cooperative already"):
        setattr(config, name, value)
    assert (config.ENABLE_GEVENT, config.DISABLE_GEVENT) == (True, False)


def test_callback_for_an_unknown_setting_is_refused(config):
    with pytest.raises(AttributeError, match="there is no setting 'ASYNC'; there are ENABLE_ASYNC"):
        config.on_change("ASYNC", print)


def test_settings_tell_everything_for_display(config):
    config.DISABLE_GEVENT = True
    rows = {row.name: row for row in config.settings()}
    assert set(rows) == {"ENABLE_ASYNC", "ENABLE_GEVENT", "DATA"}
    row = rows["ENABLE_GEVENT"]
    assert (row.value, row.default, row.variable) == (False, True, "CONCERT_ENABLE_GEVENT")
    assert "greenlets" in row.meaning


def test_setting_of_another_type_brings_its_converter(config):
    row = config.Setting("DELAY", 0.5, "how long", kind=float, convert=float, accepts="a number of seconds")
    assert config._from_environment(row, {}) == 0.5
    assert config._from_environment(row, {"CONCERT_DELAY": "2"}) == 2.0
    with pytest.raises(ValueError, match="expected CONCERT_DELAY to be a number of seconds, not 'long'"):
        config._from_environment(row, {"CONCERT_DELAY": "long"})


def test_patched_setting_comes_back(config):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, "ENABLE_ASYNC", False)
        assert config.DISABLE_ASYNC is True
    assert config.DISABLE_ASYNC is False


def test_other_attributes_can_be_assigned(config):
    config.__doc__ = "patched"
    assert config.__doc__ == "patched"


def test_import_is_light():
    code = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('config', sys.argv[1]);"
        "module = sys.modules['config'] = importlib.util.module_from_spec(spec); spec.loader.exec_module(module);"
        "print(sorted({'pint', 'gevent', 'numpy', 'logging'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code, the_real_one.__file__], capture_output=True, text=True)
    assert result.stdout == "[]\n", result.stderr


def test_data_directory_is_text_and_not_empty(config):
    assert config.DATA == ""
    row = next(row for row in config._TABLE if row.name == "DATA")
    assert config._from_environment(row, {"CONCERT_DATA": "/beamline"}) == "/beamline"
    with pytest.raises(ValueError, match="expected CONCERT_DATA to be the name of a directory, not ''"):
        config._from_environment(row, {"CONCERT_DATA": ""})
