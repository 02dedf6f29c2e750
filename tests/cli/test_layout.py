"""How the layout of a text table is told from its first lines."""

from __future__ import annotations

import pytest

from shoal.cli.layout import layout_of


@pytest.mark.parametrize(
    ("head", "delimiter", "header", "skip"),
    [
        (b"1\n2\n", "\t", ("value",), 0),
        (b"x\n1\n2\n", "\t", ("x",), 1),
        (b"a\nb\na\n", "\t", ("value",), 0),
        (b"a,b\n1,2\n", ",", ("a", "b"), 1),
        (b"1,2\n3,4\n", ",", ("column 1", "column 2"), 0),
        (b"a\tb, c\n1\t2\n", "\t", ("a", "b, c"), 1),
        (b"a;b\n1,5;2,5\n", ";", ("a", "b"), 1),
        (b"1 2\n3 4\n", " ", ("column 1", "column 2"), 0),
        (b"two words\nmore words\n", "\t", ("value",), 0),
        (b"# c\n# d\nx\n1\n", "\t", ("x",), 3),
        (b'"x, y",z\n1,2\n', ",", ("x, y", "z"), 1),
        (b"a,a,\n1,2,3\n", ",", ("a", "a 2", "column 3"), 1),
        (b"\xef\xbb\xbfx\n1\n", "\t", ("x",), 1),
        (b"2020-01-01,1\n2020-01-02,2\n", ",", ("column 1", "column 2"), 0),
    ],
)
def test_delimiter_header_and_lines_to_skip(head: bytes, delimiter: str, header: tuple[str, ...], skip: int) -> None:
    layout = layout_of(head)
    assert (layout.delimiter, layout.header, layout.skip) == (delimiter, header, skip)


def test_a_named_column_marks_the_first_line_as_the_header() -> None:
    assert layout_of(b"word\nthe\nthe\n", ["word"]).header == ("word",)


def test_decimal_commas_and_latin_letters_are_seen() -> None:
    assert layout_of(b"a;b\n1,5;2,5\n").decimal == ","
    assert layout_of(b"a,b\n1,5\n").decimal == "."
    assert layout_of("größe\n1\n".encode("latin1")).encoding == "latin1"
    assert layout_of("größe\n1\n".encode()).encoding == "utf8"
    assert layout_of("größ".encode()[:-1]).encoding == "utf8"
