"""Events: greenlets, native threads and plain code wait for them and set them."""

import pytest

from concert.async_ import Event, async_, threaded
from tests.devices_for_tests import concurrent, is_waiting


def test_nothing_has_happened_at_first():
    event = Event()
    assert not event.is_set()
    assert not event.wait(timeout=0)


def test_what_has_happened_is_not_waited_for():
    event = Event()
    event.set()
    assert event.wait()
    event.clear()
    assert not event.is_set()


@concurrent
@pytest.mark.parametrize("decorate", [async_, threaded])
def test_all_who_wait_go_on(decorate):
    event = Event()
    waiting = [decorate(event.wait)() for _ in range(3)]
    assert all(map(is_waiting, waiting))
    event.set()
    assert [each.result(timeout=10) for each in waiting] == [True, True, True]


@concurrent
def test_it_can_be_set_from_a_native_thread():
    event = Event()
    setting = threaded(event.set)()
    assert event.wait(timeout=10)
    setting.join()


@concurrent
def test_a_wait_ends_with_the_code_that_waits():
    event = Event()
    waiting = async_(event.wait)()
    assert is_waiting(waiting)
    waiting.cancel()
    assert waiting.cancelled()
    assert not event.is_set()
