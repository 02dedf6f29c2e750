"""The notations in which people write numbers, dates and times, one by one and in columns."""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, strategies as st

from shoal.errors import DataError
from shoal.tabular import read_table
from shoal.tabular.dialect import BLANKS, dialect_of, split
from shoal.tabular.values import is_numeral, looks_like_date, read_clock, read_dates, read_numerals

pyarrow = pytest.importorskip("pyarrow")


@pytest.mark.parametrize(
    "cell",
    [
        "1", "-1", "+1.5", "1.", ".5", "1e3", "1E-3", "1d2", "$5", "-$5", "$-5", "5%", "5 %", "5\u2030", "(5)", "5-",
        "EUR 5",
        "5 EUR", "€ 5,50", "5 km", "5 m/s", "5°C", "5 °", "1,234.5", "1.234,5", "1 234", "1'234",
        "1\u202f234", "\u22125", "US$5",
    ],
)  # fmt: skip
def test_a_cell_with_one_number_is_a_number(cell):
    assert is_numeral(cell)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "a",
        "1 2 a b",
        "--1",
        "-(5)",
        "(5",
        "5)",
        "(-5)",
        "-5-",
        "1-2",
        "e3",
        "$",
        "%",
        "1.2.3.4a b",
        "2024-01-01",
        "5 5 km!",
    ],
)
def test_a_cell_with_anything_else_is_none(cell):
    assert not is_numeral(cell)


@pytest.mark.parametrize(
    ("cells", "values", "says"),
    [
        (["1", "2.5", None, "-3"], [1, 2.5, math.nan, -3], ""),
        (["1,234", "12,345.5", "5"], [1234, 12345.5, 5], "commas between thousands"),
        (["1,5", "2,25"], [1.5, 2.25], "decimal commas"),
        (["1.234,5", "12.345", "1,5"], [1234.5, 12345, 1.5], "points between thousands"),
        (["1 234", "12 345,5"], [1234, 12345.5], "marks between thousands"),
        (["1'234.5", "2'000"], [1234.5, 2000], "marks between thousands"),
        (["$1", "$2.50"], [1, 2.5], "'$'"),
        (["5 %", "10 %"], [5, 10], "'%'"),
        (["(5)", "6"], [-5, 6], "brackets around negative numbers"),
        (["5-", "6"], [-5, 6], ""),
        (["\u22125", "+6"], [-5, 6], ""),
        (["1e3", "1D-2"], [1000, 0.01], ""),
        (["€1,234", "€5"], [1234, 5], "'€' and commas between thousands"),
        (["5 km", "6 km"], [5, 6], "'km'"),
        ([".5", "1."], [0.5, 1], ""),
        ([], [], ""),
        ([None], [math.nan], ""),
    ],
)
def test_a_column_is_read_by_the_notation_that_most_cells_share(cells, values, says):
    found = read_numerals(cells)
    np.testing.assert_array_equal(found.values, values)
    assert found.strangers == []
    assert found.says == says


@pytest.mark.parametrize(
    ("cells", "strangers"),
    [
        (["1", "2", "x"], [2]),
        (["$1", "$2", "3"], [2]),
        (["5 km", "6 km", "7 miles"], [2]),
        (["1,5", "2,5", "1.5"], [2]),
        (["x", None, "y"], [0, 2]),
    ],
)
def test_cells_that_are_written_otherwise_are_named(cells, strangers):
    found = read_numerals(cells)
    assert found.strangers == strangers
    assert all(math.isnan(found.values[row]) for row in strangers)


def test_a_comma_is_decimal_where_that_is_known():
    cells = ["1,234", "2,345"]
    assert read_numerals(cells).values.tolist() == [1234, 2345]
    assert read_numerals(cells, comma=True).values.tolist() == [1.234, 2.345]


def test_whole_numbers_beyond_floats_stay_apart():
    found = read_numerals([f"{2**60:,}", f"{2**60 + 1:,}"])
    assert found.values == [2**60, 2**60 + 1]


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8))
def test_groups_of_thousands_can_be_read_back(numbers):
    plain = read_numerals([f"{number:,}" for number in numbers])
    assert plain.values.tolist() == numbers
    for mark in ("\u202f", "'", "_"):
        found = read_numerals([f"{number:,}".replace(",", mark) for number in numbers])
        assert found.values.tolist() == numbers


@pytest.mark.parametrize(
    "cell",
    ["2024-01-31", "2024/1/3", "31.01.2024", "1/31/2024", "31-01-2024", "2024-01-31 12:30", "2024-01-31T12:30:00Z",
     "3 Jan 2024",
     "03-Jan-2024", "January 3, 2024", "Jan 3 2024", "2024-01", "9:30", "09:30:15", "9:30:15.25"],
)  # fmt: skip
def test_a_cell_may_be_a_date(cell):
    assert looks_like_date(cell)


