"""import, fetch and export."""

import zipfile

import pytest


@pytest.mark.parametrize("command", ["import", "fetch"])
def test_sessions_are_exported_and_imported(concert, session, sessions, tmp_path, command):
    session("imaging", "x = 1\n")
    session("optics", "x = 2\n")
    target = tmp_path / "deep" / "backup"
    target.parent.mkdir()
    assert concert("export", str(target)) == (0, f"{target}.zip\n", "")
    concert("rm", "imaging", "optics")
    assert concert(command, f"{target}.zip") == (0, "imported imaging, optics\n", "")
    assert (sessions / "optics.py").read_text() == "x = 2\n"


def test_what_exists_is_replaced_only_by_force(concert, session, sessions, tmp_path):
    path = session("imaging", "mine = 1\n")
    (tmp_path / "imaging.py").write_text("x = 1\n")
    (tmp_path / "optics.py").write_text("x = 2\n")
    sources = [str(tmp_path / "optics.py"), str(tmp_path / "imaging.py")]
    assert concert("import", *sources) == (1, "", f"Sorry, imaging exists already in {sessions}\n")
    assert path.read_text() == "mine = 1\n"
    assert not (sessions / "optics.py").exists()
    assert concert("import", "--force", *sources) == (0, "imported imaging, optics\n", "")
    assert path.read_text() == "x = 1\n"


@pytest.mark.parametrize("name", ["notes.txt", "my-scan.py", "ftp://example.org/imaging.py"])
def test_what_is_no_session_is_refused(concert, sessions, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    status, out, err = concert("import", name)
    assert (status, out) == (2, "")
    assert err.startswith("Sorry, ")
    assert err.count("\n") == 1
    assert not sessions.exists()


def test_an_archive_does_not_write_outside(concert, sessions, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("good.py", "")
        archive.writestr("../../evil.py", "")
    status, _, err = concert("import", str(tmp_path / "evil.zip"))
    assert status == 2
    assert "would be written outside the session directory" in err
    assert not sessions.exists()
    assert not list(tmp_path.rglob("evil.py"))


def test_a_repository_that_is_none_is_explained(concert, tmp_path):
    status, _, err = concert("import", "--repo", str(tmp_path / "nowhere"))
    assert status == 1
    assert err.startswith("Sorry, cannot clone ")


def test_nothing_to_export_is_a_failure(concert, sessions, tmp_path):
    assert concert("export", str(tmp_path / "backup")) == (1, "", f"Sorry, there are no sessions in {sessions}\n")
