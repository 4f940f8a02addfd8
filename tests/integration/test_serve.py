"""``concert serve`` as Tango's own clients see it: plain ``DeviceProxy``, and what its user sees of the command."""

import getpass
import json
import platform
import re
import signal

import pytest

from tests.served import beamline
from tests.servers import unused_port

IMAGING = """
    import time
    from concert.base import Parameter, Quantity, Selection, State
    from concert.devices.base import Device
    from concert.devices.motors.dummy import LinearMotor
    import numpy as np

    class Kept(Parameter):
        "A parameter that is what it was set to."

        def __init__(self, first, **options):
            super().__init__(fget=lambda device: vars(device).get(self.name, first), **options)
            self.fset = lambda device, value: vars(device).update({self.name: value})

    class KeptQuantity(Quantity):
        def __init__(self, first, **options):
            super().__init__(first.units, fget=lambda device: vars(device).get(self.name, first), **options)
            self.fset = lambda device, value: vars(device).update({self.name: value})

    class Camera(Device):
        "Takes frames."
        exposure = KeptQuantity(10 * q.ms, lower=1 * q.ms, help="How long a frame is exposed, from 1000 µs on")
        profile = KeptQuantity(np.zeros(3) * q.um, shape=(3,), help="A profile")
        gain = Kept(2, help="Amplification")
        comment = Kept("")
        mode = Selection(["fast", "slow"])
        frame = Quantity(q.count, help="The last frame")
        broken = Quantity(q.V)

        def _get_mode(self):
            return vars(self).get("_mode", "fast")

        def _set_mode(self, mode):
            self._mode = mode

        def _get_frame(self):
            return np.arange(12, dtype="uint16").reshape(3, 4) * q.count

        def _get_broken(self):
            raise ConnectionError("no answer from 10.0.3.9:4002 within 2 s")

        @async_
        def expose(self, time, frames=1):
            "Expose so many *frames*."
            self.comment = f"{frames:d} times {time:~}"

        def abort(self):
            self.comment = "aborted"

        def forget(self):
            self.comment = "forgotten"

    stage = LinearMotor(speed=5 * q.mm / q.s, hard_limits=(-100 * q.mm, 30 * q.mm))
    stage["position"].lower, stage["position"].upper = 0 * q.mm, 40 * q.mm
    camera = Camera()
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A beamline whose session ``imaging`` is served without a database, to be used and not broken."""
    with beamline(tmp_path_factory.mktemp("imaging")) as line:
        line.session("imaging", IMAGING)
        line.server = line.serve("imaging", "--no-database")
        names = line.server.names
        code = "stage, camera = map(tango.DeviceProxy, sys.argv[1:])\nstage.set_timeout_millis(20000)"
        line.interpreter = line.interpreter(code, names["stage"], names["camera"])
        yield line


@pytest.fixture
def line(tmp_path):
    with beamline(tmp_path) as line:
        line.session("imaging", IMAGING)
        yield line


@pytest.fixture
def ask(shared):
    """Return a function that runs code with the proxies ``stage`` and ``camera``, and returns what it says."""
    return shared.interpreter.run


# -- attributes, commands, events ---------------------------------------------------------------------------------


def test_parameters_are_attributes_with_units_limits_and_meanings(ask):
    assert ask("""
for name in ("position", "exposure", "profile", "gain", "mode"):
    told = (stage if name == "position" else camera).get_attribute_config(name)
    say(told.name, told.unit, told.min_value, told.max_value, told.writable, told.max_dim_x, told.data_format, end=" ")
    say(told.data_type)
    say(told.description)
say(*camera.get_attribute_config("mode").enum_labels)
say(camera.get_attribute_config("frame").writable, camera.get_attribute_config("frame").data_format)
""") == [
        "position mm 0.0 40.0 READ_WRITE 1 SCALAR 5",
        "Position along the axis",
        "exposure ms 1.0 Not specified READ_WRITE 1 SCALAR 5",
        "How long a frame is exposed, from 1000 µs on",
        "profile um Not specified Not specified READ_WRITE 3 SPECTRUM 5",
        "A profile",
        "gain  Not specified Not specified READ_WRITE 1 SCALAR 23",
        "Amplification",
        "mode  Not specified Not specified READ_WRITE 1 SCALAR 29",
        "camera.mode",
        "fast slow",
        "READ IMAGE",
    ]


