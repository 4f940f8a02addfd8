"""``remote()``: devices of a session that is served, used by other processes as if they were their own."""

import os
import re
import signal
from time import monotonic

import pytest

from tests.served import beamline

LEASE = 3.0  # seconds without a sign of life after which a client is taken for gone

STAGE = """
    from concert.base import Parameter, Quantity, Selection
    from concert.devices.base import Device
    from concert.devices.motors.dummy import ContinuousLinearMotor, LinearMotor
    from concert.devices.photodiodes.dummy import PhotoDiode

    class Sample(Device):
        "What is looked at."
        main_parameter = "size"
        size = Quantity(q.um, lower=1 * q.um, upper=[[5]] * q.mm, help="Its sizes", tolerance=1 * q.nm)
        colour = Selection(["red", 2, 3 * q.mm], help="Its colour")
        note = Parameter(help="About it")
        secret = Parameter(help="Can only be set")
        origin = Parameter(help="Can only be read")

        def _get_size(self):
            return vars(self).get("_size", [[1.5]] * q.mm)
        def _set_size(self, size):
            self._size = size
        def _get_colour(self):
            return vars(self).get("_colour", "red")
        def _set_colour(self, colour):
            self._colour = colour
        def _get_note(self):
            return vars(self).get("_note", "nothing")
        def _set_note(self, note):
            self._note = note
        def _set_secret(self, secret):
            self._secret = secret
        def _get_origin(self):
            return {"lab": ("3", 1 * q.m)}

        @async_
        def twice(self, what, *more, unit=q.mm, times=2):
            "Return it so many *times*."
            return [what, *more] * times

        @async_
        def fail(self, how):
            "Fail."
            raise {"key": KeyError("no such Ω"), "own": type("Own", (OSError,), {})("it burns")}[how]

    stage = ContinuousLinearMotor(speed=4 * q.mm / q.s)
    stage["position"].lower, stage["position"].upper = -100 * q.mm, 100 * q.mm
    diode = PhotoDiode(stage, 1 * q.mm, 1 * q.mm)
    sample = Sample()
    heater = LinearMotor(speed=4 * q.mm / q.s)
    unattended(heater)
"""

REMOTE = "from concert.devices.tango import remote\nstage = remote(sys.argv[1], name='stage', timeout=30)\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A beamline whose session ``optics`` is served without a database, to be used and not broken."""
    with beamline(tmp_path_factory.mktemp("optics")) as line:
        line.session("optics", STAGE)
        line.server = line.serve("optics", "--no-database")
        line.interpreter = line.interpreter(
            "from concert.devices.tango import remote\n"
            "names = zip(sys.argv[1:], ('stage', 'sample'))\n"
            "stage, sample = [remote(uri, name=name, timeout=30) for uri, name in names]",
            line.server.names["stage"],
            line.server.names["sample"],
        )
        yield line


@pytest.fixture
def line(tmp_path):
    with beamline(tmp_path) as line:
        line.session("optics", STAGE)
        yield line


@pytest.fixture
def ask(shared):
    """Return a function that runs code with ``stage`` and ``sample`` in one process; it returns what the code says."""
    return shared.interpreter.run


@pytest.fixture
def user(shared):
    """Return a function that starts a client, with ``stage`` or the device called *name* as what its code uses."""

    def start(code, name="stage", **environment):
        first = REMOTE.replace("'stage'", repr(name)).replace("stage =", f"{name} =")
        return shared.client(first + "say('connected')\n" + code, shared.server.names[name], **environment)

    clients = []

    def begin(code, name="stage", **environment):
        client = start(code, name, **environment)
        clients.append(client)
        client.expect("^connected$")
        return client

    yield begin
    for client in clients:
        client.kill()


def told(client):
    status, out = client.wait()
    assert status == 0, out
    return out.splitlines()


# -- the same device ----------------------------------------------------------------------------------------------


