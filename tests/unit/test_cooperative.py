"""When the process is patched, and when not: each story is a process of its own."""

import os
import subprocess
import sys
import textwrap

import pytest

TELL = """
from concert._cooperative import state
print(state.cooperative, state.reason)
"""


@pytest.fixture
def told():
    """Return a function that runs Python code and returns what it printed."""

    def told(code, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CONCERT_")}
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
            capture_output=True,
            text=True,
            env=clean | environment,
            timeout=60,
        )
        assert run.stderr == ""
        return run.stdout.strip()

    return told


def test_importing_concert_patches_the_process(told):
    code = """
        import socket, ssl, threading, time
        import concert
        from gevent import monkey
        print(all(monkey.is_module_patched(name) for name in ("socket", "ssl", "threading", "time")))
        print(len(threading.enumerate()), threading.current_thread() is threading.main_thread())
    """
    assert told(code + textwrap.indent(TELL, " " * 8)).splitlines() == [
        "True",
        "1 True",
        "True the process was made cooperative when concert was imported",
    ]


def test_plug_ins_of_gevent_are_called_all_the_same(told, tmp_path):
    (tmp_path / "plug.py").write_text("def told(event):\n    print(type(event).__name__)\n")
    about = tmp_path / "plug-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plug\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[gevent.plugins.monkey.did_patch_all]\nplug = plug:told\n")
    code = """
        import concert
        from gevent import events
        print(events.notify_and_call_entry_points.__module__)
    """
    assert told(code, PYTHONPATH=str(tmp_path)).splitlines() == ["GeventDidPatchAllEvent", "gevent.events"]


def test_gevent_may_be_switched_off(told):
    code = TELL + "import sys; print('gevent' in sys.modules)"
    assert told(code, CONCERT_ENABLE_GEVENT="0").splitlines() == [
        "False gevent is switched off (ENABLE_GEVENT)",
        "False",
    ]


def test_patched_process_is_left_as_it_is(told):
    code = "from gevent import monkey; monkey.patch_all(subprocess=False)" + TELL
    code += "print(monkey.is_module_patched('subprocess'))"
    assert told(code).splitlines() == ["True the process had been patched before concert was imported", "False"]


LOG_IN_ALL = """
    import logging, sys, time
    before = logging.FileHandler(sys.argv[1])
    import concert
    from concert.async_ import async_, threaded, wait
    log = logging.getLogger("loud")
    log.setLevel("INFO")
    for handler in before, logging.FileHandler(sys.argv[1]):
        log.addHandler(handler)

    def shout():
        for number in range(1500):
            log.info(number)

    def tell():
        for number in range(1500):
            log.info(number)
            time.sleep(0.0001)

    wait([{calls}], timeout=30)
"""


@pytest.mark.parametrize(
    "calls", ["threaded(shout)(), async_(tell)()", "threaded(shout)(), threaded(shout)(), threaded(shout)()"]
)
@pytest.mark.parametrize("patched", ["", "from gevent import monkey; monkey.patch_all()"])
def test_native_threads_and_greenlets_may_log_at_once(told, tmp_path, calls, patched):
    log = tmp_path / "log"
    code = textwrap.dedent(LOG_IN_ALL).replace("sys.argv[1]", repr(str(log))).format(calls=calls)
    assert told(f"{patched}\n{code}") == ""
    assert len(log.read_text().splitlines()) == 2 * 1500 * len(calls.split(","))


OBSTACLES = {
    "no gevent": ("import sys; sys.modules['gevent'] = None" + TELL, "gevent is not installed"),
    "asyncio": (
        f"""
import asyncio
async def main():
    exec({TELL!r})
asyncio.run(main())
""",
        "an asyncio loop is running",
    ),
    "another thread imports": (
        f"""
import threading
thread = threading.Thread(target=exec, args=({TELL!r},))
thread.start()
thread.join()
""",
        "concert was imported in a thread that is not the main thread",
    ),
    "other threads": (
        """
import threading
enough = threading.Event()
thread = threading.Thread(target=enough.wait)
thread.start()
"""
        + TELL
        + "enough.set()",
        "other native threads were running when concert was imported",
    ),
    "kernel": (
        """
import sys, types
kernelapp = types.ModuleType("ipykernel.kernelapp")
kernelapp.IPKernelApp = types.SimpleNamespace(initialized=lambda: True)
sys.modules["ipykernel.kernelapp"] = kernelapp
"""
        + TELL,
        "a notebook kernel does not survive patching",
    ),
}


@pytest.mark.parametrize(("code", "reason"), OBSTACLES.values(), ids=OBSTACLES)
def test_process_that_patching_would_break_is_left_alone(told, code, reason):
    code += "\nimport socket; print(socket.socket.__module__)"
    assert told(code).splitlines() == [f"False {reason}", "socket"]


def test_ssl_is_left_alone_where_urllib3_is_imported(told):
    code = """
        import sys, types
        sys.modules["urllib3"] = types.ModuleType("urllib3")
        import concert
        from gevent import monkey
        print(monkey.is_module_patched("socket"), monkey.is_module_patched("ssl"))
    """
    assert told(code) == "True False"


def test_it_is_said_once_in_the_log_that_threads_are_used_instead(told):
    code = """
        import asyncio, logging, sys
        logging.basicConfig(stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
        async def main():
            from concert.async_ import async_, runtime
            for _ in range(2):
                async_(print)("runs").join()
            print(runtime(), "because", runtime().reason)
        asyncio.run(main())
    """
    assert told(code).splitlines() == [
        "concert.async WARNING asynchronous functions run in threads: an asyncio loop is running",
        "runs",
        "runs",
        "threads because an asyncio loop is running",
    ]


def test_asyncio_may_be_used_afterwards(told):
    code = """
        import asyncio
        from concert.async_ import async_
        async def main():
            await asyncio.sleep(0.001)
            return async_(lambda: 42)().result()
        print(asyncio.run(main()))
    """
    assert told(code) == "42"
