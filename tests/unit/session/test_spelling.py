"""The documented spelling: what is translated, and what must not be."""

import ast
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concert.session.spelling import compile_session, translate, translate_lines


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("from concert.async import async, wait\n", "from concert.async_ import async_, wait\n"),
        ("from concert.async import (\n    async,\n)\n", "from concert.async_ import (\n    async_,\n)\n"),
        ("import concert.async\n", "import concert.async_\n"),
        ("from concert import async\n", "from concert import async_\n"),
        ("@async\ndef f(): pass\n", "@async_\ndef f(): pass\n"),
        ("@async  # a comment\n\ndef f(): pass\n", "@async_  # a comment\n\ndef f(): pass\n"),
        ("@ async\ndef f(): pass\n", "@ async_\ndef f(): pass\n"),
        ("class C:\n    @async\n    def f(self): pass\n", "class C:\n    @async_\n    def f(self): pass\n"),
        ("@concert.async.async\ndef f(): pass\n", "@concert.async_.async_\ndef f(): pass\n"),
        ("concert.async.disable()\n", "concert.async_.disable()\n"),
        ("(concert\n .async  # the module\n .disable())\n", "(concert\n .async_  # the module\n .disable())\n"),
        ("f = async(g); h = async(f)\n", "f = async_(g); h = async_(f)\n"),
        ("x = async", "x = async_"),
        ("f(async=True)\r\n", "f(async_=True)\r\n"),
    ],
)
def test_the_word_as_a_name_is_translated(written, meant):
    assert translate(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        "async def f(): pass\n",
        "async \\\n    def f(): pass\n",
        "async def f():\n    async with a: pass\n    async for x in y: pass\n",
        "async def f(): return [x async for x in y]\n",
        "async def f(): return [x async\n    # slowly\n    for x in y]\n",
        '\'async\'; """\n@async\n"""; # import concert.async\n',
        "r'async' b'async'\n",
        "asynchronous = my_async = async_ = 1\n",
        "x = 'a\x0c\u2028b'  # async\n",
        "",
    ],
)
def test_everything_else_is_left(text):
    assert translate(text) == text


def test_a_decorator_of_a_coroutine_and_the_keyword_live_side_by_side():
    assert translate("@async\nasync def f(): pass\n") == "@async_\nasync def f(): pass\n"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("@async\ndef f(", "@async_\ndef f("),
        ("@async\ndef f():\n    '''Say", "@async_\ndef f():\n    '''Say"),
        ("f = [concert.async", "f = [concert.async_"),
        ("f = [async", "f = [async"),  # a comprehension may follow
        ("if x:\n        y = async\n    z", "if x:\n        y = async_\n    z"),
        ("x = 'async", "x = 'async"),
        ("x = '''async", "x = '''async"),
    ],
)
def test_of_a_cell_that_is_being_typed_the_beginning_is_translated(typed, meant):
    assert translate(typed) == meant


def test_a_cell_is_translated_line_by_line():
    assert translate_lines(["@async\n", "def f():\n", "    pass"]) == ["@async_\n", "def f():\n", "    pass"]


@pytest.mark.parametrize("cell", ["!grep async imaging.py\n", "%%bash\nwhich async\n", "%run async.py\n", ""])
def test_cells_in_other_languages_are_left(cell):
    lines = cell.splitlines(keepends=True)
    assert translate_lines(lines) == lines


def test_shell_commands_and_magics_in_a_cell_are_left():
    cell = ["@async\n", "def f(): pass\n", "!ls async\n", "%run async.py\n", "async(f)\n"]
    assert translate_lines(cell) == ["@async_\n", "def f(): pass\n", "!ls async\n", "%run async.py\n", "async_(f)\n"]