def test_motor_is_a_motor_with_the_same_parameters(ask):
    assert ask("""
import inspect
from concert.devices.motors.base import ContinuousLinearMotor
say(repr(stage), isinstance(stage, ContinuousLinearMotor), stage.main_parameter)
for value in stage:
    say(value.name, value.readable, value.writable, value.help)
position = stage["position"]
say(position.unit, position.shown_limits(), position.tolerance)
say(stage["velocity"].unit, stage["velocity"].shown_limits())
say(inspect.signature(stage.move), inspect.getdoc(stage.stop))
stage.position = 1.5 * q.mm
say(stage.position, stage.state, stage.in_hard_limit)
""") == [
        "<ContinuousLinearMotor stage> True position",
        "position True True Position along the axis",
        "state True False None",
        "velocity True True Velocity of continuous motion: setting it starts the motion, 0 ends it",
        "millimeter [-100 mm, 100 mm] 1 micrometer",
        "millimeter / second [none, none]",
        "(delta) Stop the motion: a future, done when the motor stands. A set in progress fails.",
        "1.5 millimeter standby False",
    ]


def test_values_of_every_kind_go_there_and_back(ask):
    assert ask("""
sample.size = [[2, 3], [4, 5]] * q.mm
say(sample.size.tolist() if False else sample.size.m_as(q.mm).tolist(), sample["size"].tolerance)
for colour in (2, 3 * q.mm, "red"):
    sample.colour = colour
    say(repr(sample.colour), end=" ")
say(sample["colour"].values)
sample.note = {"scan": [1, 2.5, None, True], "where": (1 * q.mm, "Ω")}
say(sample.note)
sample.secret = "x"
say(sample.origin)
say(error(lambda: sample.secret), "|", error(setattr, sample, "origin", 1))
say(sample.twice(1 * q.mm, "a", times=3).result())
say(error(setattr, sample, "note", object))
""") == [
        "[[2.0, 3.0], [4.0, 5.0]] 1 nanometer",
        "2 <Quantity(3, 'millimeter')> 'red' ('red', 2, <Quantity(3, 'millimeter')>)",
        "{'scan': [1, 2.5, None, True], 'where': (<Quantity(1, 'millimeter')>, 'Ω')}",
        "{'lab': ('3', <Quantity(1, 'meter')>)}",
        "ReadAccessError: sample.secret cannot be read | WriteAccessError: sample.origin cannot be written",
        "[<Quantity(1, 'millimeter')>, 'a', <Quantity(1, 'millimeter')>, 'a', <Quantity(1, 'millimeter')>, 'a']",
        "TypeError: expected numbers, text, quantities or arrays, which can be sent elsewhere, not <class 'object'>",
    ]


def test_errors_are_what_they_are_there(ask):
    assert ask("""
for how in ("key", "own"):
    say(error(lambda: sample.fail(how).join()))
say(error(lambda: sample.twice().join()))
say(error(setattr, sample, "size", 1 * q.s))
say(error(setattr, sample, "size", [[6]] * q.mm))
say(error(setattr, sample, "colour", "blue"))
""") == [
        "LookupError: KeyError: 'no such ohm'",
        "OSError: Own: it burns",
        "TypeError: Sample.twice() missing 1 required positional argument: 'what'",
        "UnitError: sample.size must be given in µm, not 1 s",
        "SoftLimitError: sample.size [[6]] mm is outside its soft limits [1 µm, [[5]] mm]",
        "ValueError: sample.colour must be one of 'red', 2, 3 mm, not 'blue'",
    ]


def test_limits_there_hold_and_those_set_here_too(ask):
    assert ask("""
position = stage["position"]
say(error(setattr, stage, "position", 101 * q.mm))
position.upper = 5 * q.mm
say(position.shown_limits(), error(setattr, stage, "position", 6 * q.mm))
position.upper = 200 * q.mm
say(position.shown_limits())
position.upper = None
say(position.shown_limits())
say(error(lambda: stage.move(300 * q.mm).join()))
say(error(setattr, position, "upper", -100 * q.mm), position.shown_limits())
""") == [
        "SoftLimitError: stage.position 101 mm is outside its soft limits [-100 mm, 100 mm]",
        "[-100 mm, 5 mm] SoftLimitError: stage.position 6 mm is outside its soft limits [-100 mm, 5 mm]",
        "[-100 mm, 100 mm]",
        "[-100 mm, 100 mm]",
        "SoftLimitError: stage.position 301.5 mm is outside its soft limits [-100 mm, 100 mm]",
        "ValueError: the lower limit -100 mm of stage.position is not below its upper limit -100 mm [-100 mm, 100 mm]",
    ]


