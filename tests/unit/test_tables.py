"""Tables: for people, in a terminal and in a notebook."""

import pytest

from concert.tables import get_default_table, html, print_table


def test_a_table_has_no_frame_and_no_blanks_at_its_ends(capsys):
    print_table(("device", "value"), [("stage", "3 mm"), ("a", "")])
    assert capsys.readouterr().out == "device  value\nstage   3 mm\na\n"


def test_a_column_is_as_wide_as_it_may_be():
    table = get_default_table(("device", "meaning"), (None, 7))
    table.add_row(["stage", "one two three"])
    assert [line.split() for line in table.get_string().splitlines()] == [
        ["device", "meaning"],
        ["stage", "one", "two"],
        ["three"],
    ]


def test_widths_are_one_for_each_column():
    with pytest.raises(ValueError, match="expected 2 widths, one for each column, not 1"):
        get_default_table(("a", "b"), (5,))


def test_html_is_only_made_of_the_table():
    table = get_default_table(("a<b",))
    table.add_row(["<i>x</i>"])
    assert "<th>a&lt;b</th>" in html(table)
    assert "<td>&lt;i&gt;x&lt;/i&gt;</td>" in html(table)
