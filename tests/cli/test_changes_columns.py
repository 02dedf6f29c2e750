"""Which columns of a table are the stream of ``shoal changes``, which one names the steps, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shoal.cli.main import main

SHIFT = np.round(
    np.concatenate([np.random.default_rng(0).normal(size=200), np.random.default_rng(1).normal(size=200) + 4.0]), 3
)
DATES = np.arange("2020-01-01", "2021-02-04", dtype="datetime64[D]")
JITTER = np.cumsum(np.random.default_rng(2).uniform(0.5, 1.5, 400))

Found = Callable[..., tuple[dict, str]]


@pytest.fixture
def found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Found:
    def found(head: str, row: Callable[[int, float], str], *words: str) -> tuple[dict, str]:
        path = tmp_path / "table.csv"
        path.write_text(head + "".join(f"{row(k, v)}\n" for k, v in enumerate(SHIFT)), encoding="utf-8")
        main(["changes", str(path), "--json", *words])
        printed = capsys.readouterr()
        return json.loads(printed.out), printed.err

    return found


@pytest.fixture
def refused(found: Found, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def refused(*given: object) -> str:
        with pytest.raises(SystemExit) as ending:
            found(*given)
        printed = capsys.readouterr()
        assert ending.value.code == 2
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return printed.err

    return refused


def words(k: int) -> str:
    """States whose law changes at 200."""
    return ["yes", "no", "no", "no"][(k * 7) % 4 if k < 200 else (k * 7) % 2]


@pytest.mark.parametrize(
    ("head", "row", "index", "label"),
    [
        ("t,x\n", lambda k, v: f"{k},{v}", "t", "200"),
        ("t,x\n", lambda k, v: f"{0.1 * k},{v}", "t", "20.0"),
        ("t,x\n", lambda k, v: f"{0.1 * k:.1f},{v}", "t", "20.0"),
        ("x,t\n", lambda k, v: f"{v},{0.1 * k:.1f}", "t", "20.0"),
        ("when,x\n", lambda k, v: f"{JITTER[k]:.3f},{v}", "when", str(round(JITTER[200], 3))),
        ("timestamp,x\n", lambda k, v: f"{1700000000 + k // 3},{v}", "timestamp", "1700000066"),
        ("d,x\n", lambda k, v: f"{DATES[k]},{v}", "d", str(DATES[200])),
        (",d,x\n", lambda k, v: f"{k},{DATES[k]},{v}", "d", str(DATES[200])),
        ("d,n,x\n", lambda k, v: f"{DATES[k]},{k},{v}", "d", str(DATES[200])),
        (",x\n", lambda k, v: f"{k},{v}", "column 1", "200"),
        ("", lambda k, v: f"{k:6d} {v:10.3f}", "column 1", "200"),
        ("t,x\n", lambda k, v: f"{k * 10**15 + 2**60},{v}", "t", str(2**60 + 200 * 10**15)),
    ],
)
def test_a_clock_names_the_steps_and_is_said_to(found: Found, head: str, row, index: str, label: str) -> None:
    answer, said = found(head, row)
    assert answer["places"] == [200]
    assert answer["index"] == [label]
    assert len(answer["columns"]) == 1
    assert f"column {index!r} taken as the index" in said


def test_the_truth_of_a_stream_beside_two_clocks_is_that_of_the_stream_alone(found: Found) -> None:
    alone, _ = found("x\n", lambda _, v: f"{v}")
    beside, said = found(",d,x\n", lambda k, v: f"{k},{DATES[k]},{v}")
    assert beside["changes"] == alone["changes"]
    assert "column 'column 1' only rises and is left out" in said


def test_the_index_is_overruled_by_none_or_another_column(found: Found) -> None:
    def row(k: int, v: float) -> str:
        return f"{k},{JITTER[k]:.3f},{v}"

    assert found("n,t,x\n", row)[0]["index"] == ["200"]
    assert found("n,t,x\n", row, "--index", "t")[0]["index"] == [str(round(JITTER[200], 3))]
    answer, said = found("n,t,x\n", row, "--index", "none")
    assert answer["columns"] == ["n", "t", "x"]
    assert "index" not in answer
    assert said == ""
    answer, _ = found("n,t,x\n", row, "--column", "x", "--index", "none")
    assert (answer["columns"], "index" in answer) == (["x"], False)


def test_what_does_not_rise_is_no_index(found: Found) -> None:
    assert found("level,x\n", lambda k, v: f"{k // 200},{v}")[0]["columns"] == ["level", "x"]
    assert found("a,b\n", lambda k, v: f"{v},{-v}")[0]["columns"] == ["a", "b"]
    answer, said = found("clock,x\n", lambda k, v: f"{k % 24:02d}:00,{v}")
    assert answer["columns"] == ["x"]
    assert "'clock' begins again" in said
    assert found("x\n", lambda k, _: f"{k}")[0]["columns"] == ["x"]


def test_states_beside_a_clock_are_the_stream(found: Found) -> None:
    for row in (lambda k, _: f"{k / 10},{words(k)}", lambda k, _: f"{JITTER[k]:.3f},{words(k)}"):
        answer, said = found("t,state\n", row)
        assert answer["columns"] == ["state"]
        assert "column 't' taken as the index" in said
        assert len(answer["places"]) == 1
        assert abs(answer["places"][0] - 200) <= 10


def test_rising_numbers_beside_notes_that_all_differ_stay_the_stream(found: Found) -> None:
    answer, _ = found("total,note\n", lambda k, _: f"{JITTER[k]:.3f},note {k * k}")
    assert answer["columns"] == ["total"]


def test_money_is_read_and_what_was_taken_off_is_said(found: Found) -> None:
    answer, said = found("price\n", lambda _, v: f'"${1000 + 100 * v:,.2f}"')
    assert answer["places"] == [200]
    assert "column 'price' read as numbers without '$' and commas between thousands" in said
    assert found("", lambda _, v: f"{5000 + 100 * v:,.1f}")[0]["places"] == [200]


def test_a_column_without_values_is_left_out(found: Found) -> None:
    answer, said = found("a,x\n", lambda _, v: f",{v}")
    assert answer["columns"] == ["x"]
    assert "column 'a' holds no values" in said


def test_missing_lines_of_a_pipe_stay_steps(found: Found) -> None:
    answer, said = found("", lambda k, v: "" if k % 10 == 3 else f"{v}")
    assert answer["length"] == 400
    assert answer["places"] == [200]
    assert "40 blank lines taken as missing steps" in said


def test_large_whole_numbers_keep_their_change(found: Found) -> None:
    for base in (2**60, 10**30):
        answer, _ = found("id\n", lambda k, v, base=base: str(base + round(10 * v)))
        assert answer["places"] == [200]


def test_columns_that_nobody_asked_for_may_be_broken(found: Found, refused) -> None:
    def row(k: int, v: float) -> str:
        return f"{v},{'oops' if k == 7 else 1}"

    assert found("x,y\n", row, "--column", "x")[0]["places"] == [200]
    assert "row 8 of column 'y' is no number: 'oops' (line 9)" in refused("x,y\n", row)


@pytest.mark.parametrize(
    ("head", "row", "says"),
    [
        ("id\n", lambda k, _: f"user {k * k}", "column 'value' has no information: 401 of its 401 values differ"),
        ("d,note\n", lambda k, _: f"{DATES[k]},note {k}", "column 'note' has no information: 400 of its 400"),
        ("x,d\n", lambda k, v: f"{v},{DATES[-1 - k]}", "the index is not sorted"),
        ("d,x\n", lambda k, v: f"{DATES[k] if k != 9 else ''},{v}", "no label at step 9"),
        ("d\n", lambda k, _: f"{DATES[k]}", "dates only"),
        ("a,b\n", lambda k, _: f"{words(k)},{words(k + 1)}", "choose one with --column"),
    ],
)
def test_what_makes_no_stream_is_refused_with_what_to_do(refused, head: str, row, says: str) -> None:
    assert says in refused(head, row)


def test_columns_that_do_not_fit_are_refused(refused) -> None:
    def row(k: int, v: float) -> str:
        return f"{DATES[k]},{words(k)},{v}"

    assert "has no column 'nope'" in refused("d,s,x\n", row, "--index", "nope")
    assert "column 'd' holds dates" in refused("d,s,x\n", row, "--column", "d")
    assert "needs numbers only" in refused("d,s,x\n", row, "--column", "x", "--column", "s")


def test_a_header_of_words_is_no_step_and_the_options_overrule(found: Found) -> None:
    answer, said = found("state\n", lambda k, _: words(k))
    assert (answer["length"], answer["columns"]) == (400, ["state"])
    assert "'state', taken as the name of the column" in said
    assert found("state\n", lambda k, _: words(k), "--no-header")[0]["length"] == 401
    assert found("yes\n", lambda k, _: words(k), "--header")[0]["length"] == 400


@pytest.mark.filterwarnings("error")
def test_numbers_near_the_largest_float_are_no_clock(found: Found) -> None:
    # Their differences are infinite, or sum to more than a float holds.
    answer, _ = found("x,y\n", lambda k, v: f"{1.7e308 if k % 2 else -1.7e308},{v}")
    assert answer["columns"] == ["x", "y"]
    answer, _ = found("x,y\n", lambda k, v: f"{[0.0, 1.6e308][k % 2]},{v}")
    assert answer["columns"] == ["x", "y"]


def test_which_way_a_clock_goes_is_said(found: Found) -> None:
    answer, said = found("t,x\n", lambda k, v: f"{400 - k},{v}")
    assert (answer["columns"], answer["places"]) == (["x"], [200])
    assert "column 't' only falls and is left out" in said


@pytest.mark.parametrize("empty", [0, 399])
def test_which_way_a_clock_goes_is_said_where_a_row_has_none(found: Found, empty: int) -> None:
    _, said = found("step,t,x\n", lambda k, v: f"{k},{'' if k == empty else round(JITTER[k], 3)},{v}")
    assert "column 't' only rises and is left out" in said


def test_columns_of_words_beside_numbers_are_said_to_be_left_out(found: Found) -> None:
    answer, said = found("when,x\n", lambda k, v: f"week {k % 52},{v}")
    assert answer["columns"] == ["x"]
    assert "column 'when' holds no numbers and is left out" in said


@pytest.mark.parametrize("cell", ["'{}", '="{}"', "~{}", "{}+-0.1"])
def test_numbers_that_are_read_as_words_are_said_to_be(found: Found, cell: str) -> None:
    _, said = found("day,x\n", lambda k, v: f"{DATES[k]},{cell.format(round(v, 1))}")
    assert "column 'x' read as words" in said
    assert "write them plainly" in said


def test_words_with_few_numbers_in_them_are_words(found: Found) -> None:
    _, said = found("", lambda k, _: f"s{k % 5 if k < 200 else 9 - k % 5}")
    assert "read as words" not in said


def test_thousands_beside_millions_are_refused(refused: Callable[..., str]) -> None:
    said = refused("x\n", lambda k, v: f"{900 + 10 * v:.2f}K" if k % 3 else f"{0.9 + v / 100:.5f}M")
    assert "is no number like the others ('K')" in said


def test_more_columns_than_rows_are_said_to_be_coordinates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("".join(",".join(map(str, SHIFT[k : k + 100])) + "\n" for k in range(0, 400, 100)))
    main(["changes", str(path)])
    assert "4 rows of 100 columns: each row is a step" in capsys.readouterr().err


def test_a_table_that_is_not_unicode_says_how_its_letters_were_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.csv"
    for encoding, called in [("cp1252", "Windows-1252"), ("latin1", "Latin-1")]:
        mark = "größe" if encoding == "cp1252" else "gr\x81ße"
        path.write_bytes((f"{mark}\n" + "".join(f"{v}\n" for v in SHIFT)).encode(encoding))
        main(["changes", str(path), "--json"])
        printed = capsys.readouterr()
        assert json.loads(printed.out)["columns"] == [mark]
        assert f"is not UTF-8; its letters read as {called}" in printed.err
