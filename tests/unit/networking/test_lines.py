import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concert.networking._lines import Lines, LineTooLongError

ENDS = [b"\n", b"\r\n", b"\r\r\n", b"aab", b"abab"]


def take_all(lines):
    return list(iter(lines.take, None))


@st.composite
def split_texts(draw):
    """An end, a text made of few characters so that ends and their beginnings abound, and the text in packets."""
    end = draw(st.sampled_from(ENDS))
    text = b"".join(draw(st.lists(st.sampled_from([b"a", b"b", b"\r", b"\n", b"1.5", end]), max_size=40)))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=20)))
    return end, text, [text[begin:stop] for begin, stop in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@given(split_texts())
def test_any_split_of_a_text_gives_the_same_lines(split):
    end, text, packets = split
    lines = Lines(end)
    taken = []
    for packet in packets:
        lines.feed(packet)
        taken += take_all(lines)
    assert [*taken, lines.rest] == text.split(end)


@given(split_texts())
def test_lines_may_as_well_be_taken_later(split):
    end, text, packets = split
    lines = Lines(end)
    for packet in packets:
        lines.feed(packet)
    assert [*take_all(lines), lines.rest] == text.split(end)


def test_line_is_not_complete_without_the_whole_end():
    lines = Lines(b"\r\n")
    lines.feed(b"1.5\r")
    assert lines.take() is None
    lines.feed(b"\n")
    assert lines.take() == b"1.5"


def test_empty_line_is_a_line():
    lines = Lines(b"\n")
    lines.feed(b"\n")
    assert lines.take() == b""
    assert lines.take() is None


def test_part_of_an_end_is_not_taken_for_one():
    lines = Lines(b"\r\n")
    lines.feed(b"a\rb\nc\r\r\n")
    assert take_all(lines) == [b"a\rb\nc\r"]


@given(split_texts(), st.integers(0, 6))
def test_limit_depends_on_the_line_and_not_on_its_packets(split, limit):
    end, text, packets = split
    *complete, rest = text.split(end)
    short = list(itertools.takewhile(lambda line: len(line) <= limit, complete))
    lines = Lines(end, limit)
    taken = []
    try:
        for packet in packets:
            lines.feed(packet)
            taken.extend(iter(lines.take, None))
    except LineTooLongError:
        assert len([*complete, rest][len(short)]) > limit
    else:
        # The last bytes of the rest might still turn out to belong to an end.
        assert short == complete
        assert len(rest) < limit + len(end)
    assert taken == short


def test_line_without_end_is_refused_with_what_was_expected():
    lines = Lines(b"\n", limit=10)
    lines.feed(b"x" * 10)
    assert lines.take() is None
    lines.feed(b"x")
    with pytest.raises(LineTooLongError, match=r"^expected b'\\n' within 10 bytes, not 11 bytes without it$"):
        lines.take()


def test_each_byte_is_searched_once():
    class Buffer(bytearray):
        looked_at = 0

        def find(self, end, start):
            self.looked_at += len(self) - start
            return super().find(end, start)

    lines = Lines(b"\r\n")
    lines._buffer = Buffer()
    for _ in range(1000):
        lines.feed(b"x")
        lines.take()
    assert lines._buffer.looked_at <= 2 * 1000


def test_end_must_not_be_empty():
    with pytest.raises(ValueError, match="return sequence"):
        Lines(b"")
