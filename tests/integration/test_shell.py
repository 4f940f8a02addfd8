"""The shell as its users have it: in a terminal, with keys pressed."""

import subprocess
import time

import pytest

from tests.terminal import CONCERT, PROMPT, SessionTerminal, Terminal, user

SESSION = '''
"""Tomography at the imaging station. Ask Jo before touching the slits."""
import time
from concert.session.prelude import *
from concert.async import async, tell_progress
from concert.devices.motors.dummy import LinearMotor
from concert.devices.photodiodes.dummy import PhotoDiode

stage = LinearMotor(speed=20 * q.mm / q.s)
stage["position"].lower, stage["position"].upper = 0 * q.mm, 40 * q.mm
diode = PhotoDiode(stage, 5 * q.mm, 2 * q.mm)
counters(diode)

def spin():
    while True:
        pass

moves = []

def move_now_and_then():
    for position in range(100):
        stage.position = position % 2 * 0.1 * q.mm
        moves.append(position)
        print(f"{'one'} move", flush=True)
        time.sleep(0.5)

@async
def move_later():
    time.sleep(0.5)
    moves.append(1)
    stage.position = 1 * q.mm

@async
def fail():
    raise RuntimeError("no light")

@async
def tell():
    tell_progress(0.5, "alignment")
    time.sleep(1.5)

@async
def clean_up_slowly():
    try:
        time.sleep(60)
    finally:
        time.sleep(0.5)
        print("cleaned" + " up")
'''


@pytest.fixture(scope="module")
def terminal(tmp_path_factory):
    terminal = SessionTerminal(tmp_path_factory.mktemp("session"), SESSION)
    terminal.see("Ctrl-C stops the command", PROMPT)
    yield terminal
    terminal.close()


def test_the_banner_shows_the_session_and_its_devices(tmp_path):
    terminal = SessionTerminal(tmp_path, SESSION)
    try:
        terminal.see(
            "session imaging · gevent",
            "Ask Jo",
            "stage",
            "standby",
            "position 0.000 mm",
            "[0, 40] mm",
            "diode",
            "Ctrl-C stops",
            PROMPT,
        )
        terminal.type("exit")
        assert terminal.program.wait(timeout=20) == 0
    finally:
        terminal.close()


def test_a_move_shows_where_things_are(terminal):
    terminal.answer("mv stage 0 mm")
    terminal.type("mv stage 12 mm")
    terminal.see("stage 0.000 → 12.000 mm", " left", "stage 0.000 → 12.000 mm  arrived (±1 µm)", PROMPT)
    assert "stage   12.000 mm  [0, 40] mm" in terminal.answer("wm stage")


def test_concerts_errors_are_a_line(terminal):
    shown = terminal.answer("stage.position = 50 * q.mm")
    assert "Sorry, stage.position 50 mm is outside its soft limits [0 mm, 40 mm]" in shown
    assert "Traceback" not in shown
    assert "SoftLimitError" in terminal.answer("%tb")


def test_other_errors_are_shown_as_python_does(terminal):
    assert "ZeroDivisionError" in terminal.answer("1 / 0")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ascan stge 0 mm 10 mm 4", "NameError: name 'stge' is not defined; did you mean stage"),
        ("asacn stage 0 mm 10 mm 4", "SyntaxError: invalid syntax; did you mean ascan instead of asacn"),
    ],
)
def test_what_is_mistyped_is_said_in_a_line(terminal, typed, said):
    shown = terminal.answer(typed)
    assert said in shown
    assert "Traceback" not in shown
    assert said.partition(":")[0] in terminal.answer("%tb")


def test_a_number_without_a_unit_is_refused(terminal):
    assert "Sorry, give a unit: mv stage 3 mm" in terminal.answer("mv stage 3")


def test_a_scan_is_typed_with_units(terminal):
    shown = terminal.answer("ascan stage 4 mm 6 mm 2 0.01 s")
    assert "ascan stage 4–6 mm, 3 points" in shown
    assert "diode / V" in shown


def test_the_documented_spelling_is_typed_in_several_lines(terminal):
    terminal.type("@async")
    terminal.type("def give():")
    terminal.type("return 'gi' + 'ven'")
    terminal.type("")
    terminal.see("imaging > ")
    assert "given" in terminal.answer("give().result()")