# -- any source -----------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=5) | st.sampled_from(["async", "@async", "import concert.async", "é"])
VALID = st.lists(
    st.one_of(
        st.builds("x = {!r}".format, TEXTS),
        st.builds("x = f({!r}, # {}\n      1)".format, TEXTS, TEXTS.map(ascii)),
        st.builds("# {}".format, TEXTS.map(ascii)),
        st.sampled_from(
            [
                "async def f():\n    async with a as b, c: pass\n    async for x in y: return [z async for z in x]",
                "if a:\n\tasync \\\n\tdef f(): await (x async\n\n for # async\n x in y)",
                "@a.b\r\nasync def f(async_, /, *, asynchronous): ...",
                "x = \x0c 1 % a ; y = not a\x0c",
                "class é: '''\n@async\n'''",
                "x = b'async' rb'\\async', \"\"\"'async\"\"\" f'{a} async'",
                "",
            ]
        ),
    )
).map("\n".join)


@given(VALID)
def test_what_python_accepts_is_never_changed(text):
    ast.parse(text)
    assert translate(text) == text


STATEMENTS = st.lists(
    st.sampled_from(
        [
            "from m.{0} import {0}, wait",
            "import m.{0} as {1}",
            "@{0}\ndef f({0}, *, {1}=None): return {0}.{0}",
            "x = ({0}  # {1}\n     @ {0})",
            "{0}('''async\n''', \"async\")[{0}]; {1} = {0}",
            "class {0}({0}.{1}):\n\tasync def {0}(self): return [x async for x in {0}]",
            "async def f():\n    async with {0}() as {1}: pass",
            "if {0}:\n  {1}\nelse:\n  é = {0}, 'é', {0}",
        ]
    ),
    min_size=1,
)
NAMES = st.sampled_from(["a", "été", "async_"])


@given(STATEMENTS, NAMES)
def test_wherever_a_name_may_be_the_word_may_be(statements, other):
    text = "\n".join(statements) + "\n"
    ast.parse(text.format("async_", other))
    assert translate(text.format("async", other)) == text.format("async_", other)


SYMBOLS = "()[]{}=+@.,:#%!?$\\\"'`\n\t\r\x0c\u2028 "
TYPED = st.lists(
    st.sampled_from([*SYMBOLS, "async", "async_", "def", "for", " ", "'''", "é", "\n  "]) | st.text(max_size=3)
).map("".join)


@given(TYPED)
def test_of_any_text_only_the_word_is_changed_and_once_is_enough(text):
    translated = translate(text)
    assert translated.count("\n") == text.count("\n")
    assert translated.replace("async_", "async") == text.replace("async_", "async")
    assert translate(translated) == translated


# -- compiled -------------------------------------------------------------------------------------------------------


def raised(call):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it is
        call()
    return caught.value


def test_tracebacks_point_to_the_text_as_it_is_written(tmp_path):
    file = tmp_path / "imaging.py"
    file.write_text("é = 1\nasync = len\nx = (async('é'), async.__name__, async(é) + 1)\n", encoding="utf-8")
    error = raised(lambda: exec(compile_session(file.read_text(encoding="utf-8"), str(file)), {}))
    assert "".join(traceback.format_exception(error)[-2:]) == (
        f'  File "{file}", line 3, in <module>\n'
        "    x = (async('é'), async.__name__, async(é) + 1)\n"
        "                                     ^^^^^^^^\n"
        "TypeError: object of type 'int' has no len()\n"
    )


def test_a_syntax_error_shows_the_text_as_it_is_written():
    error = raised(lambda: compile_session("ok = 1\nx = async(1) +* async\n", "imaging.py"))
    assert isinstance(error, SyntaxError)
    assert error.text == "x = async(1) +* async\n"
    assert (error.filename, error.lineno) == ("imaging.py", 2)
    assert error.text[error.offset - 1 : error.end_offset - 1] == "*"


def test_a_syntax_error_in_another_line_is_as_python_says():
    error = raised(lambda: compile_session("async(1)\nx = = 2\n", "imaging.py"))
    assert (error.lineno, error.offset, error.text) == (2, 5, "x = = 2\n")
