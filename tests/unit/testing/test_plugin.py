"""The plug-in, seen from the suites of others: where patching matters, pytest runs in a process of its own."""

import pytest

import pytest_concert

PATCHED = "from gevent import monkey\npatched = monkey.is_module_patched('socket')\n"


@pytest.fixture
def run(pytester, monkeypatch):
    """Return a function that runs pytest with options, on files given as keywords."""
    for variable in ("CONCERT_ENABLE_ASYNC", "CONCERT_ENABLE_GEVENT", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(variable, raising=False)

    def run(*options, **files):
        pytester.makepyfile(**files)
        # Hypothesis takes a second to be imported, and that of pytango-db imports gevent with Tango.
        others = ("-p", "no:hypothesispytest", "-p", "no:pytango-db-fixtures")
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *others, *options)

    return run


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("import concert", True),
        ("import numpy, concert.base as base", True),
        ("def test_it():\n    from concert.async_ import wait", True),
        ("def test_it(concert_clock): pass", True),
        ("from . import concert", False),
        ("from concertina import air", False),
        ("# import concert\nx = 'concert'", False),
        ("def test_it(concert_hall): pass", False),
        ("import concert\ndef (", False),
    ],
)
def test_module_that_uses_concert_is_recognised_without_importing_it(tmp_path, source, uses):
    path = tmp_path / "test_it.py"
    path.write_text(source)
    assert pytest_concert._uses_concert(path) is uses


def test_suite_without_concert_is_left_alone(run):
    result = run(
        test_it="""
        import sys, time
        def test_nothing_is_imported():
            assert "concert" not in sys.modules and "gevent" not in sys.modules
        """
    )
    result.assert_outcomes(passed=1)
    assert "concert:" not in result.stdout.str()


def test_process_is_patched_before_the_modules_that_import_concert_and_their_neighbours(run):
    is_patched = PATCHED + "def test_it(): assert patched\n"
    result = run(test_a=is_patched, test_b=is_patched + "from concert.async_ import wait", test_c=is_patched)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["collected 3 items", "concert: runtime gevent, *"])


@pytest.mark.parametrize(
    "files",
    [
        {"conftest": "import concert", "test_it": "def test_it(concert_clock): concert_clock.advance(3600)"},
        {
            "drivers": "import concert.quantities",
            "test_it": "import drivers\ndef test_it(request): request.getfixturevalue('concert_clock')",
        },
    ],
    ids=["conftest", "library"],
)
def test_whatever_imports_concert_brings_the_fixtures(run, files):
    result = run(**files)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["concert: runtime gevent, *"])


@pytest.mark.parametrize(("name", "patched"), [("gevent", True), ("threads", False), ("sync", True)])
def test_option_chooses_the_runtime_before_anything_is_imported(run, monkeypatch, name, patched):
    monkeypatch.setenv("CONCERT_DISABLE_GEVENT", "1")  # the option wins
    result = run(
        f"--concert-runtime={name}",
        conftest=PATCHED,
        test_it=f"""
        import conftest
        from concert.async_ import runtime
        def test_it():
            assert runtime() == {name!r}
            assert conftest.patched is {patched}
        """,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"concert: runtime {name}, *"])


def test_gevent_where_it_is_impossible_ends_with_the_reason(run):
    spoiler = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()"
    result = run("-p", "spoiler", "--concert-runtime=gevent", spoiler=spoiler)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--concert-runtime=gevent is impossible here: other native threads were running*"])


def test_threads_where_the_process_is_patched_already_end_with_the_reason(run):
    result = run("-p", "spoiler", "--concert-runtime=threads", spoiler="import concert.async_")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--concert-runtime=threads is impossible here: *cooperative*"])


def test_impossible_runtime_is_skipped_with_the_reason(run):
    result = run(
        "--concert-runtime=threads",
        "-rs",
        test_it="""
        import pytest
        from concert.async_ import async_, runtime

        @async_
        def name():
            return runtime()

        @pytest.mark.parametrize("concert_runtime", ["gevent", "threads", "sync"], indirect=True)
        def test_it(concert_runtime):
            assert name().result() == runtime() == concert_runtime

        def test_own(concert_runtime):
            assert concert_runtime == "threads"
        """,
    )
    result.assert_outcomes(passed=3, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*the gevent runtime cannot be used: gevent is switched off*"])


def test_what_a_test_does_with_disable_is_over_with_it(run):
    result = run(
        test_it="""
        import time
        from concert.async_ import async_, disable

        @async_
        def moment():
            time.sleep(0.01)

        def test_synchronous():
            disable()
            assert moment().done()

        def test_next():
            future = moment()
            assert not future.done()
            future.join()
    """
    )
    result.assert_outcomes(passed=2)
