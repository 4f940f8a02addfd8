"""What the pytest plug-in adds to a session that uses Concert: fixtures, and the runtime in the header.

``pytest_concert`` registers it; nobody needs to import it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from concert import config
from concert.async_ import runtime, using
from concert.testing._clock import Clock, virtual_time
from concert.testing._leaks import nothing_left_behind

_in_header = pytest.StashKey[bool]()


@pytest.fixture
def concert_runtime(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test's asynchronous calls with one runtime; the value is its name.

    Parametrize it to choose, otherwise it is the session's own; where a runtime is impossible the test is skipped::

        @pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
    """
    name = getattr(request, "param", str(runtime()))
    with ExitStack() as stack:
        try:
            stack.enter_context(using(name))
        except RuntimeError as impossible:
            pytest.skip(str(impossible))
        yield name


@pytest.fixture
def concert_clock() -> Iterator[Clock]:
    """A virtual clock behind ``time.sleep``, ``time.monotonic`` and ``time.time``, which jumps when all sleep."""
    with virtual_time() as clock:
        yield clock


@pytest.fixture
def concert_no_leaks() -> None:
    """Fail the test if it leaves a greenlet, a native thread or a socket behind."""


@pytest.fixture(autouse=True)
def _concert_leak_check(request: pytest.FixtureRequest) -> Iterator[None]:
    # Fixtures of a test that are used without being asked for come first and go last: what others leave counts too.
    if not (request.config.getini("concert_leaks") or "concert_no_leaks" in request.fixturenames):
        yield
        return
    failures = request.session.testsfailed
    with nothing_left_behind() as check:
        yield
        # The traceback of a failed test keeps alive what the test had no chance to close.
        check.wanted = request.session.testsfailed == failures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Undo after a test what it has done with ``disable()`` or ``enable()``; what a fixture did, that undoes itself."""
    enabled = config.ENABLE_ASYNC
    try:
        return (yield)
    finally:
        config.ENABLE_ASYNC = enabled


def insist_on(name: str) -> None:
    """Raise :exc:`pytest.UsageError` unless the calls of this process use the runtime called *name*."""
    actual = runtime()
    if actual != name:
        raise pytest.UsageError(f"--concert-runtime={name} is impossible here: {actual.reason}")


def pytest_report_header(config: pytest.Config) -> str:
    config.stash[_in_header] = True
    return _description()


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    # Modules that are found to use concert are found after the header.
    return [] if config.stash.get(_in_header, False) else [_description()]


def _description() -> str:
    return f"concert: runtime {runtime()}, {runtime().reason}"
