"""Sessions as files: their places, their names, and changes that lose nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from concert.session import management
from concert.session.loader import load
from concert.session.management import NotASessionError, SessionError


def files(directory):
    """Return what is in the directory, with the lock."""
    return sorted(each.name for each in directory.iterdir())


# -- where ----------------------------------------------------------------------------------------------------------


def test_sessions_live_in_the_virtual_environment(sessions, monkeypatch, tmp_path):
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    assert management.places() == [
        tmp_path / "venv/share/concert",
        tmp_path / "data/concert",
        tmp_path / "home/.local/share/concert",
    ]
    assert management.directory() == tmp_path / "venv/share/concert"


def test_without_one_they_live_with_the_users_data(sessions, monkeypatch, tmp_path):
    assert management.directory() == tmp_path / "data/concert"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert management.places() == [tmp_path / "home/.local/share/concert"]


def test_variables_that_are_empty_do_not_count(sessions, monkeypatch, tmp_path):
    monkeypatch.setenv("VIRTUAL_ENV", "")
    monkeypatch.setenv("XDG_DATA_HOME", "")
    assert management.directory() == tmp_path / "home/.local/share/concert"


def test_looking_makes_no_directory(sessions):
    assert management.names() == []
    assert not management.exists("imaging")
    assert not sessions.exists()


# -- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["imaging", "imaging_2", "_x", "Größe", "test", "match"])
def test_names_are_identifiers(name):
    assert management.check_name(name) == name
    assert management.is_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "../x", "a/b", "/etc/passwd", "-x", "2nd", "a b", "a.py", "a\n", "a\0", "class", "async", "json", "concert"],
)
def test_other_names_are_refused_by_everything(sessions, name):
    assert not management.is_name(name)
    management.create("imaging")
    for call in [
        lambda: management.create(name),
        lambda: management.create(name, force=True),
        lambda: management.exists(name),
        lambda: management.copy("imaging", name),
        lambda: management.copy(name, "new"),
        lambda: management.move("imaging", name),
        lambda: management.move(name, "new"),
        lambda: management.remove("imaging", name),
        lambda: management.add({"good": b"", name: b""}),
    ]:
        with pytest.raises(NotASessionError, match="cannot be the name of a session: "):
            call()
    assert files(sessions) == [".lock", "imaging.py"]


def test_only_sessions_are_listed(sessions):
    management.create("b")
    management.create("a")
    for other in ["notes.txt", "my-notes.py", "json.py", ".hidden.py", "concert.log"]:
        (sessions / other).touch()
    (sessions / "directory.py").mkdir()
    assert management.names() == ["a", "b"]


def test_a_session_or_a_file_is_found(sessions, tmp_path, monkeypatch):
    management.create("imaging")
    monkeypatch.chdir(tmp_path)
    Path("imaging.py").touch()
    assert management.find("imaging") == sessions / "imaging.py"
    assert management.find("imaging.py") == Path("imaging.py")
    assert management.find(str(tmp_path / "imaging.py")) == tmp_path / "imaging.py"


def test_what_is_not_found_is_said_with_what_there_is(sessions):
    with pytest.raises(SessionError, match=r"there is no session optics in .*concert; there are none"):
        management.find("optics")
    management.create("imaging")
    with pytest.raises(SessionError, match="there are imaging"):
        management.find("optics")
    with pytest.raises(SessionError, match=r"there is no session file \./optics\.py"):
        management.find("./optics.py")
    with pytest.raises(NotASessionError, match=r"expected a session file with a name such as imaging\.py, not x"):
        management.find("../x")


# -- changes --------------------------------------------------------------------------------------------------------


def test_a_new_session_can_be_loaded(sessions):
    module = load(management.create("imaging", ["math", "concert.async", "os.path"]))
    assert module.__doc__.startswith("Session imaging.\n")
    assert (1 * module.q.mm).units == module.q.mm
    assert module.math is sys.modules["math"]
    assert module.concert is sys.modules["concert"]


def test_a_module_to_import_cannot_be_anything_else(sessions):
    for module in ["a; import os", "", "a.", "1a", "class"]:
        with pytest.raises(NotASessionError, match="expected a module to import"):
            management.create("imaging", [module])
    assert not sessions.exists()


def test_a_session_is_replaced_only_by_force(session):
    path = session("imaging", "mine = 1\n")
    with pytest.raises(SessionError, match="imaging exists already in "):
        management.create("imaging")
    assert path.read_text() == "mine = 1\n"
    management.create("imaging", force=True)
    assert "prelude" in path.read_text()


def test_several_are_added_or_none(session, sessions):
    session("b", "mine = 1\n")
    with pytest.raises(SessionError, match="b exists already"):
        management.add({"a": b"x = 1\n", "b": b"x = 2\n"})
    assert management.names() == ["b"]
    management.add({"a": b"x = 1\n", "b": b"x = 2\n"}, force=True)
    assert (sessions / "b.py").read_bytes() == b"x = 2\n"


def test_a_copy_is_the_same_to_the_byte(session, sessions):
    content = session("imaging", "# \r\n\tx = 'é'").read_bytes()
    management.copy("imaging", "optics")
    assert (sessions / "optics.py").read_bytes() == content
    assert management.names() == ["imaging", "optics"]


def test_a_session_gets_another_name(session, sessions):
    content = session("imaging", "x = 1\n").read_bytes()
    management.move("imaging", "optics")
    assert management.names() == ["optics"]
    assert (sessions / "optics.py").read_bytes() == content


@pytest.mark.parametrize("change", [management.copy, management.move])
def test_copying_and_moving_replace_nothing(session, change):
    session("imaging", "x = 1\n")
    path = session("optics", "x = 2\n")
    with pytest.raises(SessionError, match="optics exists already"):
        change("imaging", "optics")
    with pytest.raises(SessionError, match="imaging exists already"):
        change("imaging", "imaging")
    with pytest.raises(SessionError, match="there is no session nowhere"):
        change("nowhere", "new")
    assert path.read_text() == "x = 2\n"
    assert management.names() == ["imaging", "optics"]


def test_sessions_are_removed_all_or_none(session):
    for name in "abc":
        session(name, "")
    with pytest.raises(SessionError, match="there is no session x"):
        management.remove("a", "x")
    assert management.names() == ["a", "b", "c"]
    management.remove("a", "c", "a")
    assert management.names() == ["b"]


def test_a_write_that_fails_changes_nothing(session, sessions, monkeypatch):
    path = session("imaging", "mine = 1\n")

    def no_space(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(SessionError, match=r"cannot write .*imaging\.py: No space left on device"):
        management.create("imaging", force=True)
    assert path.read_text() == "mine = 1\n"
    assert files(sessions) == [".lock", "imaging.py"]


def test_the_usual_permissions_apply(sessions):
    before = os.umask(0o027)
    try:
        assert management.create("imaging").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


def test_a_place_that_cannot_be_is_explained(sessions):
    sessions.parent.mkdir()
    sessions.write_text("a file where the directory should be")
    with pytest.raises(SessionError, match=r"cannot change the sessions in .*concert: "):
        management.create("imaging")


# -- several processes ----------------------------------------------------------------------------------------------

ROUNDS = 25

COMPETITOR = """
import sys
from concert.session import management