def test_values_come_and_go_in_the_declared_unit(ask):
    assert ask("""
camera.exposure, camera.profile, camera.gain, camera.comment, camera.mode = 20, [1, 2, 3], 5, "dark", "slow"
say(camera.exposure, camera.profile.tolist(), camera.gain, camera.comment, camera.mode.name)
say(camera.frame.tolist(), camera.frame.dtype)
camera.mode = "fast"
""") == ["20.0 [1.0, 2.0, 3.0] 5 dark slow", "[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]] uint16"]


def test_motor_moves_and_its_state_tells(ask):
    told = ask("""
stage.position = 0
until(lambda: stage.state() == tango.DevState.STANDBY)
stage.position = 5
say(stage.state(), stage.status(), stage.position < 5)
until(lambda: stage.state() == tango.DevState.STANDBY)
say(stage.status(), stage.position)
stage.move("-1.5 mm")
until(lambda: stage.state() == tango.DevState.STANDBY)
say(stage.position)
""")
    assert told == ["MOVING stage is moving True", "stage is standby 5.0", "3.5"]


def test_stop_stops_and_the_status_tells_what_became_of_the_move(ask):
    told = ask("""
stage.position = 0
until(lambda: stage.state() == tango.DevState.STANDBY)
stage.position = 30
until(lambda: stage.position > 1)
stage.stop()
say(stage.state(), 1 < stage.position < 30)
until(lambda: "Error" in stage.status())
say(stage.status())
stage.position = 1  # is not refused: the move has ended
stage.stop()
stage.position = 0
stage.stop()
""")
    assert told[:2] == ["STANDBY True", "stage is standby"]
    assert re.fullmatch(r"StoppedError: stage.position was stopped at [\d.]+ mm on the way to 30 mm", told[2])


def test_limit_switch_is_an_alarm(ask):
    told = ask("""
stage.position = 27
until(lambda: stage.state() == tango.DevState.STANDBY)
stage.position = 31
until(lambda: stage.state() == tango.DevState.ALARM)
until(lambda: "limit switch" in stage.status())
say(stage.status())
stage.position = 20
until(lambda: stage.state() == tango.DevState.STANDBY)
stage.position = 19.5  # is not refused: a device that stands can be moved again
""")
    assert told[0] == "stage is hard-limit"
    assert "stage.position is 30 mm and not within 1 µm of 31 mm: it ran into a limit switch" in told[1]


def test_method_with_several_arguments_takes_texts(ask):
    assert ask("""
camera.expose(["2 ms", "3"])
say(camera.comment)
camera.expose(["2 ms"])
say(camera.comment)
say(camera.command_query("expose").in_type_desc)
""") == ["3 times 2.0 ms", "1 times 2.0 ms", "(time, frames=1)"]


def test_what_stops_is_served_however_it_is_written(ask):
    assert ask("""
camera.abort()
say(camera.comment)
say([each.cmd_name for each in camera.command_list_query() if each.cmd_name.lower() in ("abort", "forget")])
""") == ["aborted", "['abort']"]


