"""Which process writes a scan, and whether it still lives."""

import json
import subprocess
import sys

from concert.storage._writer import exists, lives, this_process

ANOTHER = """
import json
from concert.storage._writer import this_process
print(json.dumps(this_process()), flush=True)
input()
"""


def test_this_process_lives():
    assert lives(this_process())


def test_another_process_lives_until_it_is_gone(until):
    process = subprocess.Popen(
        [sys.executable, "-c", ANOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    writer = json.loads(process.stdout.readline())
    assert lives(writer)
    assert exists(process.pid)
    process.kill()
    # Before its parent has noticed: it cannot write any more.
    until(lambda: not lives(writer))
    process.communicate()
    assert not lives(writer)
    assert not exists(process.pid)


def test_a_later_process_with_the_same_number_is_not_taken_for_it():
    assert not lives({**this_process(), "started": "12345"})


def test_nothing_of_before_a_restart_of_the_machine_lives():
    assert not lives({**this_process(), "boot": "another"})


def test_what_cannot_be_seen_from_here_is_left_alone():
    assert lives({**this_process(), "boot": "another", "host": "another"})
    assert lives({**this_process(), "namespace": "another", "pid": 2**22})
