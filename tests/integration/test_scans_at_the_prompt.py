"""Scans as their users have them: typed at the prompt of a real terminal, watched, paused and stopped, and undone."""

import re
import subprocess
import time

import pytest

from concert.storage import Catalogue
from tests.terminal import CONCERT, PROMPT, SessionTerminal, user

SESSION = '''
"""A stage in front of a diode."""
from concert.session.prelude import *
from concert.processes import Hooks, active_runs
from concert.devices.motors.dummy import LinearMotor
from concert.devices.photodiodes.dummy import PhotoDiode

data_directory = __file__.rpartition("/")[0] + "/data"

stage = LinearMotor(speed=200 * q.mm / q.s)
stage["position"].lower, stage["position"].upper = 0 * q.mm, 40 * q.mm
lift = LinearMotor(speed=200 * q.mm / q.s)
diode = PhotoDiode(stage, 5 * q.mm, 2 * q.mm)
counters(diode)

def pause_at_once():
    active_runs()[-1].pause("no beam")

def broken_light():
    raise RuntimeError("no light")

def speak():
    print("the sample", end=" ")
    print("is there")
'''

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    terminal = SessionTerminal(tmp_path_factory.mktemp("session"), SESSION, DISPLAY="", WAYLAND_DISPLAY="")
    terminal.see("Ctrl-C stops the command", PROMPT)
    yield terminal
    terminal.close()


@pytest.fixture(autouse=True)
def back(terminal):
    """No scan is left running, and every test begins where it knows."""
    terminal.answer("mv stage 0 mm lift 0 mm")
    yield
    terminal.answer("for run in active_runs(): run.abort()")


