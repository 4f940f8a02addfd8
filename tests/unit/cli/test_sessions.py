"""run, check and log: commands that load sessions, and what is left of it."""

from concert.session import checks

DEVICES = """
from concert.devices.dummy import DummyDevice
from concert.devices.motors.dummy import LinearMotor
from concert.quantities import q

stage = LinearMotor(position=12 * q.mm)
"""

DEAD = """
class Dead(LinearMotor):
    def _get_position(self):
        raise ConnectionError("no answer from 10.0.3.9:4002 within 2 s")

dead = Dead()
"""


def test_a_function_of_a_session_is_run(concert, session, tmp_path):
    path = session("imaging", "def hello():\n    print('hello')\n")
    assert concert("run", "imaging", "hello") == (0, "hello\n", "")
    assert concert("run", str(path), "hello") == (0, "hello\n", "")
    assert concert("run", "imaging") == (0, "", "")


def test_an_asynchronous_function_is_waited_for(concert, session):
    session("imaging", "from concert.async import async\n\n@async\ndef park():\n    print('parked')\n    1 / 0\n")
    status, out, err = concert("run", "imaging", "park")
    assert (status, out) == (1, "parked\n")
    assert err.endswith("line 6, in park\n    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero\n")
    assert "/cli/" not in err


def test_what_a_session_does_not_have_is_said(concert, session):
    session("imaging", "import os\n\ndef hello(): pass\n\ndef _hidden(): pass\n")
    for name in ("oops", "_hidden"):
        status, _, err = concert("run", "imaging", name)
        assert (status, err) == (1, f"Sorry, imaging has no function {name!r}; it has hello\n")
    assert concert("run", "optics")[0] == 1
    assert concert("run", "./optics.txt")[0] == 2


def test_a_session_that_fails_shows_its_own_lines(concert, session):
    path = session("imaging", "def f():\n    return {}['x']\n\nf()\n")
    assert concert("run", "imaging") == (
        1,
        "",
        f'Traceback (most recent call last):\n  File "{path}", line 4, in <module>\n    f()\n'
        f"  File \"{path}\", line 2, in f\n    return {{}}['x']\n           ~~^^^^^\nKeyError: 'x'\n",
    )


def test_a_session_with_wrong_syntax_shows_the_line_as_written(concert, session):
    path = session("imaging", "async = 1\nx = async async\n")
    assert concert("check", "imaging") == (
        1,
        "",
        f'  File "{path}", line 2\n    x = async async\n              ^^^^^\nSyntaxError: invalid syntax\n',
    )


def test_an_error_of_concert_is_a_sentence_and_a_place(concert, session):
    path = session("imaging", DEVICES + "stage['position'].upper = 20 * q.mm\nstage.position = 50 * q.mm\n")
    assert concert("run", "imaging") == (
        1,
        "",
        "Sorry, stage.position 50 mm is outside its soft limits [none, 20 mm]\n"
        f"  {path}, line 8: stage.position = 50 * q.mm\n",
    )
    assert "Traceback" in concert("--debug", "run", "imaging")[2]
    assert "Traceback" in concert("run", "imaging", "--debug")[2]


def test_what_fails_in_the_background_is_told(concert, session):
    session(
        "imaging",
        "from concert.async import async, wait\nimport time\n\n@async\ndef f(): 1 / 0\n\nf()\ntime.sleep(0)\n",
    )
    status, _, err = concert("run", "imaging")
    assert (status, err) == (1, "Sorry, in the background f failed: ZeroDivisionError: division by zero\n")
    assert "nobody asked for its result" in concert("log", "imaging")[1]


# -- check ----------------------------------------------------------------------------------------------------------


def test_check_reports_every_device(concert, session):
    session("optics", DEVICES)
    session("imaging", "from optics import stage, DummyDevice\nother = DummyDevice()\nother['value'].lower = None\n")
    status, out, err = concert("check", "imaging")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["device", "class", "state"],
        ["stage", "LinearMotor", "standby", "position", "12", "mm"],
        ["other", "DummyDevice", "standby", "value", "0", "mm"],
    ]