def test_handlers_hear_of_every_completed_set_wherever_it_was_made(user):
    listener = user("""
heard, states = [], []
stage["position"].subscribe(lambda value: heard.append(value.get().result()))
stage["state"].subscribe(lambda value: states.append(value.get().result()))
stage.position = 0 * q.mm
until(lambda: len(heard) == 1)
say("listening")
until(lambda: len(heard) == 2 and states[-1:] == ["standby"])
say(heard[-1], "moving" in states)
""")
    listener.expect("^listening$")
    assert told(user("stage.position = 2 * q.mm")) == []
    assert told(listener) == ["2.0 millimeter True"]


def test_limits_there_that_leave_nothing_over_can_be_read_and_refuse_every_value(ask):
    assert ask("""
position, served = stage["position"], stage._served
position.lower = 30 * q.mm
served._limits = {"position": [-100 * q.mm, 20 * q.mm]}  # as if they had been changed there
served._limits_time = time.monotonic() + 1000
say(position.lower, position.upper)
for value in (10, 25, 40):
    say(error(setattr, stage, "position", value * q.mm))
say(error(setattr, position, "lower", 25 * q.mm), position.lower)
position.lower = None
say(position.shown_limits())
served._limits_time = 0
""") == [
        "30 millimeter 20 millimeter",
        *(
            f"SoftLimitError: stage.position {value} mm is outside its soft limits [30 mm, 20 mm]: "
            "those there and those set here do not overlap"
            for value in (10, 25, 40)
        ),
        "ValueError: the lower limit 25 mm of stage.position is not below its upper limit 20 mm 30 millimeter",
        "[-100 mm, 20 mm]",
    ]


LISTEN = """
heard = []
position = stage["position"]
position.subscribe(heard.append)

def told_of_a_set():
    before = len(heard)
    stage.position = 1 * q.mm
    until(lambda: len(heard) > before)

told_of_a_set()
"""


def test_handlers_hear_again_after_the_device_was_closed(user):
    client = user(
        LISTEN
        + """
stage.close()
told_of_a_set()
new = []
position.subscribe(new.append)

def event_comes():
    stage.position = 1 * q.mm
    return position._heard.wait(0.5)

until(event_comes)
before = len(heard), len(new)
say("listening")
until(lambda: len(heard) > before[0] and len(new) > before[1])
"""
    )
    client.expect("^listening$")
    assert told(user("stage.position = 0.5 * q.mm")) == []
    assert told(client) == []


def test_events_end_with_the_last_handler(user):
    client = user(
        LISTEN
        + """
others = []
position.subscribe(others.append)
position.unsubscribe(heard.append)
say(len(stage._served.proxy._subscriptions))
position.unsubscribe(others.append)
say(len(stage._served.proxy._subscriptions))
"""
    )
    assert told(client) == ["1", "0"]


def test_handlers_hear_of_sets_made_here_when_their_events_are_lost(user):
    client = user(
        LISTEN
        + """
stage._feeds["position"]._subscriber.active = False
told_of_a_set()
"""
    )
    assert told(client) == []


def test_failed_subscription_is_tried_again_by_the_next_handler(user):
    client = user("""
def fail(*_, **__):
    raise TimeoutError("no answer")

proxy, heard = stage._served.proxy, []
object.__setattr__(proxy, "subscribe", fail)
say(error(stage["position"].subscribe, heard.append))
object.__delattr__(proxy, "subscribe")
stage["position"].subscribe(heard.append)
say(len(proxy._subscriptions))
stage.position = 1 * q.mm
until(lambda: heard)
""")
    assert told(client) == ["TimeoutError: no answer", "1"]