def test_errors_are_sentences(ask):
    told = ask("""
say(error(stage.move, "60 mm"))
say(error(stage.move, "2 deg"))
say(error(stage.move, "far"))
say(error(camera.expose, []))
say(error(camera.read_attribute, "broken"))
say(error(stage.write_attribute, "position", 50))
stage.position = 0 if stage.position > 10 else 20
say(error(stage.home))
stage.stop()
""")
    assert re.fullmatch(r"stage.position [\d.]+ mm is outside its soft limits \[0 mm, 40 mm\]", told[0])
    assert told[1:3] == [f"differences of stage.position must be in mm, not {what}" for what in ("2 deg", "'far'")]
    assert told[3] == "Camera.expose() missing 1 required positional argument: 'time'"
    assert told[4:6] == ["no answer from 10.0.3.9:4002 within 2 s", "while reading camera.broken"]
    assert told[6] == "Set value for attribute position is above the maximum authorized (at least element 0)"
    assert told[7] == "stage.home needs state 'standby' or 'hard-limit', not 'moving'"


def test_change_events_tell_of_every_completed_set_and_of_the_state(ask):
    told = ask("""
stage.position = 0
until(lambda: stage.state() == tango.DevState.STANDBY)
events = {"position": [], "State": [], "Status": []}
for name, heard in events.items():
    note = lambda event, heard=heard: heard.append(event.attr_value.value)
    stage.subscribe_event(name, tango.EventType.CHANGE_EVENT, note)
kept = []
camera.subscribe_event("gain", tango.EventType.CHANGE_EVENT, lambda event: kept.append(event.attr_value.value))
def comes_through():  # Tango connects a little later than it says; the last subscription comes last
    camera.gain = 100
    return 100 in kept
until(comes_through)
stage.position = 5
until(lambda: 5.0 in events["position"] and events["State"][-1] == tango.DevState.STANDBY and len(events["State"]) > 2)
say(events["position"] == sorted(events["position"]), len(events["position"]) > 2)
say(*events["State"])
for gain in (7, 8, 9):
    camera.gain = gain
until(lambda: kept[-3:] == [7, 8, 9])
""")
    assert told == ["True True", "STANDBY MOVING STANDBY"]


def test_attribute_follows_the_limits_of_the_session(line):
    line.session(
        "widening",
        IMAGING
        + """
    @async_
    def widen(self):
        "Allow more."
        self["exposure"].lower, self["exposure"].upper = None, 2 * q.s
    Camera.widen = widen
    """,
    )
    names = line.serve("widening", "--no-database").names
    told = line.client(
        """
        camera = tango.DeviceProxy(sys.argv[1])
        camera.widen()
        until(lambda: camera.get_attribute_config("exposure").max_value == "2000.0")
        say(camera.get_attribute_config("exposure").min_value)
        """,
        names["camera"],
    ).wait()
    assert told == (0, "Not specified\n")


def test_slow_reader_keeps_nobody_waiting(line):
    line.session(
        "slow",
        """
        import time
        from concert.base import Quantity
        from concert.devices.motors.dummy import LinearMotor

        class Stage(LinearMotor):
            load = Quantity(q.N)

            def _get_load(self):
                time.sleep(60)

        stage = Stage()
        """,
    )
    name = line.serve("slow", "--no-database").names["stage"]
    told = line.client(
        """
        @threaded
        def read():
            return error(tango.DeviceProxy(sys.argv[1]).read_attribute, "load")

        stage = tango.DeviceProxy(sys.argv[1])
        reads = [read() for _ in range(4)]
        stage.position = 30
        began, longest = time.monotonic(), 0
        while not all(each.done() for each in reads):
            asked = time.monotonic()
            stage.read_attribute("position")
            longest = max(longest, time.monotonic() - asked)
            time.sleep(0.01)
        stage.stop()
        say(longest < 1, stage.state())
        for read in reads:
            say(read.result())
        """,
        name,
    ).wait()
    assert told == (0, "True STANDBY\n" + "stage.load did not answer within 2.5 s\n" * 4)


def test_readings_that_overlap_do_not_wait_for_each_other(ask):
    assert ask("""
names = ["State", "Status", "concert_state", "position"]

@threaded
def read():
    own = tango.DeviceProxy(sys.argv[1])
    seen = set()
    for _ in range(20):
        for each in (*own.read_attributes(names), own.read_attribute("State")):
            seen.add(error(lambda: each.get_err_stack()) if each.has_failed else str(each.type))
    return seen

say(*sorted(set.union(*resolve([read() for _ in range(12)]))))
""") == ["DevDouble DevState DevString"]


