"""The ready sessions: each is fit for use, and its last function runs without anybody at the keyboard."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from concert.quantities import q
from concert.storage import Catalogue
from tests.terminal import CONCERT, user

SESSIONS = sorted((Path(__file__).parent.parent.parent / "sessions").glob("*.py"))


def concert(home, *arguments):
    done = subprocess.run(
        [CONCERT, *arguments], env=user(home), cwd=home, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout, done.stderr


def functions(session):
    return [node.name for node in ast.parse(session.read_text()).body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.stem)
def test_it_is_fit_for_use(session, tmp_path):
    status, shown, complaint = concert(tmp_path, "check", str(session))
    assert (status, complaint) == (0, "")
    assert shown


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.stem)
def test_its_last_function_runs_unattended(session, tmp_path):
    status, shown, complaint = concert(tmp_path, "run", str(session), functions(session)[-1])
    assert (status, complaint) == (0, "")
    assert shown


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.stem)
def test_it_says_what_it_is_for(session):
    assert ast.get_docstring(ast.parse(session.read_text()))


def test_an_interlock_holds_a_scan_until_the_shutter_is_open(tmp_path):
    _, shown, _ = concert(tmp_path, "run", str(SESSIONS[0].with_name("shutter.py")), "interrupted")
    assert "paused" in shown
    assert "peak 1 V at 5" in shown


def test_interlocks_let_a_scan_wait_for_the_beam(tmp_path):
    session, data = SESSIONS[0].with_name("interlocks.py"), tmp_path / "data"
    _, shown, _ = concert(tmp_path, "run", str(session), "measure", "--data", str(data))
    assert shown.startswith("Interlock beam: ")
    assert "Paused: ring.current is 0 mA, wanted > 80 mA" in shown
    assert "Going on." in shown
    scan = Catalogue(data).last
    assert (scan.status, scan.points) == ("done", 21)
    assert set(scan.data["ring"].m_as(q.mA)) == {100.0}


def test_a_reflection_is_found_mapped_and_left_again(tmp_path):
    session, data = SESSIONS[0].with_name("scans.py"), tmp_path / "data"
    status, shown, _ = concert(tmp_path, "run", str(session), "tour", "--data", str(data))
    assert status == 0
    assert re.search(r"^bragg +position +0 deg +11\.00\d+ deg +\+11\.00\d+ deg$", shown, re.MULTILINE)
    assert "Undo goto cen: bragg 11.001 → " in shown
    catalogue = Catalogue(data)
    assert [(scan.kind, scan.status, scan.points) for scan in catalogue] == [
        ("ascan", "done", 21),
        ("dscan", "done", 25),
        ("dmesh", "done", 39),
    ]
    assert catalogue[2].data.cen.m_as(q.deg) == pytest.approx(11.0013, abs=1e-3)
    assert [scan.path.with_suffix(".png").is_file() for scan in catalogue] == [True] * 3