def plain(shown):
    """Return what was shown without colours and other terminal controls."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n")


def test_a_scan_says_what_it_does_what_it_reads_and_what_it_found(terminal):
    shown = plain(terminal.answer("ascan stage 0 mm 10 mm 20 0.01 s"))
    assert re.search(r"Scan \d+  ascan stage 0–10 mm, 21 points, 0\.01 s", shown)
    assert re.search(r"^ +# +stage / mm +diode / V$", shown, re.MULTILINE)
    assert re.search(r"^ +20 +10\.000 +2\.98e-08$", shown, re.MULTILINE)
    assert re.search(
        r"Scan \d+ done in [\d.]+ s · peak 1 V at 5\.000 mm · cen 5\.000 mm · fwhm 2 mm · "
        r"data/scan_\d+\.h5, scan_\d+\.png",
        shown,
    )
    assert "<ScanData" not in shown


def test_results_are_asked_for_by_their_names(terminal):
    terminal.answer("ascan stage 0 mm 10 mm 20")
    assert "(5 mm, 1 V)" in plain(terminal.answer("peak"))
    assert re.search(r"^ *5 mm$", plain(terminal.answer("cen")), re.MULTILINE)
    assert "2 mm" in plain(terminal.answer("fwhm"))


def test_one_goes_to_the_centre_and_back(terminal):
    terminal.answer("ascan stage 0 mm 10 mm 20")
    assert re.search(r"stage 10\.0+ → 5\.0+ mm", plain(terminal.answer("goto_cen")))
    assert "5.0" in plain(terminal.answer("wm stage"))
    assert re.search(r"Undo goto_cen: stage 5\.0+ → 10\.0+ mm", plain(terminal.answer("undo")))
    assert re.search(r"Undo ascan stage 0 mm 10 mm 20: stage 10\.0+ → 0\.0+ mm", plain(terminal.answer("undo")))
    assert re.search(r"Redo ascan", plain(terminal.answer("redo")))


def test_a_scan_that_is_asked_for_by_its_name_is_shown(terminal):
    assert "<ScanData" not in plain(terminal.answer("ascan stage 0 mm 10 mm 4"))
    assert "<ScanData ascan stage 0–10 mm, 5 points" in plain(terminal.answer("measured"))
    terminal.answer("s = loopscan(2, background=True)")
    assert "<ScanData loopscan, 2 points" in plain(terminal.answer("s.result()"))
    assert re.search(r"<scan \d+ \(loopscan.*\): done>", plain(terminal.answer("s")))


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        ("dscan stage 0 mm 1 mm 2", 3),
        ("a2scan stage 0 mm 1 mm lift 0 mm 2 mm 4", 5),
        ("d2scan stage 0 mm 1 mm lift 0 mm 2 mm 4", 5),
        ("mesh lift 0 mm 1 mm 2 stage 0 mm 1 mm 3", 12),
        ("mesh lift 0 mm 1 mm 2 stage 0 mm 1 mm 3 snake=True", 12),
        ("listscan stage [1,2,5]*q.mm", 3),
        ("listscan stage [1, 2, 5] mm", 3),
        ("timescan 0.01 s 4", 4),
        ("loopscan 5", 5),
        ("loopscan 5 --gather", 5),
    ],
)
def test_every_kind_of_scan_is_typed_without_parentheses(terminal, typed, points):
    shown = plain(terminal.answer(typed))
    assert re.search(r"Scan \d+ done in", shown), shown
    assert len(re.findall(r"^ +\d+ +[-\d.e]+ ", shown, re.MULTILINE)) == points, shown


def test_a_dry_run_moves_nothing(terminal):
    shown = plain(terminal.answer("ascan stage -1 mm 10 mm 20 0.1 s --dry-run"))
    assert "soft limit" in shown
    assert "nothing was moved" in shown


def test_a_scan_in_the_background_is_told_about_and_keeps_its_motors(terminal):
    terminal.answer("s = mesh(lift, 0 * q.mm, 5 * q.mm, 50, stage, 0 * q.mm, 10 * q.mm, 40, background=True)")
    time.sleep(0.3)
    shown = plain(terminal.answer("mv stage 1 mm"))
    assert re.search(
        r"Sorry, stage\.position is held by scan \d+ \(mesh, \d+/2091, .* left\); wait, pause or stop", shown
    )
    assert "pauses before its next point" in plain(terminal.answer("pause"))
    terminal.answer("import time; time.sleep(0.2)")
    assert "held by" not in plain(terminal.answer("mv stage 1 mm"))
    assert re.search(r"scan \d+ goes on", plain(terminal.answer("resume")))
    shown = plain(terminal.answer("stop"))
    assert re.search(r"Scan \d+ stopped after \d+ of 2091 points and .* · data/scan_\d+\.h5, scan_\d+\.png", shown)


def test_the_end_of_a_scan_in_the_background_is_shown_before_the_next_prompt(terminal):
    terminal.answer("ascan stage 0 mm 1 mm 5 --background")
    terminal.answer("import time; time.sleep(1)")
    shown = plain(terminal.answer("1 + 1"))
    assert len(re.findall(r"Scan \d+ done in", shown)) <= 1
    assert plain(terminal.answer("1 + 1")).count("Scan") == 0


def test_of_two_scans_one_has_to_be_named(terminal):
    terminal.answer("a = timescan(0.05 * q.s, background=True)")
    terminal.answer("b = timescan(0.05 * q.s, background=True)")
    shown = plain(terminal.answer("abort"))
    numbers = re.search(r"2 scans are running, scan (\d+) .*, scan (\d+) .*; say which: abort\((\d+)\)", shown)
    assert numbers, shown
    assert f"Scan {numbers[1]} aborted" in plain(terminal.answer(f"abort {numbers[1]}"))
    assert f"Scan {numbers[2]} aborted" in plain(terminal.answer("abort b"))
    assert "Sorry, no scan is running" in plain(terminal.answer("abort"))


def test_ctrl_c_ends_a_scan_and_says_what_is_kept(terminal):
    terminal.type("ascan stage 0 mm 10 mm 100 0.1 s")
    terminal.see("0.100")
    terminal.press()
    terminal.see("aborted after ", " of 101 points", "scan_", ".h5", "Interrupted.", PROMPT)
    assert terminal.alive()
    assert "Traceback" not in plain(terminal.answer("1 + 1"))


def test_a_failure_is_a_line_and_what_there_is_is_kept(terminal):
    shown = plain(terminal.answer("ascan stage 0 mm 10 mm 20 read=broken_light"))
    assert re.search(r"Scan \d+ failed after 0 of 21 points", shown)
    assert "no light" in shown


def test_what_has_changed_is_a_table(terminal):
    terminal.answer("ascan stage 0 mm 10 mm 2")
    shown = plain(terminal.answer("diff"))
    assert re.search(r"^device +parameter +before scan \d+ +after scan \d+ +difference", shown, re.MULTILINE)
    assert re.search(r"^stage +position +0 mm +10 mm +\+10 mm", shown, re.MULTILINE)
    assert re.search(r"^stage +position +10 mm", plain(terminal.answer("snapshot")), re.MULTILINE)


def test_every_stored_scan_has_its_picture_when_the_session_has_ended(tmp_path):
    terminal = SessionTerminal(tmp_path, SESSION, DISPLAY="", WAYLAND_DISPLAY="")
    try:
        terminal.see("Ctrl-C stops the command", PROMPT)
        terminal.answer("ascan stage 0 mm 10 mm 20")
        terminal.answer("m = mesh(lift, 0 * q.mm, 1 * q.mm, 3, stage, 0 * q.mm, 10 * q.mm, 500, background=True)")
        terminal.answer("import time; time.sleep(1)")
        terminal.type("exit")
        assert terminal.program.wait(timeout=60) == 0
    finally:
        terminal.close()
    pictures = sorted(path.name for path in (tmp_path / "data").glob("*.png"))
    assert pictures == ["scan_0001.png", "scan_0002.png"]
    assert all(path.read_bytes().startswith(PNG) for path in (tmp_path / "data").glob("*.png"))


def test_a_narrow_terminal_shows_what_fits(tmp_path):
    terminal = SessionTerminal(tmp_path, SESSION, size=(24, 40), DISPLAY="", WAYLAND_DISPLAY="")
    try:
        terminal.see("stage")
        terminal.show(PROMPT)
        terminal.type("a2scan stage 0 mm 1 mm lift 0 mm 1 mm 4")
        lines = terminal.show("Scan 1 done in", PROMPT)
        table = [line for line in lines if re.match(r" +\d |   #", line)]
        assert len(table) == 6
        assert all(line.endswith("…") for line in table)
    finally:
        terminal.close()


def test_of_a_failing_hook_its_own_lines_are_shown_and_not_those_of_the_scan(terminal):
    shown = plain(terminal.answer("ascan stage 0 mm 10 mm 4 hooks=Hooks(before_point=[broken_light])"))
    assert 'raise RuntimeError("no light")' in shown
    assert re.search(r"in scan \d+ \(ascan, 0/5\)", shown)
    assert "_execution.py" not in shown
    assert "_execution.py" in plain(terminal.answer("%tb"))


def test_a_failing_cleanup_is_a_line(terminal):
    shown = plain(terminal.answer("ascan stage 0 mm 10 mm 4 hooks=Hooks(cleanup=[broken_light])"))
    assert re.search(r"Scan \d+ failed after 5 of 5 points", shown)
    assert re.search(
        r"Sorry, scan \d+ has all its points, but the cleanup hook broken_light failed: RuntimeError: no light", shown
    )


def test_what_goes_wrong_with_the_cleanup_of_an_interrupted_scan_is_told(terminal):
    terminal.type("dscan stage 0 mm 10 mm 100 0.1 s hooks=Hooks(cleanup=[broken_light])")
    terminal.see("0.100")
    terminal.press()
    terminal.see(
        "stops, goes back, cleans up", "aborted after ", "hook broken_light failed: RuntimeError: no light", PROMPT
    )


def test_what_hooks_print_is_above_the_bar(tmp_path):
    terminal = SessionTerminal(tmp_path, SESSION, DISPLAY="", WAYLAND_DISPLAY="")
    try:
        terminal.see("Ctrl-C stops the command")
        terminal.show(PROMPT)
        terminal.type("ascan stage 0 mm 10 mm 2 hooks=Hooks(after_point=[speak])")
        lines = terminal.show("Scan 1 done in", PROMPT)
        assert lines.count("the sample is there") == 3
        assert not [line for line in lines if "points/s" in line]
    finally:
        terminal.close()


def test_a_pause_says_why_and_ctrl_c_ends_it(terminal):
    terminal.type("timescan 0.05 s hooks=Hooks(before_point=[pause_at_once])")
    terminal.see("Paused: no beam")
    terminal.press()
    terminal.see("Scan ", " aborted after ", "Interrupted.", PROMPT)
    assert terminal.alive()


def test_a_scan_whose_output_nobody_reads_any_more_goes_on(tmp_path):
    session = tmp_path / "imaging.py"
    session.write_text(SESSION)
    line = f"'{CONCERT}' scan --data '{tmp_path}/data' '{session}' ascan stage 0 mm 10 mm 20 0.05 s | head -2"
    shown = subprocess.run(
        ["bash", "-c", line], env=user(tmp_path), capture_output=True, text=True, timeout=60, check=True
    )
    assert len(shown.stdout.splitlines()) == 2
    assert shown.stderr == ""
    scan = Catalogue(tmp_path / "data").last
    assert (scan.status, scan.points) == ("done", 21)
    assert scan.path.with_suffix(".png").read_bytes().startswith(PNG)