def test_it_serves_with_threads_as_well(line):
    names = line.serve("imaging", "--no-database", CONCERT_ENABLE_GEVENT="0").names
    told = line.client(
        """
        from concert.devices.tango import remote
        stage = remote(sys.argv[1])
        with stage:
            say(error(tango.DeviceProxy(sys.argv[1]).write_attribute, "position", 2).partition(" by ")[0])
            stage.position = 1 * q.mm
        future = stage.set_position(30 * q.mm)
        until(lambda: stage.state == "moving")
        future.cancel()
        say(stage.state, stage.position < 30 * q.mm)
        """,
        names["stage"],
    ).wait()
    assert told == (0, "stage.position is held\nstandby True\n")


# -- the command --------------------------------------------------------------------------------------------------


def test_it_says_what_is_where_and_who_can_reach_it(shared):
    server = shared.server
    assert server.names == {
        name: f"tango://127.0.0.1:{server.port}/concert/imaging/{name}#dbase=no" for name in ("stage", "camera")
    }
    assert server.said[-1].endswith("for this machine alone; Ctrl-C ends it")


def test_chosen_devices_at_a_chosen_port(line):
    port = unused_port()
    server = line.serve("imaging", "--no-database", "--port", str(port), "--device", "camera")
    assert server.names == {"camera": f"tango://127.0.0.1:{port}/concert/imaging/camera#dbase=no"}


def test_other_addresses_are_used_only_when_asked_for(line):
    server = line.serve("imaging", "--no-database", "--bind", "127.0.0.2")
    assert "whoever reaches this address can move the devices" in server.said[-1]
    assert server.names["stage"].startswith(f"tango://127.0.0.2:{server.port}/")
    assert line.client("say(tango.DeviceProxy(sys.argv[1]).position)", server.names["stage"]).wait() == (0, "0.0\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "there is no session nothing"),
        (["imaging"], "there is no Tango database: say where it is with --tango-host or TANGO_HOST"),
        (["imaging", "--no-database", "--tango-host", "x:1"], "expected --tango-host or --no-database, not both"),
        (["imaging", "--tango-host", "lab"], "expected a Tango database as host:port, not 'lab'"),
        (["imaging", "--tango-host", "127.0.0.1:1"], "the Tango database 127.0.0.1:1 cannot be reached"),
        (["imaging", "--no-database", "--device", "lift"], "imaging has no device lift; it has stage, camera"),
        (["imaging", "--no-database", "--port", "70000"], "expected a port from 1 to 65535, not 70000"),
        (["imaging", "--no-database", "--bind", "192.0.2.1"], "cannot serve imaging at 192.0.2.1"),
        (["empty", "--no-database"], "empty has no devices; it needs some to be served"),
        (["alike", "--no-database"], "stage and Stage differ in capitals alone, which Tango does not tell apart"),
    ],
)
def test_what_is_impossible_is_a_sentence(line, arguments, sentence):
    line.session("empty", "")
    line.session("alike", IMAGING + "    Stage = LinearMotor()\n")
    status, out, err = line.concert("serve", *arguments)
    assert (status, out) == (1, "")
    assert err.startswith(f"Sorry, {sentence}")
    assert err.count("\n") == 1


