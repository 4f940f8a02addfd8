"""Tests that leave things behind, and how that is told."""

import socket
import threading
import time

import pytest

from concert.async_ import async_, runtime
from concert.async_._native import allocate_lock, start_new_thread
from concert.testing import _leaks, nothing_left_behind

cooperative = pytest.mark.skipif(runtime() == "threads", reason="without greenlets")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(_leaks, "SETTLING_TIME", 0.05)


@pytest.fixture
def complaint(impatient):
    """Return a function that runs *story* under the check and returns what the check says."""

    def complaint(story):
        with pytest.raises(pytest.fail.Exception) as info, nothing_left_behind():
            story()
        return str(info.value)

    return complaint


def test_socket_is_named_with_its_address(complaint):
    left = []

    def story():
        left.append(socket.create_server(("127.0.0.1", 0)))

    said = complaint(story)
    with left[0]:
        assert said == f"the test left behind: socket {left[0].getsockname()}, not connected"


def test_connections_of_tango_are_its_own_and_others_still_count(complaint, specimen_server):
    from concert.networking.tango import get_tango_device

    get_tango_device(specimen_server.uri("test/specimen/1")).ping()
    left = []

    def story():
        get_tango_device(specimen_server.uri("test/specimen/2")).ping()
        left.append(socket.create_server(("127.0.0.1", 0)))

    said = complaint(story)
    with left[0]:
        assert said == f"the test left behind: socket {left[0].getsockname()}, not connected"


def test_native_thread_is_named_with_the_place_where_it_is(complaint):
    lock = allocate_lock()
    lock.acquire()

    begun = []

    def wait_for_somebody():
        begun.append(True)
        lock.acquire()

    def story():
        start_new_thread(wait_for_somebody, ())
        while not begun:
            time.sleep(0.001)

    with nothing_left_behind():
        said = complaint(story)
        lock.release()
    assert "native thread" in said
    assert "wait_for_somebody" in said
    assert __file__ in said


@cooperative
def test_greenlet_is_named_with_the_place_where_it_is(complaint):
    enough = threading.Event()

    def wait_for_somebody():
        enough.wait()

    thread = threading.Thread(target=wait_for_somebody, name="Anna")
    said = complaint(thread.start)
    assert "Anna" in said
    assert "wait_for_somebody" in said
    assert said.count("greenlet of") == 1
    enough.set()
    thread.join()


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_running_future_is_left_behind_and_an_idle_worker_is_not(complaint, concert_runtime):
    enough = []
    left = []

    @async_
    def wait_for_somebody():
        while not enough:
            time.sleep(0.001)

    def story():
        left.append(wait_for_somebody())
        while not left[0].running():
            time.sleep(0.001)

    async_(list)().join()  # there is a worker, and it is idle
    with nothing_left_behind():
        assert "wait_for_somebody" in complaint(story)
        enough.append(True)
        left[0].result()


def test_what_was_there_before_does_not_count(impatient):
    with socket.create_server(("127.0.0.1", 0)), nothing_left_behind():
        pass


def test_what_is_about_to_end_is_waited_for():
    with nothing_left_behind():
        thread = threading.Thread(target=threading.Event().wait, args=(0.02,))
        thread.start()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_socket_in_a_reference_cycle_is_collected():
    with nothing_left_behind():
        holder = [socket.socket()]
        holder.append(holder)
        del holder


def test_host_name_lookup_leaves_nothing():
    with nothing_left_behind():
        socket.getaddrinfo("localhost", 80)


QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

LEAK = """
    import socket
    import pytest
    left = []

    def test_leaving({fixture}):
        left.append(socket.socket())

    def test_next({fixture}):
        left[0].close()
"""


def test_fixture_checks_the_tests_that_ask_for_it(pytester, impatient):
    pytester.makepyfile(test_asking=LEAK.format(fixture="concert_no_leaks"), test_others=LEAK.format(fixture=""))
    result = pytester.runpytest_inprocess(*QUIET)
    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["ERROR test_asking.py::test_leaving - Failed: the test left behind: socket *"])


def test_ini_option_checks_all_tests(pytester, impatient):
    pytester.makeini("[pytest]\nconcert_leaks = true")
    pytester.makepyfile(test_others=LEAK.format(fixture=""))
    pytester.runpytest_inprocess(*QUIET).assert_outcomes(passed=2, errors=1)


def test_failed_test_is_not_accused_as_well(pytester, impatient):
    pytester.makepyfile(
        """
        import socket
        left = []

        def test_it(concert_no_leaks):
            left.append(socket.socket())
            raise ValueError

        def teardown_module():
            left[0].close()
        """
    )
    pytester.runpytest_inprocess(*QUIET).assert_outcomes(failed=1)
