"""How long it takes until somebody can type: a session, against plain IPython; whole processes in terminals."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks._measure import Comparison

SESSION = """
from concert.session.prelude import *
from concert.devices.motors.dummy import LinearMotor
from concert.devices.photodiodes.dummy import PhotoDiode

stage = LinearMotor()
diode = PhotoDiode(stage, 5 * q.mm, 2 * q.mm)
"""

PATIENCE = 60.0  # seconds


def prompts() -> list[Comparison]:
    """From the start of the process to the prompt."""
    scripts = Path(sys.executable).parent

    def session() -> float:
        with tempfile.TemporaryDirectory() as home:
            (Path(home) / "imaging.py").write_text(SESSION)
            return _until_prompt([str(scripts / "concert"), "start", "--filename", "imaging.py"], home, b"imaging > ")

    def plain() -> float:
        with tempfile.TemporaryDirectory() as home:
            return 1.5 * _until_prompt([str(scripts / "ipython"), "--no-banner"], home, b"In [") + 0.5

    return [Comparison("prompt of a session", session, "1.5 × plain ipython + 0.5 s", plain, 1.0)]


def _until_prompt(arguments: Sequence[str], home: str, prompt: bytes) -> float:
    """Return the seconds until the program shows its prompt, and end it."""
    environment = os.environ | {"HOME": home, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
    environment |= dict.fromkeys(("IPYTHONDIR", "XDG_DATA_HOME", "XDG_STATE_HOME"), home)
    environment.pop("VIRTUAL_ENV", None)
    keyboard, screen = pty.openpty()
    began = time.perf_counter()
    process = subprocess.Popen(
        arguments, env=environment, cwd=home, stdin=screen, stdout=screen, stderr=screen, start_new_session=True
    )
    os.close(screen)
    try:
        shown = b""
        while prompt not in shown:
            if not select.select([keyboard], [], [], PATIENCE)[0]:
                raise TimeoutError(f"{arguments[0]} has shown no prompt, but {shown.decode(errors='replace')}")
            shown += os.read(keyboard, 65536)
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        os.close(keyboard)