def test_taken_port_is_a_sentence(shared):
    status, _, err = shared.concert("serve", "imaging", "--no-database", "--port", str(shared.server.port))
    assert (status, err) == (1, f"Sorry, cannot serve imaging at 127.0.0.1: the port {shared.server.port} is taken\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_in_good_order_while_a_motor_moves(line, number):
    server = line.serve("imaging", "--no-database")
    line.client("stage = tango.DeviceProxy(sys.argv[1]); stage.position = 20", server.names["stage"]).wait()
    server.send(number)
    assert server.wait() == (0, "imaging is not served any more\n")


def test_device_that_hangs_does_not_keep_it_from_ending(line):
    line.session(
        "hanging",
        """
        import gevent.monkey
        from concert.base import Quantity
        from concert.devices.motors.dummy import LinearMotor

        class Stage(LinearMotor):
            @async_
            def hang(self):
                threaded(gevent.monkey.get_original("time", "sleep"))(300).join()

            def _stop(self):
                threaded(gevent.monkey.get_original("time", "sleep"))(300).join()

        stage = Stage()
        """,
    )
    server = line.serve("hanging", "--no-database")
    line.client(
        "stage = tango.DeviceProxy(sys.argv[1]); stage.hang(); stage.position = 300", server.names["stage"]
    ).wait()
    server.send(signal.SIGTERM)
    server.wait()


def test_cleanup_of_a_scan_takes_as_long_as_it_takes(line):
    line.session(
        "scanning",
        """
        import signal
        from concert.devices.motors.dummy import LinearMotor

        class Stage(LinearMotor):
            def _set_position(self, position):
                if position == 0 * q.mm:
                    print("killed in", signal.getitimer(signal.ITIMER_REAL)[0], "s", flush=True)
                super()._set_position(position)

        stage = Stage(speed=1 * q.m / q.s)
        scan = dscan(stage, 1 * q.mm, 10 * q.mm, 1000, read=[lambda: 0], background=True)
        next(iter(scan))
        """,
    )
    server = line.serve("scanning", "--no-database")
    server.send(signal.SIGTERM)
    status, said = server.wait()
    assert status == 0
    assert "killed in 0.0 s" in said.splitlines()  # which means never


def test_emergency_stop_from_another_terminal_reaches_it(line):
    server = line.serve("imaging", "--no-database")
    client = line.client(
        """
        stage = tango.DeviceProxy(sys.argv[1])
        stage.position = 29
        say(stage.state())
        until(lambda: stage.state() == tango.DevState.STANDBY)
        say(stage.position < 29)
        """,
        server.names["stage"],
    )
    client.expect("^MOVING$")
    status, out, err = line.concert("stop")
    assert (status, err) == (0, "")
    assert re.search(r"^stage +stopped", out, re.MULTILINE)
    assert client.line() == "True"


def test_audit_trail_tells_who_has_set_what(line):
    server = line.serve("imaging", "--no-database")
    line.client("tango.DeviceProxy(sys.argv[1]).gain = 7", server.names["camera"]).wait()
    user = line.client(
        """
        from concert.devices.tango import remote
        camera = remote(sys.argv[1])
        camera.gain = 8
        with camera:
            camera.gain = 9
        """,
        server.names["camera"],
    )
    assert user.wait() == (0, "")
    server.send(signal.SIGTERM)
    server.wait()
    audit = line.home / "state" / "concert" / "audit.jsonl"
    sets = [json.loads(each) for each in audit.read_text().splitlines()]
    told = [(each["parameter"], each["to"], each["command"], each["outcome"]) for each in sets]
    who = f"{getpass.getuser()} on {platform.node()} (process {user.pid})"
    assert told == [
        ("camera.gain", "7", "a Tango client", "arrived"),
        ("camera.gain", "8", who, "arrived"),
        ("camera.gain", "9", who, "arrived"),
    ]


def test_device_that_is_offline_keeps_no_other_from_being_served(line):
    line.session(
        "partly",
        IMAGING
        + """
    class Dead(LinearMotor):
        def __init__(self):
            raise ConnectionError("no answer from 10.0.3.9:4002")

    dead = Dead()
    """,
    )
    server = line.serve("partly", "--no-database")
    assert "Sorry, dead is offline: no answer from 10.0.3.9:4002" in server.said
    assert set(server.names) == {"stage", "camera"}