me, others = sys.argv[1], 0
input()
for number in range({rounds}):
    try:
        {change}
        print(number, flush=False)
    except management.SessionError:
        pass
"""


def compete(change, *names):
    """Let processes, which are called *names*, do the same changes at the same time; return who did which of them."""
    code = COMPETITOR.format(rounds=ROUNDS, change=change)
    environment = os.environ | {"CONCERT_ENABLE_GEVENT": "0"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for name in names
    ]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    done = {name: process.communicate(timeout=20)[0].split() for name, process in zip(names, processes, strict=True)}
    assert not any(process.returncode for process in processes)
    return {name: {int(number) for number in numbers} for name, numbers in done.items()}


def test_of_two_that_create_a_session_one_succeeds(sessions):
    done = compete("management.add({f's{number}': me.encode()})", "a", "b")
    assert not done["a"] & done["b"]
    assert done["a"] | done["b"] == set(range(ROUNDS))
    for name, numbers in done.items():
        assert {(sessions / f"s{number}.py").read_text() for number in numbers} <= {name}
    assert len(files(sessions)) == ROUNDS + 1


def test_of_two_that_move_a_session_one_succeeds_and_nothing_is_lost(sessions):
    management.add({f"s{number}": str(number).encode() for number in range(ROUNDS)})
    done = compete("management.move(f's{number}', f'{me}{number}')", "a", "b")
    assert not done["a"] & done["b"]
    expected = {f"{name}{number}": str(number) for name, numbers in done.items() for number in numbers}
    assert len(expected) == ROUNDS
    assert {name: (sessions / f"{name}.py").read_text() for name in management.names()} == expected
