"""Text tables of every dialect are read as what they say, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shoal.errors import DataError, UsageError
from shoal.tabular import Table, read_table

VALUES = [0.126, -0.132, 0.64, 1.105, -0.536, 0.05, 1.304, -10.947, 2.07, 1.0, 12.125, 0.5]


def rows(row: Callable[[int, float], str]) -> str:
    return "".join(f"{row(place, value)}\n" for place, value in enumerate(VALUES))


def comma(value: float) -> str:
    return str(value).replace(".", ",")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Table]:
    def read(content: str | bytes, **how: object) -> Table:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(str(path), **how)  # type: ignore[arg-type]

    return read


def numbers(table: Table, place: int = -1) -> list[float]:
    column = table.column(table.names[place])
    assert column.kind == "numbers", column
    return [float(value) for value in column.values]


@pytest.mark.parametrize(
    "content",
    [
        rows(lambda _, v: f"{v}"),
        "x\n" + rows(lambda _, v: f"{v}"),
        "x\r\n" + rows(lambda _, v: f"{v}\r"),
        "x\r" + rows(lambda _, v: f"{v}").replace("\n", "\r"),
        "x\r\r\n" + rows(lambda _, v: f"{v}\r\r"),
        "\ufeffx\n" + rows(lambda _, v: f"{v}"),
        ("x\n" + rows(lambda _, v: f"{v}")).encode("utf-16"),
        ("größe\n" + rows(lambda _, v: f"{v}")).encode("latin1"),
        "# made by hand\n#\nx\n" + rows(lambda k, v: f"{v}" if k != 5 else f"# a remark\n{v}"),
        '"x"\n' + rows(lambda _, v: f'"{v}"'),
        "x\n" + rows(lambda _, v: f"  {v}  "),
        "x\n" + rows(lambda _, v: f"{v:+}"),
        "x\n" + rows(lambda _, v: f"{v}".replace("-", "\u2212")),
        "x\n" + rows(lambda _, v: f"{v:e}"),
        "x\n" + rows(lambda _, v: f"{v:e}".replace("e", "D")),
        "x\n" + rows(lambda _, v: f"({-v})" if v < 0 else f"{v}"),
        "x\n" + rows(lambda _, v: f"{-v}-" if v < 0 else f"{v}"),
        "x\n" + rows(lambda _, v: f"{v}%"),
        "x\n" + rows(lambda _, v: f"{v} kg"),
        "x\n" + rows(lambda _, v: f"{v}ms"),
        "x\n" + rows(lambda _, v: f"{v} °C"),
        "x\n" + rows(lambda _, v: f"-${-v}" if v < 0 else f"${v}"),
        "x\n" + rows(lambda _, v: f"$-{-v}" if v < 0 else f"${v}"),
        "x\n" + rows(lambda _, v: f"USD {v}"),
        ("x\n" + rows(lambda _, v: f"{v} €")).encode("cp1252"),
        "x\n" + rows(lambda _, v: comma(v)),
        rows(lambda _, v: comma(v)),
        "a;x\n" + rows(lambda _, v: f"1;{comma(v)}"),
        "sep=;\na;x\n" + rows(lambda _, v: f"1;{comma(v)}"),
        "a\tx\n" + rows(lambda _, v: f"1\t{comma(v)}"),
        "a,x\n" + rows(lambda _, v: f'1,"{comma(v)}"'),
        "a,x\n" + rows(lambda _, v: f"1,{v}"),
        "a, x\n" + rows(lambda _, v: f"1, {v}"),
        "a|x\n" + rows(lambda _, v: f"1|{v}"),
        "a,x,\n" + rows(lambda _, v: f"1,{v},"),
        "a,x\n" + rows(lambda _, v: f"1,{v},"),
        "a,x,\n" + rows(lambda _, v: f"1,{v}"),
        "a,x\n" + rows(lambda _, v: f"1,{v}") + ",\n,\n",
        "note,x\n" + rows(lambda k, v: f'"two\nlines, {k}",{v}'),
        '"a\nname",x\n' + rows(lambda _, v: f"1,{v}"),
        "note,x\n" + rows(lambda k, v: f'5" pipe,{v}'),
        "     a      x\n" + rows(lambda k, v: f"{k:6d} {v:8.3f}"),
        rows(lambda k, v: f"{k:6d} {v:8.3f}"),
        "time (s)    x\n" + rows(lambda k, v: f"{k} {v}"),
        '"x"\n' + rows(lambda k, v: f'"row {k}" {v}'),
        rows(lambda k, v: f"2020-01-{k + 1:02d} 12:00:00 {v:8.3f}"),
        ",x\n" + rows(lambda k, v: f"{k},{v}"),
        ",0\n" + rows(lambda k, v: f"{k},{v}"),
        "0\n" + rows(lambda _, v: f"{v}"),
    ],
)
def test_the_same_numbers_come_from_every_way_of_writing_them(read, content: str | bytes) -> None:
    assert numbers(read(content)) == VALUES


MONEY = [1012.6, 986.8, 1064.0, 12345.5, 1000000.25, 999.0, 5123.4, 1020.0]


@pytest.mark.parametrize(
    "cell",
    [
        lambda v: f"{v:,.2f}",
        lambda v: f"${v:,.2f}",
        lambda v: f"{v:,.2f} €",
        lambda v: f"{v:,.2f}".replace(",", " ").replace(".", ","),
        lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
        lambda v: f"{v:,.2f}".replace(",", "'"),
        lambda v: f"{v:,.2f}".replace(",", "\u202f"),
        lambda v: f"{v:_.2f}",
    ],
)
def test_thousands_are_read_with_a_header_without_one_and_in_quotes(read, cell: Callable[[float], str]) -> None:
    lines = [cell(value) for value in MONEY]
    assert numbers(read("price\n" + "\n".join(lines))) == MONEY
    assert numbers(read("day;price\n" + "\n".join(f"d;{line}" for line in lines))) == MONEY
    assert numbers(read("day,price\n" + "\n".join(f'd,"{line}"' for line in lines))) == MONEY
    assert numbers(read("\n".join(lines))) == MONEY


@pytest.mark.parametrize("sign", ["", "$", "USD "])
def test_points_that_may_part_thousands_or_be_decimal_are_refused(read, sign: str) -> None:
    with pytest.raises(DataError, match=r"row 2 of column 'x' .* may separate thousands or be decimal"):
        read(f"x\n{sign}986\n{sign}1.064\n{sign}0\n").column("x")
    assert numbers(read(f"x\n{sign}986\n{sign}1.064\n{sign}0.5\n")) == [986.0, 1.064, 0.5]


def test_commas_are_decimal_where_semicolons_part_cells(read) -> None:
    assert numbers(read("a;x\n1;8,512\n2;4,574\n")) == [8.512, 4.574]
    assert numbers(read("x\n8,512\n4,574\n")) == [8512.0, 4574.0]
    assert numbers(read("a;x\n1;8,512\n2;574\n")) == [8512.0, 574.0]


def test_signs_before_currencies_and_units_stay(read) -> None:
    assert numbers(read("price\n-USD 5.5\nUSD 7.5\n")) == [-5.5, 7.5]
    assert numbers(read("€4.481,0\n€6.889,4\n")) == [4481.0, 6889.4]
    assert numbers(read("4,1 €\n12,9 €\n")) == [4.1, 12.9]
    assert numbers(read("$54 362.5\n$939.9\n")) == [54362.5, 939.9]
    with pytest.raises(DataError, match="may be one number with a decimal comma or two columns"):
        read("$4,1\n$12,9\n")


def test_indian_groups_and_whole_thousands_are_exact(read) -> None:
    assert numbers(read("x\n12,34,567.5\n1,234\n999\n")) == [1234567.5, 1234.0, 999.0]
    large = read("x\n1,152,921,504,606,846,977\n1,152,921,504,606,846,976\n").column("x").values
    assert large == [2**60 + 1, 2**60]


@pytest.mark.parametrize("digits", [2**60, 10**30])
def test_whole_numbers_of_any_size_and_long_decimals_stay_apart(read, digits: int) -> None:
    values = read(f"x\n{digits + 1}\n{digits}\n\n{digits + 1}\n").column("x").values
    assert values[0] > values[1]
    assert values[0] == values[3]
    fractions = read("x\n0.12345678901234567891\n0.12345678901234567890\n").column("x").values
    assert fractions[0] > fractions[1]


def test_missing_values_and_infinities(read) -> None:
    words = ["", "NA", "N/A", "NaN", "null", "None", "?", "-", "#N/A", "<NA>"]
    column = read("x,y\n" + "".join(f"{word},1\n" for word in words) + "1.5,1\n" * 20 + "inf,1\n-inf,1\n").column("x")
    assert column.kind == "numbers"
    assert np.isnan(column.values).tolist() == [True] * len(words) + [False] * 22
    assert column.values[-2:].tolist() == [np.inf, -np.inf]
    assert numbers(read("NA\n1\n2\n"))[1:] == [1.0, 2.0]


def test_words_of_missing_values_are_words_among_words(read) -> None:
    table = read("state\n" + "None\nopen\n?\nopen\nNone\n?\n" * 20)
    assert table.column("state").values[:3] == ["None", "open", "?"]
    assert read("NA\n-\n" * 20).column("value").values[:2] == ["NA", "-"]


def test_blank_lines_of_one_column_are_steps_and_those_of_a_table_are_none(read) -> None:
    table = read("\n1\n\n \n4\n\n\n")
    np.testing.assert_array_equal(table.column("value").values, [np.nan, 1.0, np.nan, np.nan, 4.0])
    assert table.notes[0] == "3 blank lines taken as missing steps"
    table = read("x\n\n2\n3\n")
    np.testing.assert_array_equal(table.column("x").values, [np.nan, 2.0, 3.0])
    table = read("a,b\n1,2\n\n3,4\n")
    assert table.column("b").values.tolist() == [2.0, 4.0]
    assert table.notes[0] == "1 blank line skipped"


def test_the_lines_of_steps_are_said_where_they_are_no_rows(read) -> None:
    assert read("x\n1\n2\n").notes == []
    assert read('x,note\n1,"two\nlines"\n2,b\n').notes == ["2 steps in 3 lines; step 0 is line 2"]
    assert read("# about\n\nx\n1\n2\n").notes == [
        "lines that begin with # skipped",
        "2 steps in 2 lines; step 0 is line 4",
    ]


@pytest.mark.parametrize(
    ("content", "kind", "first"),
    [
        ("state\n" + "no\n" * 30 + "yes\n" * 30, "text", "no"),
        ("s\n" + "TRUE\n" * 30 + "FALSE\n" * 30, "flags", 1.0),
        ("no\nyes\n" * 30, "text", "no"),
        ('"\na\n"\nb\n' * 10, "text", '"'),
        ("a\n#\nb\n#\n" * 10, "text", "a"),
        ("#one\n#two\n" * 10, "text", "#one"),
        ("two words\nmore words\n" * 10, "text", "two words"),
        ("café\nnaïve\n" * 10, "text", "café"),
        ("1.0.0\n1.2.0\n" * 10, "text", "1.0.0"),
        ("1/3\n2/3\n" * 10, "text", "1/3"),
        ('"so\n"no\n' * 10, "text", '"so'),
    ],
)
def test_words_and_their_header(read, content: str, kind: str, first: object) -> None:
    table = read(content)
    column = table.column(table.names[0])
    assert (column.kind, column.values[0]) == (kind, first)
    assert table.length == content.count("\n") - (table.names != ["value"])


def test_quotes_that_words_open_are_letters_and_it_is_said(read) -> None:
    assert "20 lines begin with a quote" in read('"so\n"no\n' * 10).notes[0]
    assert read('"so"\n"no"\n' * 10).column("value").values[0] == "so"


def test_a_guessed_header_of_words_is_said_and_can_be_overruled(read) -> None:
    content = "state\n" + "no\nyes\n" * 30
    assert "taken as the name of the column" in read(content).notes[0]
    assert read(content, header=False).length == 61
    assert read("one\ntwo\ntwo\n", header=True).names == ["one"]
    assert read("1990,1991\n3,4\n5,6\n", header=True).names == ["1990", "1991"]
    assert read("word\nthe\nthe\n", columns=["word"]).names == ["word"]


@pytest.mark.parametrize(
    ("head", "names"),
    [
        ("a,a,\n1,2,3\n", ["a", "a 2", "column 3"]),
        ("1,2\n3,4\n", ["column 1", "column 2"]),
        (",0,1\n0,2.5,3.5\n1,4.5,5.5\n", ["column 1", "0", "1"]),
        ("0,1\n2.5,3.5\n4.5,5.5\n", ["0", "1"]),
        ("NA,NA\n1,2\n", ["column 1", "column 2"]),
        ("name,1990,1991\na,0.5,1.5\nb,2.5,3.5\n", ["name", "1990", "1991"]),
        ("1990,1991\n1,2\n", ["column 1", "column 2"]),
        ('"x, y",z\n1,2\n', ["x, y", "z"]),
        ("x y\n1 0.5 0.6\n2 0.7 0.8\n", ["column 1", "x", "y"]),
    ],
)
def test_names_of_columns(read, head: str, names: list[str]) -> None:
    assert read(head).names == names


@pytest.mark.parametrize(
    "day",
    [
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%d.%m.%Y",
        "%m/%d/%Y",
        "%d/%m/%Y",
        "%d-%b-%Y",
        "%b %d, %Y",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S.123456789",
        "%m/%d/%Y %I:%M %p",
        "%d.%m.%Y %H:%M",
    ],
)
def test_dates_are_dates_in_any_way_of_writing_them(read, day: str) -> None:
    import datetime

    days = [datetime.date(2020, 1, 1) + datetime.timedelta(k) for k in range(40)]
    table = read("d;x\n" + "".join(f"{one.strftime(day)};1\n" for one in days))
    column = table.column("d")
    assert column.kind == "dates"
    assert column.values.astype("datetime64[D]").tolist() == days


def test_months_written_with_the_day_first_are_months(read) -> None:
    values = read("d,x\n" + "".join(f"01/{k % 12 + 1:02d}/{1990 + k // 12},1\n" for k in range(40))).column("d").values
    assert np.unique(values.astype("datetime64[M]")).size == 40


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x\n" + "1\n" * 50 + "oops\n" + "1\n" * 50, r"row 51 of column 'x' is no number: 'oops' \(line 52\)"),
        ("# a\nx\n\n1\n2\noops\n3\n", r"row 4 of column 'x' is no number: 'oops' \(line 6\)"),
        ("x\n5%\n6%\n7\n8%\n", r"row 3 of column 'x' is no number like the others \('%'\): '7'"),
        ("x\n5.5 kg\n6.5 kg\n7.5 g\n8.5 kg\n", "like the others .'kg'.: '7.5 g'"),
        ("x\n1.5\n<0.1\n2.5\n3.5\n", "'<0.1'"),
        ("x\n1.5\nx\n2.5\n3.5\n", "row 2 of column 'x' is no number: 'x'"),
        ("x,y\n[m],[s]\n1,2\n3,4\n5,6\n", "row 1 of column 'x' is no number: '.m.'"),
        ("d,x\n2020-01-01,1\n2020-13-45,2\n2020-01-03,3\n", "row 2 of column 'd' is no date like the others"),
        ("x\n1,234.5\n1.234,5\n1,235.5\n", r"commas between thousands\): '1.234,5'"),
    ],
)
def test_a_cell_unlike_the_others_is_named(read, content: str, says: str) -> None:
    table = read(content)
    with pytest.raises(DataError, match=says):
        table.column(table.names[0])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"a,b\n", "holds no values"),
        ("a,b\n1,2\n1,2,3\n", "line 3 .* Expected 2 columns, got 3"),
        ("a,b\n1,2\n3\n4,5\n6,7\n8,9\n10,11\n", "line 3 .* Expected 2 columns, got 1"),
        ("day,price\n" + "2020-01-01,1,234.50\n" * 9, "line 2 .* Expected 2 columns, got 3"),
        ("a b\n" + "1 2\n" * 9 + "3\n" + "1 2\n", "line 11 .* Expected 2 columns, got 1"),
        ("a,b,c\n" + "1,2\n" * 9, "names 3 columns .* 2 cells"),
        ('x,note\n1,a\n2,"open\n3,b\n4,c\n', "a quote that opens .* line 3 .*not closed"),
        ("1,2,3,4,5\n", "one row of 5 cells"),
        ("1 2 3 4 5\n", "one row of 5 cells"),
        ("ACGT" * 30, "one row of 120 characters"),
        ("1,512.5\n3,498.1\n2,100.0\n", "may be one number with thousands or 2 columns"),
        (bytes(range(256)) * 20, "is binary"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is binary"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(read, content: str | bytes, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        read(content)
    assert "\n" not in str(caught.value)


def test_a_counter_beside_numbers_of_three_digits_is_a_table(read) -> None:
    assert read("".join(f"{k},{100 + k * 7}\n" for k in range(1, 60))).names == ["column 1", "column 2"]


def test_a_gzipped_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"x\n1.5\n2.5\n"))
    assert numbers(read_table(str(tmp_path / "x.csv.gz"))) == [1.5, 2.5]


def test_a_folder_and_a_closed_standard_input_are_refused(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        read_table(str(tmp_path))
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        read_table("-")


def test_comments_and_cells_beyond_the_first_megabyte_are_read(read) -> None:
    wide = "1.000000000000,2.500000000000\n" * 50_000
    assert len(wide) > 2**20
    table = read("t,x\n" + wide + "# late\n" + "1,$3\n")
    assert table.length == 50_001
    with pytest.raises(DataError, match=r"row 50001 of column 'x' .*line 50003"):
        table.column("x")
