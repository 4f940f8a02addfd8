"""The log."""

import logging
import os
import subprocess
import sys
import threading
import time

import pytest

from concert.session import logs

LOG = logging.getLogger("concert.devices")


@pytest.fixture
def small(monkeypatch):
    """Let the files of the log be small."""
    monkeypatch.setattr(logs, "LARGEST", 2000)
    monkeypatch.setattr(logs, "POLL", 0.01)


def test_the_log_lies_beside_the_sessions_and_names_the_session(sessions):
    logs.set_up("imaging")
    LOG.info("stage arrived")
    (line,) = logs.read()
    assert line.endswith(" imaging INFO concert.devices: stage arrived\n")
    assert logs.path() == sessions / "concert.log"


def test_only_what_is_important_enough_is_logged(sessions):
    logs.set_up(level="warning")
    LOG.info("stage arrived")
    LOG.warning("stage is slow")
    assert [line.split()[2:4] for line in logs.read()] == [["-", "WARNING"]]


def test_another_file_or_stderr_can_be_asked_for(sessions, tmp_path, capsys):
    logs.set_up("imaging", file=tmp_path / "deep" / "my.log")
    LOG.info("to the file")
    logs.set_up("imaging", to="stderr")
    LOG.info("to the terminal")
    assert (tmp_path / "deep" / "my.log").read_text().endswith("to the file\n")
    assert capsys.readouterr().err.endswith("to the terminal\n")
    assert logs.files() == []


def test_afterwards_everything_is_as_it_was(sessions):
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    logs.set_up("imaging", level="debug")
    logs.close()
    logs.close()
    assert (root.level, root.handlers) == before


def test_a_log_that_cannot_be_written_does_not_stop_anything(sessions, capsys):
    sessions.parent.mkdir()
    sessions.touch()  # where the directory should be
    logs.set_up("imaging")
    LOG.info("stage arrived")
    first, second = capsys.readouterr().err.splitlines()
    assert "the log goes to stderr: " in first
    assert "stage arrived" in second


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_complained_about_once(sessions, capsys):
    sessions.mkdir(parents=True)
    logs.path().symlink_to("/dev/full")
    logs.set_up("imaging")
    LOG.info("stage arrived")
    LOG.info("stage arrived again")
    assert capsys.readouterr().err.count("cannot write the log") == 1
    logs.close()


def test_a_session_is_picked_out_with_its_tracebacks(sessions):
    logs.set_up("imaging")
    try:
        1 / 0
    except ZeroDivisionError as error:
        logs.note_failure("run", error)
    logs.set_up("optics")
    LOG.info("mirror arrived")
    lines = list(logs.of_session(logs.read(), "imaging"))
    assert lines[0].endswith(" imaging ERROR concert.session: run failed\n")
    assert lines[-1] == "ZeroDivisionError: division by zero\n"
    assert [line.split()[2] for line in logs.of_session(logs.read(), "optics")] == ["optics"]


def test_the_log_is_read_across_its_files_and_does_not_grow_for_ever(sessions, small):
    logs.set_up("imaging")
    for number in range(500):
        LOG.info("%d", number)
    assert len(logs.files()) == logs.KEPT + 1
    numbers = [int(line.split()[-1]) for line in logs.read()]
    assert numbers == list(range(numbers[0], 500))
    assert sum(file.stat().st_size for file in logs.files()) <= 2000 * (logs.KEPT + 1)


def test_two_writers_rotate_the_log_once_for_both(sessions, small):
    handlers = []
    for _ in range(2):
        sessions.mkdir(parents=True, exist_ok=True)
        handlers.append(logs.SharedFileHandler(logs.path()))
    try:
        for number in range(60):
            handlers[number % 2].emit(logging.makeLogRecord({"msg": f"{number:050}"}))
    finally:
        for handler in handlers:
            handler.close()
    assert [int(line) for line in logs.read()] == list(range(60))
    assert len(logs.files()) == 2


WRITER = """
import logging, sys
from concert.session import logs

logs.LARGEST, logs.KEPT = 20_000, 50
logs.set_up(sys.argv[1])
input()
for number in range(1000):
    logging.info("%d", number)
"""


def test_processes_that_write_at_the_same_time_lose_nothing(sessions, monkeypatch):
    monkeypatch.setattr(logs, "KEPT", 50)
    environment = os.environ | {"CONCERT_ENABLE_GEVENT": "0"}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name], stdin=subprocess.PIPE, env=environment, text=True)
        for name in "ab"
    ]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=20)
    lines = list(logs.read())
    for name in "ab":
        assert sorted(int(line.split()[-1]) for line in logs.of_session(lines, name)) == list(range(1000))
    assert len(logs.files()) > 3


def test_new_records_are_followed_into_new_files(sessions, small):
    logs.set_up("imaging")
    LOG.info("0")
    followed = logs.read(follow=True)
    assert next(followed).endswith(" 0\n")

    def write():
        for number in range(1, 100):
            LOG.info("%d", number)
            time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    assert [int(next(followed).split()[-1]) for _ in range(99)] == list(range(1, 100))
    writer.join()
    followed.close()


def test_a_log_that_is_not_there_yet_can_be_followed(sessions, small):
    followed = logs.read(follow=True)
    logs_begin = threading.Timer(0.05, lambda: (logs.set_up("imaging"), LOG.info("0")))
    logs_begin.start()
    assert next(followed).endswith(" 0\n")
    logs_begin.join()
    followed.close()
