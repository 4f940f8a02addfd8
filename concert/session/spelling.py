"""The documented spelling: ``async`` as a name, although Python reserves the word.

``from concert.async import async, wait``, ``@async`` and ``concert.async.disable()`` become ``concert.async_`` and
``async_``. The text is read with Python's own tokenizer, so strings and comments are not touched, and neither are
``async def``, ``async for`` and ``async with``. Nothing that Python itself accepts is changed.

Before Python 3.12 the inside of an f-string is no code to the tokenizer: there the word stays as it is.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any, NamedTuple

WORD = "async"
NAME = "async_"

_KEYWORD_BEFORE = ("def", "for", "with")
_LAYOUT = (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT)
_START = tokenize.TokenInfo(tokenize.NEWLINE, "", (0, 0), (0, 0), "")
_UNKNOWN = tokenize.TokenInfo(tokenize.ERRORTOKEN, "", (0, 0), (0, 0), "")


class Place(NamedTuple):
    """Where the word is used as a name: the *row*, from 1, and the *column*, from 0, in characters."""

    row: int
    column: int


def translate(text: str) -> str:
    """Return the Python source *text* with the names ``async`` spelled ``async_``, in the same lines.

    Of incomplete source, such as a cell that is being typed, what the tokenizer understands is translated.
    """
    lines = _lines(text)
    return _translated(lines, _places(lines))


def translate_lines(lines: list[str]) -> list[str]:
    """Translate the lines of a cell typed at a prompt, for IPython's ``input_transformers_cleanup``.

    A cell for another program or language, which begins with ``!`` or ``%%``, is returned as it is.
    """
    if not lines or lines[0].startswith(("!", "%%")):
        return lines
    return translate("".join(lines)).splitlines(keepends=True)


def compile_session(text: str, path: str) -> CodeType:
    """Compile the source *text* of the file *path*; raise :exc:`SyntaxError` as :func:`parse_session` does."""
    return compile(parse_session(text, path), path, "exec", dont_inherit=True)


def parse_session(text: str, path: str) -> ast.Module:
    """Parse the source *text* of the file *path*; lines, columns and errors are those of the text as it is written.

    Raise :exc:`SyntaxError` if it is no Python even with the word as a name.
    """
    lines = _lines(text)
    places = _places(lines)
    try:
        tree: Any = compile(_translated(lines, places), path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        _show_original(error, lines, _ends(places, lines, len))
        raise
    if places:
        _move_back(tree, _ends(places, lines, lambda text: len(text.encode())))
    return tree


def _lines(text: str) -> list[str]:
    # As the tokenizer counts them: unlike for str.splitlines, a form feed ends no line.
    return io.StringIO(text).readlines() if WORD in text else [text]


def _translated(lines: Sequence[str], places: Sequence[Place]) -> str:
    translated = list(lines)
    for row, column in reversed(places):  # from the right, so that the columns to the left stay valid
        line = translated[row - 1]
        translated[row - 1] = line[:column] + NAME + line[column + len(WORD) :]
    return "".join(translated)


def _places(lines: Sequence[str]) -> list[Place]:
    """Return where the word is a name, in the order of the text."""
    if not any(WORD in line for line in lines):
        return []
    places = []
    foreign = False  # the rest of the logical line is not Python
    tokens = [token for token in _tokens(lines) if token.type not in _LAYOUT]
    for before, token, after in zip([_START, *tokens], tokens, [*tokens[1:], _UNKNOWN], strict=False):
        if before.type == tokenize.NEWLINE:
            foreign = token.string in ("!", "%")  # a shell command or a magic in the middle of a cell
        if token.type == tokenize.ERRORTOKEN and token.string in ("'", '"'):  # opens a string that has no end
            foreign = True
        if token.type == tokenize.NAME and token.string == WORD and not foreign and _is_name(before, after):
            places.append(Place(*token.start))
    return places


def _tokens(lines: Sequence[str]) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(iter(lines).__next__)
    except (tokenize.TokenError, SyntaxError):  # incomplete or wrong; Python will say so about what is left
        return


def _is_name(before: tokenize.TokenInfo, after: tokenize.TokenInfo) -> bool:
    if before.string in (".", "@"):
        return True
    return after is not _UNKNOWN and after.string not in _KEYWORD_BEFORE


def _ends(places: Sequence[Place], lines: Sequence[str], width: Callable[[str], int]) -> dict[int, list[int]]:
    """Return for each row with names the columns in the translated text where they end, as *width* counts."""
    ends: dict[int, list[int]] = defaultdict(list)
    for row, column in places:
        earlier = len(ends[row]) * (len(NAME) - len(WORD))
        ends[row].append(width(lines[row - 1][:column]) + len(NAME) + earlier)
    return ends


def _original(row: int, column: int, ends: dict[int, list[int]]) -> int:
    """Return the column in the text as written of what is at *column* in the translated text."""
    return column - sum(end <= column for end in ends.get(row, ())) * (len(NAME) - len(WORD))


def _move_back(tree: ast.AST, ends: dict[int, list[int]]) -> None:
    node: Any  # only some kinds of nodes have a place
    for node in ast.walk(tree):
        if "col_offset" in node._attributes:
            node.col_offset = _original(node.lineno, node.col_offset, ends)
            node.end_col_offset = _original(node.end_lineno, node.end_col_offset, ends)


def _show_original(error: SyntaxError, lines: Sequence[str], ends: dict[int, list[int]]) -> None:
    """Let the error show the line as it is written, and point to the right part of it."""
    if error.lineno not in ends:
        return
    error.text = lines[error.lineno - 1]
    if error.offset:
        error.offset = _original(error.lineno, error.offset - 1, ends) + 1
    if error.end_lineno is not None and error.end_offset:
        error.end_offset = _original(error.end_lineno, error.end_offset - 1, ends) + 1