def test_what_was_typed_is_remembered_for_each_session(tmp_path):
    def told(session, *keys):
        (tmp_path / f"{session}.py").write_text("")
        terminal = Terminal([CONCERT, "start", "--filename", f"{session}.py"], tmp_path)
        try:
            terminal.see(f"{session} > ")
            for key in keys:
                terminal.process.send(key)
            terminal.type("print('that' + ' was all')")
            terminal.see("that was all")
            terminal.type("exit")
            terminal.program.wait(timeout=30)
            return terminal.process.before
        finally:
            terminal.close()

    told("imaging", "print('remem' + 'bered')\r")
    assert "remembered" in told("imaging", "\x1b[A", "\x1b[A", "\x1b[A", "\r")  # behind exit and what was all
    assert "remembered" not in told("optics", "\x1b[A", "\x1b[A", "\x1b[A", "\r")


def test_a_background_failure_is_shown_once(terminal):
    terminal.type("fail()")
    terminal.see("in the background fail failed: RuntimeError: no light", PROMPT)
    assert "no light" not in terminal.answer("1 + 1")


@pytest.fixture
def screen(tmp_path):
    """A terminal that is looked at as a person does."""
    terminal = SessionTerminal(tmp_path, SESSION, size=(30, 120), PROMPT_TOOLKIT_NO_CPR="0")
    terminal.show(PROMPT)
    yield terminal
    terminal.close()


def test_tracebacks_show_what_was_typed(screen):
    for line in ("@async", "def divide(x):", "return 1 / x", "", "divide(0).join()"):
        screen.type(line)
    shown = "\n".join(screen.show("      1 @async", "----> 3     return 1 / x", "ZeroDivisionError: division by zero"))
    assert "async_" not in shown  # neither how it is spelled behind the prompt, nor what runs it
    screen.type("%tb")
    screen.show("concert/async_/_future.py")


def test_what_runs_and_moves_in_the_background_is_in_the_toolbar(screen):
    screen.type("moving = stage.set_position(40 * q.mm), tell()")
    toolbar = screen.show("▸ alignment 50 %", " left   ▸ stage ", " mm → 40.000 mm  0:0")[-1]
    assert toolbar.startswith(" ▸ alignment 50 %  0:0")
    screen.hide("▸")
    screen.type("print('toolbar', get_ipython().pt_app.bottom_toolbar)")
    screen.show("toolbar None")


def test_a_scan_in_the_background_is_in_the_toolbar_and_an_emergency_stop_aborts_it(screen):
    screen.type("run = ascan(stage, 0 * q.mm, 1 * q.mm, 99, 0.1 * q.s, background=True)")
    screen.show("▸ scan 1 ascan ", " %", " left")
    screen.process.send("\x1c")
    screen.show("scan 1", "aborted", "2 of 2 devices stopped")
    screen.hide("▸")


@pytest.mark.parametrize("presses", [1, 3, 11])
@pytest.mark.parametrize("command", ["mv stage 40 mm", "stage.position = 40 * q.mm", "time.sleep(60)", "spin()"])
def test_ctrl_c_ends_the_command_and_leaves_a_prompt(terminal, command, presses):
    terminal.answer("mv stage 0 mm")
    terminal.type(f"print('begin' + 'ning'); {command}" if " stage " not in command else command)
    terminal.see("0.000 → 40.000 mm" if " stage " in command else "beginning")
    time.sleep(0.3)
    terminal.press(presses)
    terminal.see("Interrupted.", PROMPT)
    assert terminal.alive()
    assert "'standby'" in terminal.answer("stage.state")


def test_ctrl_c_says_what_it_stopped(terminal):
    terminal.answer("mv stage 0 mm")
    terminal.type("mv stage 40 mm")
    terminal.see("0.000 → 40.000 mm")
    time.sleep(0.3)
    terminal.press()
    terminal.see("Interrupted. stage stopped at ", PROMPT)


@pytest.mark.parametrize("presses", [1, 3, 11])
def test_ctrl_c_in_a_cleanup_leaves_a_prompt(terminal, presses):
    terminal.type("print('begin' + 'ning'); clean_up_slowly().join()")
    terminal.see("beginning")
    time.sleep(0.3)
    terminal.press()  # and now it cleans up
    time.sleep(0.1)
    terminal.press(presses)
    terminal.see("Interrupted.", PROMPT)
    assert terminal.alive()


