"""concert server and concert connect: a session that survives a lost connection, in a real tmux."""

import os
import re
import shutil
import subprocess

import pytest

from tests.terminal import CONCERT, PROMPT, Terminal, user

SESSION = "from concert.session.prelude import *\nx = 41\n"

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def home(tmp_path):
    """The place of a user who has a session, and a tmux of their own, which is ended afterwards."""
    (tmp_path / "concert").mkdir()
    (tmp_path / "concert" / "imaging.py").write_text(SESSION)
    yield tmp_path
    if shutil.which("tmux"):
        subprocess.run(["tmux", "-L", "concert", "kill-server"], env=environment(tmp_path), capture_output=True)


def environment(home, **variables):
    mine = user(home, TMUX_TMPDIR=str(home), PROMPT_TOOLKIT_NO_CPR="0", **variables)
    mine.pop("TMUX", None)
    return mine


def concert(home, *arguments, **variables):
    done = subprocess.run(
        [CONCERT, *arguments],
        env=environment(home, **variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def connect(home, *arguments):
    return Terminal([CONCERT, "connect", *arguments], home, TMUX_TMPDIR=str(home), PROMPT_TOOLKIT_NO_CPR="0")


@needs_tmux
def test_a_session_survives_its_terminal(home):
    assert concert(home, "server", "imaging") == (
        0,
        "imaging is running; see it with: concert connect localhost imaging\n",
        "",
    )
    first = connect(home, "localhost", "imaging")
    first.see("session imaging", PROMPT)
    first.type("x = x + 1; print('nothing' + ' lost')")
    first.see("nothing lost")
    first.close()  # as when the connection is lost

    second = connect(home, "localhost")
    second.see("nothing lost", PROMPT)
    second.type("print('it is', x)")
    second.see("it is 42")
    second.process.send("\x02d")
    second.see("detached")
    assert second.program.wait(timeout=30) == 0
    second.close()

    status, _, complaint = concert(home, "server", "imaging")
    assert (status, complaint) == (
        1,
        "Sorry, imaging is running already; see it with: concert connect localhost imaging\n",
    )
    third = connect(home, "localhost", "imaging")
    third.see(PROMPT)
    third.type("exit")
    third.see("exited")
    third.close()
    assert concert(home, "connect", "localhost", "imaging")[0] == 1


@needs_tmux
def test_it_is_reached_by_the_emergency_stop(home):
    concert(home, "server", "imaging")
    status, shown, _ = concert(home, "stop", "imaging")
    assert status == 0
    assert re.match(r"imaging \(process \d+\)\nthere is no device to stop\n", shown)


@needs_tmux
def test_what_is_not_there_is_said(home):
    assert concert(home, "connect", "localhost")[2] == (
        "Sorry, no session is kept here; start one with: concert server NAME\n"
    )
    assert "there is no session optics" in concert(home, "server", "optics")[2]
    concert(home, "server", "imaging")
    assert concert(home, "connect", "localhost", "optics") == (
        1,
        "",
        "Sorry, no session optics is kept here; there are imaging\n",
    )


def test_without_tmux_it_says_so(home):
    status, _, complaint = concert(home, "server", "imaging", PATH="/nowhere")
    assert status == 1
    assert complaint == "Sorry, tmux is not installed; it is what keeps a session running without a terminal\n"


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "a b", "$(touch x)", "a;b", ""])
def test_what_is_no_host_never_reaches_ssh(home, host):
    assert "cannot be the name of a host" in concert(home, "connect", "--", host, "imaging")[2]


@pytest.mark.parametrize("name", ["../x", "a b", "-x", "a;b"])
def test_what_is_no_session_is_refused(home, name):
    assert concert(home, "connect", "--", "localhost", name)[0] == 2
    assert concert(home, "server", "--", name)[0] == 2


def test_another_host_is_reached_with_ssh(home):
    """The program that is called ssh here shows what it was asked to do, argument by argument."""
    (home / "bin").mkdir()
    ssh = home / "bin" / "ssh"
    ssh.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    ssh.chmod(0o755)
    path = f"{home / 'bin'}:{os.environ['PATH']}"
    assert concert(home, "connect", "jo@cave.example.org", "imaging", PATH=path) == (
        0,
        "-t|--|jo@cave.example.org|tmux -L concert attach-session '-t' '=imaging'|",
        "",
    )
