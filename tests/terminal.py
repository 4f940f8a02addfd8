"""A terminal, real to the program in it, and a person in front of it."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

pexpect = pytest.importorskip("pexpect")
fdpexpect = pytest.importorskip("pexpect.fdpexpect")
pyte = pytest.importorskip("pyte")

CONCERT = str(Path(sys.executable).with_name("concert"))
PROMPT = "imaging > "


def user(directory, **variables):
    """Return the environment of a user who has everything in *directory*, and no virtual environment."""
    environment = os.environ | {
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "IPYTHONDIR": str(directory / "ipython"),
        "XDG_DATA_HOME": str(directory),
        "XDG_STATE_HOME": str(directory),
        "HOME": str(directory),
        **variables,
    }
    environment.pop("VIRTUAL_ENV", None)
    return environment


class Terminal:
    """A program in a terminal: *arguments* is its command line, *directory* where its user's things are."""

    def __init__(self, arguments, directory, size=(50, 120), **variables):
        # Not pexpect's own way to start a process, which forks, and goes on in Python, in a process full of greenlets.
        self._keyboard, screen = os.openpty()
        termios.tcsetwinsize(screen, size)
        self.screen_settings = termios.tcgetattr(screen)
        self.program = subprocess.Popen(
            arguments,
            env=user(directory, **variables),
            cwd=directory,
            stdin=screen,
            stdout=screen,
            stderr=screen,
            preexec_fn=lambda: os.login_tty(0),
        )
        os.close(screen)
        self.process = fdpexpect.fdspawn(self._keyboard, encoding="utf-8", timeout=30)
        self.directory = directory
        rows, columns = size
        self.screen = pyte.Screen(columns, rows)
        self.screen.write_process_input = self.process.send
        self._stream = pyte.Stream(self.screen)

    def settings(self):
        """Return the terminal's settings: how it treats what is typed."""
        return termios.tcgetattr(self._keyboard)

    def type(self, text):
        """Type a line and Enter."""
        self.process.send(text + "\r")

    def see(self, *texts):
        """Wait until the texts appear, one after the other."""
        for text in texts:
            self.process.expect_exact(text)

    def show(self, *texts, timeout=30):
        """Wait until the screen, as a person sees it, shows all of the texts, and return its lines.

        This terminal answers what programs ask it. What was shown is not there for :meth:`see` any more.
        """
        deadline = time.monotonic() + timeout
        while not all(text in "\n".join(self.screen.display) for text in texts):
            assert time.monotonic() < deadline, "\n".join(line.rstrip() for line in self.screen.display)
            self.look()
        return [line.rstrip() for line in self.screen.display]

    def hide(self, text, timeout=30):
        """Wait until the screen does not show the text any more."""
        deadline = time.monotonic() + timeout
        while text in "\n".join(self.screen.display):
            assert time.monotonic() < deadline, "\n".join(line.rstrip() for line in self.screen.display)
            self.look()

    def look(self):
        """Let the screen show what has come meanwhile."""
        try:
            self._stream.feed(self.process.read_nonblocking(65536, timeout=0.1))
        except pexpect.TIMEOUT:
            pass

    def press(self, times=1, pause=0.02):
        """Press Ctrl-C."""
        for _ in range(times):
            self.process.send("\x03")
            time.sleep(pause)

    def close(self):
        self.program.kill()
        self.program.wait()
        self.process.close()


class SessionTerminal(Terminal):
    """A terminal with the prompt of the session imaging, whose text is *session*."""

    def __init__(self, directory, session, size=(50, 120), **variables):
        file = directory / "imaging.py"
        file.write_text(session)
        super().__init__([CONCERT, "start", "--filename", str(file)], directory, size, **variables)

    def answer(self, text):
        """Type a line and return what is shown until the next prompt."""
        self.type(text)
        self.type("print('that' + ' was all')")
        self.process.expect_exact("that was all")
        shown = self.process.before
        self.see(PROMPT)
        return shown

    def alive(self):
        """Tell whether the prompt still works."""
        return "4242" in self.answer("print(2121 * 2)")
