"""Loading sessions."""

import importlib
import inspect
import sys
import traceback

import pytest

from concert.async_ import Future
from concert.session.loader import NotASessionError, SessionError, load, make_importable, name_devices

STAGE = "from concert.devices.motors.dummy import LinearMotor\nstage = LinearMotor()\n"

PARK = '''\
from concert.async import async

@async
def park(speed):
    """Drive the stage out of the beam."""
    return 1 / speed
'''


def test_a_session_may_use_the_documented_spelling(session):
    future = load(session("imaging", PARK)).park(2)
    assert isinstance(future, Future)
    assert future.result() == 0.5


def test_tracebacks_and_code_show_the_users_own_text(session):
    module = load(session("imaging", PARK))
    with pytest.raises(ZeroDivisionError) as caught:
        module.park(0).result()
    frame = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.line) == (module.__file__, 6, "return 1 / speed")
    assert inspect.getsource(module.park).startswith("@async\ndef park")


def test_a_session_that_fails_raises_its_own_error(session):
    path = session("imaging", "x = 1\ny = 1 / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        load(path)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 2
    assert "imaging" not in sys.modules


def test_a_session_that_fails_leaves_the_one_that_was_loaded_before(session):
    before = load(session("imaging", "x = 1\n"))
    path = session("imaging", "x = 2\nsurely not defined\n")
    with pytest.raises(SyntaxError, match="invalid syntax"):
        load(path)
    assert sys.modules["imaging"] is before


def test_a_session_is_loaded_as_it_is_now(session):
    load(session("imaging", "x = 1\n"))
    assert load(session("imaging", "x = 2\n")).x == 2  # within the resolution of the file's time


def test_no_bytecode_is_left(session, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    path = session("imaging", "x = 1\n")
    load(path)
    assert list(path.parent.iterdir()) == [path]


def test_other_encodings_are_read_as_python_reads_them(sessions):
    sessions.mkdir(parents=True)
    path = sessions / "imaging.py"
    path.write_bytes("# coding: latin-1\r\nasync = 'é'\r\n".encode("latin-1"))
    assert load(path).async_ == "é"


def test_a_file_anywhere_can_be_loaded(tmp_path):
    path = tmp_path / "imaging.py"
    path.write_text("where = __file__\n")
    try:
        assert load(path).where == str(path)
    finally:
        del sys.modules["imaging"]


def test_a_missing_file_is_refused(sessions):
    with pytest.raises(SessionError, match=r"there is no session file .*imaging\.py"):
        load(sessions / "imaging.py")


@pytest.mark.parametrize("file", ["notes.txt", "my-scan.py", "class.py", "2nd.py", ".py", "json.py"])
def test_a_file_that_can_be_no_session_is_refused(tmp_path, file):
    (tmp_path / file).touch()
    with pytest.raises(NotASessionError):
        load(tmp_path / file)


def test_a_session_does_not_take_the_name_of_a_module_in_use(session):
    before = sys.modules["pytest"]
    path = session("pytest", "")
    with pytest.raises(NotASessionError, match="a session cannot be called pytest"):
        load(path)
    assert sys.modules["pytest"] is before


# -- importing ------------------------------------------------------------------------------------------------------


def test_sessions_import_each_other(session):
    session("optics", STAGE + PARK)
    path = session("imaging", "from optics import stage, park\nimport optics as other\n")
    make_importable()
    module = load(path)
    assert module.stage is module.other.stage
    assert module.stage.name == "stage"
    assert module.park(1).result() == 1


def test_python_comes_first(session):
    session("json", "oops = 1\n")
    make_importable()
    assert not hasattr(importlib.reload(importlib.import_module("json")), "oops")


def test_a_session_is_no_package(session):
    session("optics", "")
    make_importable()
    with pytest.raises(ModuleNotFoundError, match="'optics' is not a package"):
        importlib.import_module("optics.mirrors")


def test_sessions_are_importable_only_when_asked_for(session):
    session("optics", "")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("optics")


def test_asked_for_twice_they_are_looked_for_once(sessions):
    before = len(sys.meta_path)
    make_importable()
    make_importable()
    assert len(sys.meta_path) == before + 1


# -- names of devices -----------------------------------------------------------------------------------------------


def test_devices_are_named_after_their_first_variable(session):
    module = load(session("imaging", "_hidden = None\n" + STAGE + "alias = stage\nlift = LinearMotor(name='z')\n"))
    assert (module.stage.name, module.lift.name) == ("stage", "z")


def test_private_variables_name_no_device(session):
    module = load(session("imaging", STAGE.replace("stage", "_stage")))
    assert module._stage.name == "LinearMotor"
    name_devices({"_stage": module._stage, "stage": module._stage})
    assert module._stage.name == "stage"


def test_a_session_finds_others_beside_its_own_file(sessions, tmp_path):
    make_importable()
    (tmp_path / "optics.py").write_text(STAGE)
    (tmp_path / "imaging.py").write_text("from optics import stage\n")
    assert load(tmp_path / "imaging.py").stage.name == "stage"


def test_what_comes_before_a_failure_can_be_kept(session):
    failures = []
    module = load(session("imaging", STAGE + "1 / 0\nx = 1\n"), failures.append)
    assert [type(error) for error in failures] == [ZeroDivisionError]
    assert module.stage.name == "stage"
    assert not hasattr(module, "x")
    assert sys.modules["imaging"] is module