@pytest.mark.parametrize("runtime", [{"CONCERT_ENABLE_GEVENT": "0"}, {"CONCERT_ENABLE_ASYNC": "0"}])
def test_other_runtimes_use_it_as_well(user, runtime):
    client = user(
        """
stage.position = 1 * q.mm
with stage:
    stage.move(0.5 * q.mm).join()
say(stage.position)
""",
        **runtime,
    )
    assert told(client)[-1] == "1.5 millimeter"


def test_device_that_is_none_of_ours_is_refused(user, shared):
    server = shared.server
    client = shared.client(
        """
        from concert.devices.tango import remote
        say(error(remote, f"tango://127.0.0.1:{sys.argv[1]}/dserver/Concert/optics#dbase=no"))
        """,
        server.port,
    )
    assert re.search("TangoRequestError: .*Command ConcertDescribe not found", told(client)[-1])


# -- stopping -----------------------------------------------------------------------------------------------------

PLACE = """
stage.position = 0 * q.mm
future = stage.set_position(60 * q.mm)
until(lambda: stage.position > 0.5 * q.mm)
"""


def test_cancel_here_stops_the_motor_there(ask):
    assert ask(
        PLACE
        + """
future.cancel()
where = stage.position
say(stage.state, where == stage.position, where < 20 * q.mm, future.cancelled())
"""
    ) == ["standby True True True"]


def test_kill_of_a_method_stops_the_motor_there(ask):
    assert ask("""
stage.position = 0 * q.mm
future = stage.move(60 * q.mm)
until(lambda: stage.position > 0.5 * q.mm)
future.kill(RuntimeError("enough"))
say(stage.state, error(future.join))
""") == ["standby RuntimeError: enough"]


def test_ctrl_c_here_stops_the_motor_there(user):
    client = user("""
stage.position = 0 * q.mm
say("moving")
try:
    stage.position = 60 * q.mm
except KeyboardInterrupt:
    say(stage.state, stage.position < 60 * q.mm)
""")
    client.expect("^moving$")
    observer = user("until(lambda: stage.state == 'moving' and stage.position > 0.5 * q.mm)")
    told(observer)
    client.send(signal.SIGINT)
    assert told(client) == ["standby True"]


def test_stop_by_somebody_else_makes_the_move_fail(user):
    client = user("""
stage.position = 0 * q.mm
say("moving")
say(error(setattr, stage, "position", 60 * q.mm))
""")
    client.expect("^moving$")
    told(user("until(lambda: stage.position > 0.5 * q.mm); stage.stop().join()"))
    assert re.fullmatch(r"StoppedError: stage.position was stopped at [\d.]+ mm on the way to 60 mm", told(client)[0])


# -- clients that are gone ----------------------------------------------------------------------------------------

MOVING = "say('moving'); {0}.position = 60 * q.mm"
WATCH = """
until(lambda: {0}.position > 0.5 * q.mm)
say("seen")
go()
began = time.monotonic()
until(lambda: {0}.state == "standby")
say(time.monotonic() - began, {0}.position.m_as(q.mm))
"""


def test_move_of_a_killed_client_is_stopped(user):
    told(user("stage.position = 0 * q.mm"))
    watcher, client = user(WATCH.format("stage")), user(MOVING.format("stage"))
    watcher.expect("^seen$")
    client.kill()
    watcher.go()
    after, where = map(float, watcher.expect(r"^([\d.]+) ([\d.]+)$").groups())
    print(f"stopped {after:.2f} s after the client was killed")
    assert after < LEASE + 3
    assert where < 60


def test_move_of_a_killed_client_goes_on_where_the_session_says_so(user):
    watcher, client = user(WATCH.format("heater"), "heater"), user(MOVING.format("heater"), "heater")
    watcher.expect("^seen$")
    client.kill()
    watcher.go()
    _, where = map(float, watcher.expect(r"^([\d.]+) ([\d.]+)$").groups())
    assert where == 60


