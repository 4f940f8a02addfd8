"""Which runtime runs a call, who decides it, and how that is asked."""

import pytest

from concert import config
from concert.async_ import async_, disable, enable, runtime, threaded, using
from concert.async_._native import thread_ident


@async_
def where():
    """Return the runtime that calls made inside use."""
    return str(runtime())


@pytest.fixture(autouse=True)
def as_it_was():
    was = config.ENABLE_ASYNC, config.ENABLE_GEVENT
    yield
    config.ENABLE_ASYNC, config.ENABLE_GEVENT = was


@pytest.mark.skipif(runtime() == "sync", reason="already disabled")
def test_disable_changes_functions_decorated_long_before():
    disable()
    future = where()
    assert future.done()
    assert future.result() == "sync"
    enable()
    assert where().result() == runtime() != "sync"


def test_disable_is_the_setting():
    disable()
    assert config.DISABLE_ASYNC
    assert runtime().reason == "asynchronous execution is switched off (ENABLE_ASYNC)"
    config.ENABLE_ASYNC = True
    assert runtime() != "sync"


def test_without_gevent_calls_run_in_threads():
    enable()
    config.DISABLE_GEVENT = True
    assert runtime() == "threads"
    assert runtime().reason == "gevent is switched off (ENABLE_GEVENT)"
    assert async_(thread_ident)().result() != thread_ident()


@pytest.mark.skipif(config.ENABLE_GEVENT, reason="gevent can be used")
def test_gevent_cannot_be_switched_on_where_the_process_is_not_cooperative():
    with pytest.raises(RuntimeError, match="gevent cannot be switched on any more: gevent is switched off"):
        config.ENABLE_GEVENT = True
    assert not config.ENABLE_GEVENT


def test_block_uses_the_runtime_it_names(concert_runtime):
    for name in ("threads", "sync", concert_runtime):
        with using(name):
            assert runtime() == name
            assert where().result() == name
            assert runtime().reason == "chosen for this block of code"
    assert runtime() == concert_runtime


def test_block_counts_for_the_calls_of_its_calls(concert_runtime):
    @async_
    def outer():
        return where().result(), threaded(lambda: str(runtime()))().result()

    assert outer().result() == (concert_runtime, concert_runtime)


def test_block_counts_for_nobody_else():
    before = runtime()
    seen = []

    @async_
    def other():
        seen.append(str(runtime()))

    with using("threads"):
        future = other()
    with using("sync"):
        other()
    future.join()
    assert sorted(seen) == ["sync", "threads"]
    assert runtime() == before


def test_unknown_runtime_is_refused_by_name():
    with pytest.raises(ValueError, match=r"expected one of the runtimes .*, not 'asyncio'"), using("asyncio"):
        pass
