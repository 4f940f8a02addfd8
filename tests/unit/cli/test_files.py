"""init, edit, show, mv, cp and rm."""

import sys

import pytest

BAD_NAMES = ["", "../x", "a/b", "class", "notes.txt"]


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize(
    "command", [["init"], ["init", "--force"], ["edit"], ["show"], ["rm", "imaging"], ["mv"], ["log"]]
)
def test_a_name_that_no_session_can_have_is_refused_with_a_sentence(concert, sessions, command, name):
    concert("init", "imaging")
    status, out, err = concert(*command, name, *(["new"] if command == ["mv"] else []))
    assert (status, out) == (2, "")
    assert err.startswith(f"Sorry, {name!r} cannot be the name of a session: ")
    assert err.count("\n") == 1
    assert sorted(each.name for each in sessions.iterdir()) == [".lock", "imaging.py"]


@pytest.mark.parametrize(
    "arguments", [["init", "-x"], ["init"], ["init", "a", "b"], ["mv", "a"], ["rm"], ["show", "--oops"]]
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(concert, sessions, arguments):
    status, out, err = concert(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("concert")
    assert err.endswith("--help\n")
    assert err.count("\n") == 1
    assert not sessions.exists()


def test_a_session_is_created_once(concert, sessions):
    assert concert("init", "imaging", "--imports", "numpy, os.path") == (0, f"{sessions}/imaging.py\n", "")
    text = (sessions / "imaging.py").read_text()
    assert "import numpy\nimport os.path\n" in text
    assert concert("init", "imaging") == (1, "", f"Sorry, imaging exists already in {sessions}\n")
    assert (sessions / "imaging.py").read_text() == text
    assert concert("init", "--force", "imaging")[0] == 0
    assert "numpy" not in (sessions / "imaging.py").read_text()


def test_a_module_to_import_that_is_none_is_refused(concert):
    status, _, err = concert("init", "imaging", "--imports", "os;x")
    assert status == 2
    assert err == "Sorry, expected a module to import, such as numpy or scipy.ndimage, not 'os;x'\n"


def test_show_tells_where_there_are_which_sessions(concert, session, sessions):
    assert concert("show") == (0, f"{sessions}: no sessions\n", "")
    session("optics", '"""The mirrors.\n\nTwo of them."""\nfrom concert.async import async\n')
    session("broken", "x = = 1\n")
    status, out, err = concert("show")
    assert (status, err) == (0, "")
    assert [line.rstrip() for line in out.splitlines()] == [
        str(sessions),
        "  session",
        "  broken   (not Python: invalid syntax (<unknown>, line 1))",
        "  optics   The mirrors.",
    ]


def test_show_runs_nothing(concert, session, tmp_path):
    session("imaging", f"open({str(tmp_path / 'evil')!r}, 'w')\n")
    assert concert("show")[0] == concert("show", "imaging")[0] == 0
    assert not (tmp_path / "evil").exists()


def test_show_says_when_there_are_sessions_elsewhere(concert, session, sessions, monkeypatch, tmp_path):
    session("imaging", "")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    assert concert("show")[1].splitlines() == [
        f"{tmp_path}/venv/share/concert: no sessions",
        f"There are also sessions in {sessions}, which is not used here: imaging",
    ]


def test_show_prints_a_session(concert, session):
    path = session("imaging", "from concert.async import async\n\nx = 'é'\n")
    assert concert("show", "imaging") == (0, f"{path}\n\nfrom concert.async import async\n\nx = 'é'\n", "")
    status, _, err = concert("show", "optics")
    assert status == 1
    assert err.startswith("Sorry, there is no session optics in ")


def test_sessions_are_copied_moved_and_removed(concert, session, sessions):
    session("a", "x = 1\n")
    assert concert("cp", "a", "b") == concert("mv", "a", "c") == (0, "", "")
    assert concert("mv", "b", "c") == (1, "", f"Sorry, c exists already in {sessions}\n")
    assert concert("cp", "a", "d")[0] == 1
    assert concert("rm", "b", "a") == (1, "", f"Sorry, there is no session a in {sessions}; there are b, c\n")
    assert concert("rm", "b", "c") == (0, "", "")
    assert concert("show") == (0, f"{sessions}: no sessions\n", "")


EDITOR = "import sys; open(sys.argv[-1], 'a').write(repr(sys.argv[1:-1])); sys.exit(len(sys.argv) - 3)"


def test_the_editor_gets_the_session_and_no_shell(concert, sessions, monkeypatch, tmp_path):
    script = tmp_path / "my editor.py"
    script.write_text(EDITOR)
    monkeypatch.setenv("EDITOR", f"{sys.executable} '{script}' ';touch$IFS{tmp_path}/evil'")
    assert concert("edit", "imaging") == (0, "", "")
    text = (sessions / "imaging.py").read_text()
    assert "prelude" in text
    assert text.endswith(f"[';touch$IFS{tmp_path}/evil']")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("editor", "complaint"),
    [
        ("/nowhere/ed", "cannot start the editor /nowhere/ed: "),
        ("ed 'x", "cannot start the editor ed 'x: No closing quotation"),
        (f"{sys.executable} -c 'raise SystemExit(3)'", "ended with status 3"),
    ],
)
def test_an_editor_that_fails_is_reported(concert, monkeypatch, editor, complaint):
    monkeypatch.setenv("EDITOR", editor)
    status, _, err = concert("edit", "imaging")
    assert status == 1
    assert complaint in err


def test_without_editor_it_is_vi(concert, monkeypatch, tmp_path, sessions):
    vi = tmp_path / "vi"
    vi.write_text(f"#!{sys.executable}\nimport sys\nprint(*sys.argv[1:], file=open({str(tmp_path / 'seen')!r}, 'w'))\n")
    vi.chmod(0o755)
    monkeypatch.setenv("EDITOR", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert concert("edit", "imaging")[0] == 0
    assert (tmp_path / "seen").read_text() == f"{sessions}/imaging.py\n"