def test_hub_that_computes_keeps_its_move_and_its_hold(ask):
    assert ask("""
with stage:
    stage.position = 0 * q.mm
    future = stage.set_position(18 * q.mm)
    until(lambda: stage.state == "moving")
    end = time.monotonic() + 4
    while time.monotonic() < end:
        pass
    future.join()
    say(stage.position)
""") == ["18.0 millimeter"]


# -- holding ------------------------------------------------------------------------------------------------------

HOLD = """
with stage:
    say("holding")
    go()
    {0}
say("released")
"""


def test_hold_keeps_other_processes_away_and_tells_by_whom(user):
    holder = user(HOLD.format("stage.position = 1 * q.mm; say(stage.position)"))
    holder.expect("^holding$")
    other = user("""
with refusing():
    say(error(setattr, stage, "position", 2 * q.mm))
    say(error(lambda: stage.__enter__()))
say(error(tango.DeviceProxy(sys.argv[1]).write_attribute, "position", 2))
say(tango.DeviceProxy(sys.argv[1]).status().splitlines()[1])
say(stage.state, stage.stop().join().done())
future = stage.set_position(2 * q.mm)
say("waiting")
future.join()
say(stage.position)
""")
    who = rf"\S+ on \S+ \(process {holder.pid}\)"
    assert re.fullmatch(rf"LockError: stage.position is held by {who}", other.line())
    assert re.fullmatch(rf"LockError: stage is held by {who}", other.line())
    assert re.fullmatch(rf"stage.position is held by {who}", other.line())
    assert re.fullmatch(rf"held by {who}", other.line())
    assert other.line() == "standby True"
    other.expect("^waiting$")
    holder.go()
    assert told(holder) == ["1.0 millimeter", "released"]
    assert told(other) == ["2.0 millimeter"]


def test_hold_is_inherited_re_entered_and_shared_by_what_was_started_in_it(ask):
    assert ask("""
@async_
def inner():
    with stage["position"]:
        stage.position = 1 * q.mm
    stage.move(0.2 * q.mm).join()

with stage, stage:
    with stage:
        wait([inner()])
        with stage["position"]:
            say(stage.position)
with stage["position"]:
    stage.position = 0 * q.mm
    with stage:
        stage.position = 0.1 * q.mm
status = tango.DeviceProxy(sys.argv[1]).status()
say(status)
""") == ["1.2 millimeter", "stage is standby"]


WAIT = """
say("waiting")
began = time.monotonic()
stage.position = 1 * q.mm
say(time.monotonic() - began)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_hold_of_a_killed_or_frozen_client_is_freed(user, number):
    holder = user(HOLD.format("say(error(setattr, stage, 'position', 2 * q.mm))"))
    holder.expect("^holding$")
    other = user(WAIT)
    other.expect("^waiting$")
    began = monotonic()
    os.kill(holder.pid, number)
    other.expect(r"^[\d.]+$")
    took = monotonic() - began
    print(f"freed {took:.2f} s after signal {number}")
    assert took < LEASE + 3
    if number == signal.SIGSTOP:
        os.kill(holder.pid, signal.SIGCONT)
        holder.go()
        assert re.fullmatch(
            r"LockError: stage is not held any more: \S+ on \S+ \(process \d+\) gave no sign of life for 3 s",
            holder.line(),
        )


def test_ctrl_c_ends_waiting_for_a_hold(user):
    holder = user(HOLD.format(""))
    holder.expect("^holding$")
    other = user("""
say("waiting")
try:
    stage.position = 1 * q.mm
except KeyboardInterrupt:
    say("given up")
with refusing():
    say(error(setattr, stage, "position", 2 * q.mm))
""")
    other.expect("^waiting$")
    told(user("until(lambda: True)"))
    other.send(signal.SIGINT)
    assert other.line() == "given up"
    assert "is held by" in other.line()
    holder.go()
    assert told(holder) == ["released"]
