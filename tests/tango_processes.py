"""Starting what tests of Tango need, each in a process of its own on a free port of the loopback interface."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from tests.servers import unused_port

ROOT = Path(__file__).parent.parent
TANGO_TEST = shutil.which("TangoTest", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/lib/tango"]))
PATIENCE = 60  # seconds to wait for what must happen; only failing tests wait that long


class Freezable:
    """What runs as a process that can be frozen."""

    _process: subprocess.Popen

    @property
    def pid(self):
        return self._process.pid

    @contextmanager
    def frozen(self):
        """Let the process do nothing while the block runs."""
        os.kill(self.pid, signal.SIGSTOP)
        while not all(state == "T" for state in self._thread_states()):  # on a busy machine that takes a moment
            time.sleep(0.001)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def _thread_states(self):
        stats = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return [stat.read_text().rpartition(")")[2].split()[0] for stat in stats]


class Server(Freezable):
    """A device server that prints ``listening on host:port``; ``#dbase=no`` unless it has a *database*."""

    def __init__(self, module, *arguments, database=None):
        # A port that it is started on again after a crash must not be one that the system has chosen.
        self.port = unused_port()
        self._command = [sys.executable, "-m", module, f"--port={self.port}", "--until-stdin-closes", *arguments]
        self.database = database
        if database is not None:
            self._command.append(f"--database={database}")
        self.start()

    def start(self):
        """Start the process (again) and wait until it answers."""
        environment = os.environ | {"CONCERT_ENABLE_GEVENT": "0"}
        environment.pop("CONCERT_DISABLE_GEVENT", None)
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=ROOT, bufsize=0
        )
        line = self._process.stdout.readline().decode()
        assert line == f"listening on 127.0.0.1:{self.port}\n", line

    def uri(self, device):
        """Return the full name of *device*."""
        if self.database is not None:
            return f"tango://{self.database}/{device}"
        return f"tango://127.0.0.1:{self.port}/{device}#dbase=no"

    def kill(self):
        """End the process as a crash does."""
        self._process.kill()
        self._reap()

    def close(self):
        if self._process.poll() is None:
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._reap()

    def _reap(self):
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class Database(Freezable):
    """pytango-db on a free port, with its file in *directory*."""

    def __init__(self, directory):
        self._file = Path(directory) / "tango.db"
        self.host = f"127.0.0.1:{unused_port()}"
        self.start()

    def start(self):
        """Start it (again), on the same port, and wait until it answers."""
        port = self.host.rpartition(":")[2]
        environment = os.environ | {"TANGO_HOST": self.host, "PYTANGO_DATABASE_NAME": str(self._file)}
        program = Path(sys.executable).with_name("PyDatabaseds")
        self._process = subprocess.Popen(
            [program, "--host", "127.0.0.1", "--port", port, "2"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not _answers(self.host):
            assert self._process.poll() is None, "the database has ended"
            assert time.monotonic() < deadline, "the database does not answer"
            time.sleep(0.05)

    def kill(self):
        self._process.kill()
        self._process.wait()

    close = kill

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


@contextmanager
def tango_test(database=None):
    """Run Debian's TangoTest, a server in C++, while the block runs; give the name of its device."""
    name = "sys/tg_test/1"
    port = unused_port()
    arguments = [TANGO_TEST, "test", "-ORBendPoint", f"giop:tcp:127.0.0.1:{port}"]
    environment = dict(os.environ)
    if database is None:
        arguments += ["-nodb", "-dlist", name]
        uri = f"tango://127.0.0.1:{port}/{name}#dbase=no"
    else:
        environment["TANGO_HOST"] = database
        uri = f"tango://{database}/{name}"
    process = subprocess.Popen(arguments, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _pings(uri):
            assert process.poll() is None, "TangoTest has ended"
            assert time.monotonic() < deadline, "TangoTest does not answer"
            time.sleep(0.05)
        yield uri
    finally:
        process.kill()
        process.wait()


def enter_device(database, device, kind, server):
    """Enter *device* of the class *kind* in the database, for *server* to serve."""
    _run(
        "import sys, tango; db = tango.Database(sys.argv[1], int(sys.argv[2])); entry = tango.DbDevInfo(); "
        "entry.name, entry._class, entry.server = sys.argv[3:]; db.add_device(entry)",
        *database.split(":"),
        device,
        kind,
        server,
    )


def _answers(host):
    return _run("import sys, tango; tango.Database(sys.argv[1], int(sys.argv[2])).get_info()", *host.split(":")) == 0


def _pings(uri):
    return _run("import sys, tango; tango.DeviceProxy(sys.argv[1]).ping()", uri) == 0


def _run(code, *arguments):
    """Run *code* elsewhere: a failure here would make Tango wait for a second before it tries again."""
    return subprocess.run([sys.executable, "-c", code, *arguments], stderr=subprocess.DEVNULL).returncode