def test_check_fails_when_a_device_does_and_reports_the_others(concert, session):
    session("imaging", DEVICES + DEAD + "stage['position'].upper = 10 * q.mm\nfine = LinearMotor()\n")
    status, out, err = concert("check", "imaging")
    assert (status, err) == (1, "Sorry, something is wrong with stage, dead (2 of 3 devices)\n")
    assert "position: 12 mm is outside its soft limits" in out
    assert "position: ConnectionError: no answer from 10.0.3.9:4002 within 2 s" in out
    assert "fine    LinearMotor  standby  position 0 mm" in out


OFFLINE = """
class Gone(LinearMotor):
    def __init__(self):
        raise ConnectionError("no answer from 10.0.3.9:4002 within 2 s")

gone = Gone()
fine = LinearMotor()

def hello():
    print(fine.state)
"""


def test_a_device_that_cannot_be_made_is_told_and_keeps_nothing_else_back(concert, session):
    session("imaging", DEVICES + OFFLINE)
    told = "Sorry, gone is offline: no answer from 10.0.3.9:4002 within 2 s\n"
    assert concert("run", "imaging", "hello") == (0, "standby\n", told)
    status, out, err = concert("check", "imaging")
    assert (status, err) == (1, "Sorry, something is wrong with gone (1 of 3 devices)\n")
    assert "gone    Gone         offline  offline: no answer from 10.0.3.9:4002 within 2 s" in out
    assert concert("start", "imaging", "--non-interactive") == (
        1,
        "",
        f"{told}Sorry, imaging was loaded without gone\n",
    )


def test_check_does_not_wait_for_ever(concert, session, monkeypatch):
    monkeypatch.setattr(checks, "ANSWER_TIME", 0.05)
    slow = "    import time\n    def _get_position(self): self.time.sleep(60)\n"
    session("imaging", DEVICES + f"class Slow(LinearMotor):\n{slow}\none, two = Slow(), Slow()\n")
    status, out, _ = concert("check", "imaging")
    assert status == 1
    assert out.count("position: no answer within 0.05 s") == 2


def test_check_moves_nothing(concert, session):
    session(
        "imaging", DEVICES + "class Fixed(LinearMotor):\n    def _set_position(self, value): 1 / 0\n\nx = Fixed()\n"
    )
    assert concert("check", "imaging")[0] == 0


def test_a_session_without_devices_is_fine(concert, session):
    session("imaging", "")
    assert concert("check", "imaging") == (0, "imaging has no devices\n", "")


# -- log ------------------------------------------------------------------------------------------------------------


def test_the_audit_trail_tells_who_set_what(concert, session, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert concert("log", "--audit")[0] == 1
    session("imaging", DEVICES + "stage.position = 12.01 * q.mm\n")
    assert concert("run", "imaging")[0] == 0
    _, out, err = concert("log", "--audit", "imaging")
    assert (out.count("\n"), err) == (1, "")
    assert " imaging  stage.position ? → 12.01 mm  arrived" in out
    assert concert("log", "--audit", "optics") == (0, "", "")
    assert concert("log", "--audit", "../x")[0] == 2


def test_the_log_tells_what_happened_to_a_session(concert, session):
    session("imaging", "import logging\nlogging.getLogger('mine').info('hello')\n1 / 0\n")
    session("optics", "")
    assert concert("log")[0] == 1
    concert("run", "imaging")
    concert("check", "optics")
    lines = concert("log", "imaging")[1].splitlines()
    assert "imaging INFO concert.session: loading " in lines[0]
    assert lines[1].endswith(" imaging INFO mine: hello")
    assert lines[2].endswith(" imaging ERROR concert.session: run failed")
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert concert("log")[1].splitlines()[:-1] == lines
