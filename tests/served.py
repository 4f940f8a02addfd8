"""Processes for tests of Tango: a database, served sessions and clients, each a process of its own.

What a process says, line by line, is what a test waits for; nobody sleeps.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from time import monotonic

from concert.async_ import async_

COMMAND = str(Path(sys.executable).with_name("concert"))
PATIENCE = 60  # seconds to wait for what must happen; only failing tests wait that long

CLIENT = """
import signal, sys, time, traceback
import tango
from concert.async_ import async_, resolve, threaded, wait
from concert.base import *
from concert.quantities import q

def say(*words, end="\\n"):
    print(*words, end=end, flush=True)

def go():
    "Wait for the test to say so."
    threaded(sys.stdin.readline)().join()

def error(function, *arguments):
    "Return what goes wrong as text."
    try:
        return f"no error but {function(*arguments)!r}"
    except tango.DevFailed as failure:
        return failure.args[0].desc
    except Exception as failure:
        return f"{type(failure).__name__}: {failure}"

def until(condition):
    while not condition():
        time.sleep(0.01)

def interpret(names):
    "Run texts of code, each in the names there are now, until there are no more."
    while (length := sys.stdin.readline()):
        try:
            exec(sys.stdin.read(int(length)), dict(names))
        except BaseException:
            traceback.print_exc(file=sys.stdout)
        say("<done>")
"""


class Process:
    """A process that is talked to line by line, and killed at the end of a ``with`` statement if it still runs."""

    def __init__(self, arguments, environment, directory):
        self._process = subprocess.Popen(
            arguments,
            env=environment,
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = []

    @property
    def pid(self):
        return self._process.pid

    def line(self):
        """Return the next line that the process says; fail if it has ended, or says nothing."""
        line = async_(self._process.stdout.readline)().result(PATIENCE)
        self.said.append(line.rstrip("\n"))
        assert line, f"it has ended: {self.said}"
        return self.said[-1]

    def expect(self, pattern):
        """Read lines until one matches the pattern, and return the match."""
        while True:
            match = re.search(pattern, self.line())
            if match:
                return match

    def go(self):
        """Let a client go on that waits."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def run(self, code):
        """Let an interpreter, see :meth:`Beamline.interpreter`, run the code; return the lines that it says."""
        code = textwrap.dedent(code)
        self._process.stdin.write(f"{len(code)}\n{code}")
        self._process.stdin.flush()
        said = []
        while (line := self.line()) != "<done>":
            said.append(line)
        return said

    def send(self, number):
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self):
        """Wait for the end and return the exit status and what was said since the last line."""
        out, _ = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, out

    def kill(self):
        """End it in the way that leaves it no time for anything."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
        self._process.kill()
        self._process.communicate()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()


class Beamline:
    """Starts processes in a home of its own, the directory *home*, and ends them in :meth:`close`."""

    def __init__(self, home):
        self.home = Path(home)
        own = {"HOME": str(home), "XDG_DATA_HOME": str(self.home / "data"), "XDG_STATE_HOME": str(self.home / "state")}
        foreign = ("VIRTUAL_ENV", "TANGO_HOST", "CONCERT_DATA")
        self.environment = {key: value for key, value in os.environ.items() if key not in foreign} | own
        self._processes = []
        self.database = None

    def concert(self, *arguments):
        """Run the command and return its exit status, its output and its complaints."""
        done = subprocess.run(
            [COMMAND, *arguments], env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        return done.returncode, done.stdout, done.stderr

    def start_database(self):
        """Start the embedded database and return its address."""
        status, out, err = self.concert("tango", "start")
        assert status == 0, err
        self.database = re.search(r"TANGO_HOST=(\S+)", out)[1]
        return self.database

    def session(self, name, text):
        """Write a session."""
        directory = self.home / "data" / "concert"
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{name}.py"
        path.write_text("from concert.session.prelude import *\n" + textwrap.dedent(text))
        return path

    def process(self, arguments, **environment):
        """Start a process."""
        process = Process(arguments, self.environment | environment, self.home)
        self._processes.append(process)
        return process

    def serve(self, session, *options, **environment):
        """Serve a session; return the process, whose ``names`` are the Tango names by those of the devices."""
        server = self.process([COMMAND, "serve", session, *options], **environment)
        server.port = int(server.expect(r"^listening on \S+:(\d+)")[1])
        server.names = {line.rpartition("/")[2].partition("#")[0]: line for line in server.said if "tango://" in line}
        return server

    def client(self, code, *arguments, **environment):
        """Start a client, whose code is *code*; it finds *arguments* in ``sys.argv``."""
        text = CLIENT + textwrap.dedent(code)
        return self.process([sys.executable, "-c", text, *map(str, arguments)], **environment)

    def interpreter(self, code, *arguments):
        """Start a client that runs *code*, and then what it is told, :meth:`Process.run`, one after the other."""
        return self.client(code + "\ninterpret(globals())", *arguments)

    def close(self):
        """End everything."""
        for process in self._processes:
            process.kill()
        if self.database is not None:
            self.concert("tango", "stop")


@contextlib.contextmanager
def beamline(home):
    """Give a :class:`Beamline` for the time of the block."""
    made = Beamline(home)
    try:
        yield made
    finally:
        made.close()


def seconds_until(condition, since):
    """Return how many seconds after *since* the condition, a function, came true."""
    while not condition():
        assert monotonic() - since < PATIENCE
    return monotonic() - since
