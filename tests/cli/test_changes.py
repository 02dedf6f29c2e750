"""``shoal changes``: what it reads, what it prints, and that nothing makes it crash."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shoal.cli.main import main

SHIFT = np.concatenate([np.random.default_rng(0).normal(size=300), np.random.default_rng(1).normal(size=300) + 3.0])
DATES = np.arange("2020-01-01", "2021-08-23", dtype="datetime64[D]")


def write(path: Path, lines: list[str], head: str = "") -> Path:
    path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def found(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    main(["changes", *words, "--json"])
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ending:
        main(["changes", *words])
    assert ending.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write(tmp_path / "plain.txt", [str(value) for value in SHIFT])


def test_the_table_says_place_set_p_value_and_what_changed(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["changes", str(plain)])
    first, head, row, pieces = capsys.readouterr().out.splitlines()
    assert first.endswith("600 steps of value: 1 change")
    assert head.split() == ["place", "confidence", "set", "p-value", "what", "changed"]
    assert abs(int(row.split()[0]) - 300) <= 2
    assert "before" in row
    assert pieces.startswith("pieces: A 0 to ")


def test_a_pipe_is_read_where_there_is_no_file(
    monkeypatch: pytest.MonkeyPatch, plain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_file = found(capsys, str(plain))
    for words in ([], ["-"]):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(plain.read_bytes())))
        of_pipe = found(capsys, *words)
        assert of_pipe["places"] == of_file["places"]


def test_the_number_of_processes_and_the_level_are_passed_on(plain: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = found(
        capsys, str(plain), "--processes", "2", "--min-distance", "0.2", "--alpha", "0.01", "--confidence", "0.8"
    )
    assert (answer["process_count"], answer["min_distance"]) == (2, 0.2)
    assert (answer["alpha"], answer["confidence"]) == (0.01, 0.8)
    assert answer["processes"] == [0, 1]
    assert found(capsys, str(plain), "--processes", "1")["places"] == []


@pytest.mark.parametrize(
    ("name", "head", "row"),
    [
        ("dates.csv", "date,temp\n", lambda k: f"{DATES[k]},{SHIFT[k]}"),
        ("semicolons.csv", "datum;wert\n", lambda k: f"{DATES[k]};{str(SHIFT[k]).replace('.', ',')}"),
        ("no head.csv", "", lambda k: f"{DATES[k]},{SHIFT[k]}"),
        ("rows.jsonl", "", lambda k: json.dumps({"date": str(DATES[k]), "temp": SHIFT[k]})),
    ],
)
def test_a_column_of_dates_is_the_index(name: str, head: str, row, tmp_path: Path, capsys) -> None:
    answer = found(capsys, str(write(tmp_path / name, [row(k) for k in range(600)], head)))
    (place,) = answer["places"]
    assert abs(place - 300) <= 2
    assert answer["index"] == [str(DATES[place])]
    assert len(answer["columns"]) == 1


def test_a_column_that_counts_is_the_index_and_other_numbers_are_coordinates(tmp_path: Path, capsys) -> None:
    years = write(tmp_path / "years.csv", [f"{1400 + k},{SHIFT[k]}" for k in range(600)], "year,level\n")
    answer = found(capsys, str(years))
    assert answer["columns"] == ["level"]
    assert answer["index"] == [str(1400 + answer["places"][0])]
    two = write(tmp_path / "two.tsv", [f"{value}\t{-value}" for value in SHIFT], "a\tb\n")
    assert found(capsys, str(two))["columns"] == ["a", "b"]
    assert found(capsys, str(two), "--column", "b")["columns"] == ["b"]


def test_parquet_json_arrays_symbols_gaps_and_comments_are_read(tmp_path: Path, capsys) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"x": SHIFT}), tmp_path / "x.parquet")
    (tmp_path / "x.json").write_text(json.dumps(SHIFT.tolist()))
    write(tmp_path / "x.csv", [str(value) for value in SHIFT], "# a comment\nx\n")
    places = [found(capsys, str(tmp_path / name))["places"] for name in ("x.parquet", "x.json", "x.csv")]
    assert places[0] == places[1] == places[2]
    gaps = write(tmp_path / "gaps.csv", ["NA" if k % 50 == 0 else str(v) for k, v in enumerate(SHIFT)], "x\n")
    main(["changes", str(gaps)])
    assert "600 steps of x, 12 of them missing: 1 change" in capsys.readouterr().out
    letters = np.random.default_rng(0).choice(["a", "b"], 600)
    letters[300:] = np.random.default_rng(1).choice(["b", "c"], 300)
    (place,) = found(capsys, str(write(tmp_path / "letters.txt", list(letters))))["places"]
    assert abs(place - 300) <= 10


def sloped(tmp_path: Path) -> Path:
    """A season of 12 days, and a slope that begins on the day 300."""
    days = np.arange(600)
    noise = np.random.default_rng(5).normal(size=600)
    values = np.cumsum(np.where(days < 300, 0.0, 1.5) + noise) + 8.0 * np.sin(2.0 * np.pi * days / 12.0)
    return write(tmp_path / "sloped.csv", [f"{DATES[k]},{values[k]}" for k in days], "date,close\n")


def test_differences_and_seasons_are_taken_off_and_places_stay_those_of_the_stream(tmp_path: Path, capsys) -> None:
    file = str(sloped(tmp_path))
    for words in (["--deseason", "12", "--difference"], ["--difference", "1", "--deseason", "12"]):
        answer = found(capsys, file, *words)
        (place,) = answer["places"]
        assert abs(place - 300) <= 5
        assert answer["index"] == [str(DATES[place])]
        assert (answer["difference"], answer["deseason"], answer["columns"]) == (1, 12, ["close"])
        assert answer["pieces"][1]["coordinates"][0]["mean"] == pytest.approx(1.5, abs=0.3)
    main(["changes", file, "--difference", "--deseason", "12"])
    assert "600 steps of diff(deseason(close, 12), 1), 1 of them missing: 1 change" in capsys.readouterr().out


def test_the_model_is_passed_on_and_told(tmp_path: Path, capsys) -> None:
    years = np.arange(120)
    values = np.where(years < 70, years, 140.0 - years) + np.random.default_rng(2).normal(size=120)
    file = str(write(tmp_path / "years.csv", [f"{1900 + k},{values[k]}" for k in years], "year,value\n"))
    answer = found(capsys, file, "--model", "slopes")
    (place,) = answer["places"]
    assert abs(place - 70) <= 3
    assert (answer["model"], answer["index"]) == ("slopes", [str(1900 + place)])
    main(["changes", file, "--model", "slopes"])
    assert capsys.readouterr().out.splitlines()[0].endswith("120 steps of value: 1 change of slope")
    assert "model" in refused(capsys, file, "--model", "mean")
    assert "process_count" in refused(capsys, file, "--model", "levels", "--processes", "2")


def test_lags_and_periods_that_do_not_fit_are_said_in_one_line(plain: Path, tmp_path: Path, capsys) -> None:
    assert "lag must be a whole number from 1 to 599" in refused(capsys, str(plain), "--difference", "600")
    assert "lag must be a whole number from 1 to 599" in refused(capsys, str(plain), "--difference", "0")
    assert "period must be a whole number from 2" in refused(capsys, str(plain), "--deseason", "1")
    letters = write(tmp_path / "letters.txt", ["a", "b"] * 50)
    assert "symbols have neither" in refused(capsys, str(letters), "--difference")


def test_mean_and_spread_of_each_piece_are_told_in_text_and_json(plain: Path, capsys) -> None:
    main(["changes", str(plain)])
    told = capsys.readouterr().out.splitlines()[-1]
    pieces = found(capsys, str(plain))["pieces"]
    first, second = (piece["coordinates"][0] for piece in pieces)
    assert f"(value mean {first['mean']:.4g}, sd {first['sd']:.4g})" in told
    assert second["mean"] == pytest.approx(SHIFT[pieces[1]["start"] :].mean())


def test_rows_that_look_other_than_the_first_ones_are_read_all_the_same(tmp_path: Path, capsys) -> None:
    late = write(tmp_path / "late.csv", ["1"] * 60_000 + ["1.5"] * 40_000, "x\n")
    answer = found(capsys, str(late))
    assert answer["length"] == 100_000
    assert answer["places"] == [60_000]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n", "is empty"),
        ("head.csv", b"a,b\n", "holds no values"),
        ("dates.csv", b"date\n2020-01-01\n2020-01-02\n", "dates only"),
        ("binary.dat", bytes(range(256)) * 20, "is binary"),
        ("image.png", b"\x89PNG\r\n\x1a\n\x00\x00", "is binary"),
        ("oops.csv", b"x\n" + b"1\n" * 50 + b"oops\n" + b"1\n" * 50, "row 51 of column 'x' is no number: 'oops'"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", "Expected 2 columns, got 3"),
        ("broken.jsonl", b'{"a": 1}\n{"a": \n', "cannot be read"),
        ("broken.json", b"[1, 2", "cannot be read"),
        ("broken.parquet", b"PAR1 this is none", "is binary|cannot be read"),
        ("back.csv", b"date,x\n2020-01-02,1\n2020-01-01,2\n", "not sorted"),
        ("names.csv", b"a,b\nx,y\nz,w\n", "choose one with --column"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(name: str, content: bytes, says: str, tmp_path: Path, capsys) -> None:
    import re

    (tmp_path / name).write_bytes(content)
    assert re.search(says, refused(capsys, str(tmp_path / name)))


def test_bad_settings_and_paths_are_said_in_one_line(plain: Path, tmp_path: Path, capsys) -> None:
    assert "min_distance" in refused(capsys, str(plain), "--min-distance", "1.5")
    assert "process_count" in refused(capsys, str(plain), "--processes", "0")
    assert "has no column 'nope'; it has 'value'" in refused(capsys, str(plain), "--column", "nope")
    assert "No such file" in refused(capsys, str(tmp_path / "none.csv"))
    assert "is a folder" in refused(capsys, str(tmp_path))
    assert "there is no folder" in refused(capsys, str(plain), "--plot", str(tmp_path / "none" / "page.html"))


def test_a_first_column_of_huge_or_broken_numbers_is_no_index(tmp_path: Path, capsys) -> None:
    for rows in (["1e310,1", "1e310,2"], ["0,1", "1e20,2"], ["0.5,1", "1.5,2"]):
        answer = found(capsys, str(write(tmp_path / "x.csv", rows)))
        assert answer["columns"] == ["column 1", "column 2"]
        assert "index" not in answer


@pytest.mark.parametrize("content", ["5\n", "5\n" * 300, "1\n2\n", "nan\n" * 20, "inf\n-inf\n" * 30, "a\n"])
def test_streams_in_which_nothing_changes_have_no_change(content: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "x.csv").write_text(content)
    assert found(capsys, str(tmp_path / "x.csv"))["places"] == []


def test_the_plot_is_one_page_that_fetches_nothing(plain: Path, tmp_path: Path, capsys) -> None:
    page = tmp_path / "out.html"
    main(["changes", str(plain), "--plot", str(page)])
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "var(--series-1" in text
    assert "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org/", "")
    assert "https://" not in text
    assert not list(tmp_path.glob("*.part"))
    assert "The pieces" in text
    assert "value mean" in text
    assert str(page) in capsys.readouterr().err


def test_symbols_and_dates_are_plotted(tmp_path: Path, capsys) -> None:
    letters = write(tmp_path / "letters.txt", ["a"] * 200 + ["b"] * 200)
    main(["changes", str(letters), "--plot", str(tmp_path / "letters.html")])
    dates = write(tmp_path / "d.csv", [f"{DATES[k]},{SHIFT[k]}" for k in range(600)], "date,x\n")
    main(["changes", str(dates), "--plot", str(tmp_path / "dates.html")])
    assert "2020" in (tmp_path / "dates.html").read_text(encoding="utf-8")
    assert (tmp_path / "letters.html").stat().st_size > 5000


def test_it_starts_without_the_heavy_libraries(plain: Path) -> None:
    code = (
        "import sys\n"
        "from shoal.cli.main import main\n"
        f"main(['changes', {str(plain)!r}])\n"
        "heavy = {'torch', 'pandas', 'altair', 'scipy', 'numba', 'transformers', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stderr.strip() == "[]"


@pytest.mark.parametrize("verb", ["changes", "segment"])
def test_an_unknown_option_is_no_missing_file(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([verb, "--nope"])
    assert "unknown option '--nope'" in capsys.readouterr().err