def test_what_runs_in_the_background_outlives_ctrl_c(terminal):
    terminal.answer("mv stage 0 mm")
    terminal.answer("moving = stage.set_position(10 * q.mm)")
    terminal.press()
    terminal.type("print('begin' + 'ning'); time.sleep(60)")
    terminal.see("beginning")
    terminal.press()
    terminal.see("Interrupted.", PROMPT)
    assert "10.000" in terminal.answer("moving.join(); wm(stage)")


def test_a_second_ctrl_c_does_not_cut_a_cleanup_short(terminal):
    terminal.type("print('begin' + 'ning'); clean_up_slowly().join()")
    terminal.see("beginning")
    time.sleep(0.3)
    terminal.press(2, pause=0.1)
    terminal.see("cleaned up", "Interrupted.", PROMPT)
    assert terminal.alive()


def test_ctrl_c_at_the_prompt_clears_the_line(terminal):
    terminal.process.send("this is not what I mea")
    time.sleep(0.1)
    terminal.press()
    assert terminal.alive()


@pytest.mark.parametrize("command", ["mv stage 40 mm", "spin()"])
def test_ctrl_backslash_stops_every_device_while_a_command_runs(terminal, command):
    terminal.answer("mv stage 0 mm")
    terminal.answer("moving = stage.set_position(40 * q.mm)")
    terminal.type(command if " stage " not in command else "moving.join()")
    time.sleep(0.5)
    terminal.process.send("\x1c")
    terminal.see("stage", "stopped", "1 of 1 devices stopped in")
    terminal.press()
    assert terminal.alive()
    assert "standby" in terminal.answer("stage.state")


def test_an_emergency_stop_ends_the_command_that_would_move_on(terminal):
    terminal.answer("mv stage 0 mm")
    terminal.type("move_now_and_then()")
    terminal.see("one move")
    terminal.process.send("\x1c")
    terminal.see("1 of 1 devices stopped", "Interrupted.", PROMPT)
    assert "moves 1" in terminal.answer("time.sleep(1); print('moves', len(moves))")


def test_an_emergency_stop_ends_functions_in_the_background(terminal):
    terminal.answer("mv stage 0 mm; moves.clear()")
    terminal.answer("moving = move_later()")
    terminal.process.send("\x1c")
    terminal.see("move_later", "stopped", "cancelled", "2 of 2 devices stopped")
    assert "moves 0" in terminal.answer("time.sleep(1); print('moves', len(moves))")


def test_ctrl_backslash_works_at_the_prompt(terminal):
    terminal.answer("mv stage 0 mm")
    terminal.answer("moving = stage.set_position(40 * q.mm)")
    terminal.process.send("\x1c")
    terminal.see("1 of 1 devices stopped in")
    assert terminal.alive()


def test_every_command_is_in_the_log(terminal):
    terminal.answer("print('for the log')")
    log = (terminal.directory / "concert" / "concert.log").read_text()
    assert "typed: print('for the log')" in log


def test_a_session_that_fails_to_load_leaves_a_usable_shell(tmp_path):
    terminal = SessionTerminal(tmp_path, '"""Broken."""\n\nx = 41\nprint(1 / 0)\ny = 2')
    try:
        terminal.see("imaging.py", "line 4", "print(1 / 0)", "ZeroDivisionError", "before that", PROMPT)
        assert terminal.alive()
        assert "42" in terminal.answer("x + 1")
        assert "NameError" in terminal.answer("y")
    finally:
        terminal.close()


@pytest.mark.parametrize(("session", "status"), [("x = 1\n", 0), ("1 / 0\n", 1), ("x = = 1\n", 1)])
def test_without_a_prompt_the_exit_status_tells(tmp_path, session, status):
    file = tmp_path / "imaging.py"
    file.write_text(session)
    run = subprocess.run(
        [CONCERT, "start", "--filename", str(file), "--non-interactive"],
        env=user(tmp_path),
        capture_output=True,
        check=False,
    )
    assert run.returncode == status


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("mv sta\t", "imaging > mv stage"),
        ("mv stage.pos\t", "imaging > mv stage.position"),
        ("mv stage 3 u\t", "imaging > mv stage 3 um"),
        ("stage.position = 3 u\t", "imaging > stage.position = 3 um"),
        ("sta\t", "stash"),
        ("stage.posi\t", "imaging > stage.position"),
        ("q.millim\t", "imaging > q.millimeter"),
    ],
)
def test_tab_completes_devices_parameters_and_units(screen, typed, completed):
    screen.process.send(typed)
    screen.show(completed)
