"""What calls through Tango do to others: nothing."""

import time

import gevent
import pytest

from concert import _cooperative
from concert.async_ import async_, wait
from concert.networking._tango_line import SHARE
from concert.networking.tango import TangoDeviceError, TangoTimeoutError, get_tango_device
from concert.quantities import q

pytest.importorskip("tango")

RUNTIMES = pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
ON_HUB = pytest.mark.skipif(not _cooperative.state.cooperative, reason="there is no hub to keep running")

TICK = 0.005  # seconds


class Ticker:
    """A greenlet that ticks on the hub and notes the worst gap."""

    def __enter__(self):
        self.worst = 0.0
        self.ticks = 0
        self._greenlet = gevent.spawn(self._tick)
        gevent.sleep(0)
        return self

    def _tick(self):
        last = time.perf_counter()
        while True:
            gevent.sleep(TICK)
            now = time.perf_counter()
            self.worst = max(self.worst, now - last)
            self.ticks += 1
            last = now

    def __exit__(self, *exception):
        self._greenlet.kill()


@pytest.fixture
def specimen(specimen_server):
    return get_tango_device(specimen_server.uri("test/specimen/1"))


@ON_HUB
@RUNTIMES
def test_hub_lives_while_a_server_takes_its_time(specimen, concert_runtime):
    with Ticker() as ticker:
        assert gevent.spawn(lambda: specimen.Slow).get() == 1
    assert ticker.ticks > 50
    assert ticker.worst < 0.5


@ON_HUB
@RUNTIMES
def test_hub_lives_while_a_device_is_looked_for(specimen_server, concert_runtime):
    with specimen_server.frozen(), Ticker() as ticker:
        looking = gevent.spawn(get_tango_device, specimen_server.uri("test/specimen/2"), timeout=0.5)
        with pytest.raises(TangoTimeoutError):
            looking.get()
    assert ticker.worst < 0.5


@ON_HUB
def test_killed_greenlet_returns_at_once(specimen):
    waiting = gevent.spawn(specimen.Wait, 1.0)
    gevent.sleep(0.1)
    began = time.perf_counter()
    waiting.kill()
    assert time.perf_counter() - began < 0.5
    assert waiting.dead
    assert specimen.Double(1, timeout=20) == 2  # the server has done the other one first


@pytest.mark.parametrize("concert_runtime", ["gevent", "threads"], indirect=True)
def test_cancelled_future_returns_at_once(specimen, concert_runtime, until):
    future = async_(specimen.Wait)(1.0)
    until(future.running)
    began = time.perf_counter()
    future.cancel()
    assert time.perf_counter() - began < 0.5
    assert future.cancelled()
    assert specimen.Double(1, timeout=20) == 2  # the server has done the other one first


@RUNTIMES
def test_timeout_is_the_calls_own(specimen, concert_runtime):
    message = r"^test/specimen/1 did not answer within 0.2 s while running Wait$"
    with pytest.raises(TangoTimeoutError, match=message) as caught:
        specimen.Wait(1.0, timeout=200 * q.ms)
    assert isinstance(caught.value, TimeoutError)
    assert specimen.Wait(0.0, timeout=20 * q.s) == 0
    assert specimen.timeout == 3 * q.s


def test_call_may_take_longer_than_others(specimen):
    specimen.timeout = 0.1 * q.s
    assert specimen.Wait(0.3, timeout=20 * q.s) == 0.3


def test_many_different_timeouts_are_no_trouble(specimen):
    assert [specimen.Double(number, timeout=20 + number) for number in range(20)] == [2 * n for n in range(20)]


@pytest.mark.parametrize("timeout", [0, -1 * q.s, float("nan")])
def test_timeout_is_checked(specimen, timeout):
    with pytest.raises(ValueError, match="expected a"):
        specimen.ping(timeout=timeout)
    assert specimen.Double(1, timeout=float("inf")) == 2


@RUNTIMES
def test_fifty_greenlets_read_two_hundred_times_each(specimen, concert_runtime):
    specimen.Number = 4.25

    @async_
    def read():
        return [specimen.Number for _ in range(200)]

    reads = [read() for _ in range(50)]
    wait(reads)
    assert all(future.result() == [4.25] * 200 for future in reads)


def test_answers_reach_who_asked(specimen):
    @async_
    def ask(number):
        return [specimen.Double(number + 0.001 * turn) for turn in range(20)]

    asked = [ask(number) for number in range(30)]
    wait(asked)
    for number, future in enumerate(asked):
        assert future.result() == [2 * (number + 0.001 * turn) for turn in range(20)]


@ON_HUB
def test_hung_server_occupies_its_own_share(start_server, specimen):
    hung = start_server("tests.tango_server", "--devices=4")
    others = [get_tango_device(hung.uri(f"test/specimen/{number + 1}")) for number in range(4)]
    with hung.frozen():
        waiting = [gevent.spawn(other.ping, timeout=60) for _ in range(SHARE) for other in others]
        gevent.sleep(0.2)
        began = time.perf_counter()
        for number in range(20):
            assert specimen.Double(number) == 2 * number
        assert time.perf_counter() - began < 2
        with pytest.raises(TangoTimeoutError, match=r"^test/specimen/3 did not answer within 0.2 s"):
            others[2].ping(timeout=0.2)  # whoever waits for a turn waits no longer than that
        gevent.killall(waiting)
    assert others[3].Double(1) == 2


@ON_HUB
def test_urgent_command_waits_for_nobody(start_server):
    busy = get_tango_device(start_server("tests.tango_server", "--devices=40").uri("test/specimen/40"))
    crowd = [get_tango_device(busy.uri.replace("/40#", f"/{number + 1}#")) for number in range(39)]
    waiting = [gevent.spawn(each.Wait, 1.5) for each in crowd]
    gevent.sleep(0.2)
    began = time.perf_counter()
    assert busy.command_inout("Double", 1.0, urgent=True) == 2
    assert time.perf_counter() - began < 1
    gevent.joinall(waiting, raise_error=True)


def test_failure_of_one_call_is_not_the_next_ones(specimen):
    for _ in range(3):
        with pytest.raises(TangoDeviceError):
            specimen.Fail()
        assert specimen.Double(1) == 2
