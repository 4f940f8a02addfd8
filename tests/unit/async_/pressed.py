"""The program that is interrupted in test_interrupts.py: it runs the scenes that it is told to, one after the other.

What it says comes line by line; where a scene depends on what was pressed or heard before, it waits for that.
"""

import os
import select
import signal
import sys
import time

from concert.async_ import async_, runtime, shielded, threaded, wait
from concert.async_._interrupts import foreground
from concert.async_._scope import begin_command, running_future

presses = []


def press(*signal_and_frame):
    presses.append(True)
    concerts_handler(*signal_and_frame)


concerts_handler = signal.signal(signal.SIGINT, press)


def say(*words):
    # In one piece, whichever thread says it.
    os.write(1, " ".join(map(str, words)).encode() + b"\n")


def hear():
    """Return the next line that is told, letting others run meanwhile."""
    while not select.select([0], [], [], 0)[0]:
        time.sleep(0.002)
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(0, 1)
    return line.decode().strip()


def begin():
    """Say that the foreground waits, which is when a press finds what it should find."""
    running_future.get().cancel_operation = lambda: say("stopped")
    while foreground.waiter is None and runtime() != "sync":
        time.sleep(0.001)
    say("ready")


@async_
def sleep():
    try:
        begin()
        while True:
            async_(time.sleep)(0.01).result()
    finally:
        say("cleaned up")


@async_
def compute():
    number = 0
    try:
        begin()
        while True:
            number += 1
    finally:
        say("cleaned up")


@async_
def clean_up_for_long():
    try:
        begin()
        while True:
            async_(time.sleep)(0.01).result()
    finally:
        with shielded():
            say("cleaning up")
            say("heard", hear())


@async_
def clean_up_without_end():
    try:
        begin()
        while True:
            async_(time.sleep)(0.01).result()
    finally:
        say("cleaning up")
        try:
            while len(presses) < 2:
                time.sleep(0.001)
            say("held back")
            while True:
                time.sleep(0.001)
        finally:
            say("cut short")


@async_
def tick(ticks):
    while True:
        ticks.append(True)
        async_(time.sleep)(0.001).result()


def in_a_wait():
    sleep().result()


def in_a_wait_for_many():
    wait([sleep(), sleep()])


def in_a_busy_future():
    compute().result()


def in_native_code():
    enough = []

    @threaded
    def spin():
        begin()
        while not enough:
            pass

    try:
        spin().join()
    finally:
        enough.append(True)


def in_main_code_that_sleeps():
    say("ready")
    while True:
        time.sleep(0.05)


def in_main_code_that_computes():
    say("ready")
    while True:
        pass


def in_a_shield():
    with shielded():
        say("ready")
        say("heard", hear())
    say("went on")


def beside_a_future_of_an_earlier_command():
    ticks = []
    earlier = tick(ticks)
    while not ticks:
        time.sleep(0.001)
    begin_command()
    try:
        wait([earlier, sleep()])
    finally:
        ticks.clear()
        while not ticks:
            time.sleep(0.001)
        say("still ticking")
        earlier.cancel()


def during_a_cleanup():
    clean_up_for_long().result()


def during_an_endless_cleanup():
    clean_up_without_end().result()


if __name__ == "__main__":
    while (scene := hear()) != "end":
        presses.clear()
        try:
            globals()[scene]()
        except KeyboardInterrupt:
            say("KeyboardInterrupt")
        say("next call gives", async_(lambda: 42)().result())
    sys.exit()