@pytest.mark.parametrize("cell", ["", "2024", "12", "1.5", "1-2", "today", "930", "2024-1-1x", "1/2/24", ":30"])
def test_other_cells_are_no_dates(cell):
    assert not looks_like_date(cell)


FORMS = ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y", "%d %B %Y", "%B %d, %Y", "%Y-%m-%dT%H:%M:%S",
         "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_days_are_the_same_in_every_notation(form):
    days = [date(2023, 12, 20) + timedelta(days=place) for place in range(30)]
    cells = pyarrow.array([None, *(day.strftime(form) for day in days)])
    found = read_dates(cells).to_pylist()
    assert found[0] is None
    assert [stamp.date() for stamp in found[1:]] == days


def test_words_are_no_dates():
    assert read_dates(pyarrow.array(["a", "b"])) is None


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["9:30", "10:00"], ["09:30", "10:00"]),
        (["09:30:01", None], ["09:30:01", None]),
        (["9:30", "late"], None),
        (["24.5"], None),
    ],
)
def test_times_of_day_sort_as_text(cells, wanted):
    assert read_clock(pyarrow.array(cells)) == wanted


@pytest.mark.parametrize(
    ("lines", "delimiter", "header", "width"),
    [
        (["a,b", "1,2", "3,4"], ",", ("a", "b"), 2),
        (["a;b", "1,5;2", "3;4"], ";", ("a", "b"), 2),
        (["a\tb", "1\t2"], "\t", ("a", "b"), 2),
        (["a|b", "1|2"], "|", ("a", "b"), 2),
        (["1,2", "3,4"], ",", None, 2),
        (["1", "2"], None, None, 1),
        (["load", "1", "2"], None, ("load",), 1),
        (["a b", "1 2", "3  4"], BLANKS, ("a", "b"), 2),
        (['"a, b",c', '"1,5",2'], ",", ("a, b", "c"), 2),
    ],
)
def test_the_layout_of_a_table_is_found_from_its_lines(lines, delimiter, header, width):
    found = dialect_of(lines)
    assert (found.delimiter, found.header, found.width) == (delimiter, header, width)


@pytest.mark.parametrize(
    ("line", "delimiter", "cells"),
    [
        ('"a, b", c ', ",", ["a, b", "c"]),
        ("  a   b ", BLANKS, ["a", "b"]),
        ('"a b"  c', BLANKS, ["a b", "c"]),
        ("2024-01-01 12:30 5", BLANKS, ["2024-01-01T12:30", "5"]),
        (' "a, b" ', None, ["a, b"]),
        ("a,,b", ",", ["a", "", "b"]),
        ("", ",", []),
    ],
)
def test_a_line_is_split_into_trimmed_cells(line, delimiter, cells):
    assert split([line], delimiter) == [cells]


def written(tmp_path, text):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(str(path))


def read_first(tmp_path, text):
    table = written(tmp_path, text)
    return table.column(table.names[0])


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("day,load\n2024-01-01,1\n2024-01-02,2\n", {"day": "dates", "load": "numbers"}),
        ("name,on\na,true\nb,false\nc,TRUE\n", {"name": "text", "on": "flags"}),
        ("at,x\n9:30,1\n10:00,2\n", {"at": "dates", "x": "numbers"}),
        ("x,y\n1,\n,2\n", {"x": "numbers", "y": "numbers"}),
        ("x,y\n5A,1\n5B,2\n5A,3\n", {"x": "text", "y": "numbers"}),
        ("größe,日\n1,a\n2,b\n", {"größe": "numbers", "日": "text"}),
    ],
)
def test_columns_are_what_their_cells_are(tmp_path, text, kinds):
    table = written(tmp_path, text)
    assert {name: table.column(name).kind for name in table.names} == kinds


def test_a_cell_of_any_length_is_read(tmp_path):
    long = "word " * 40_000
    table = written(tmp_path, f'name,text\na,"{long}"\nb,short\n')
    assert table.column("text").values == [long.strip(), "short"]
    assert table.length == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("day,x\n2024-01-01,1\n2024-01-02,2\nsoon,3\n", "row 3 of column 'day' is no date like the others: 'soon'"),
        ("x,y\n$1,1\n$2,2\nmuch,3\n", r"row 3 of column 'x' is no number like the others \('\$'\): 'much'"),
        ("", "is empty"),
        ("a,b\n", "holds no values"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_first(tmp_path, text)
