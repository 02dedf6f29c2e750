"""Changes as text, tables and figures."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from shoal.changes import change_points, plot_changes
from shoal.changes.render import (
    changes_table,
    describe_change,
    describe_pieces,
    group_letter,
    headline,
    shorten_word,
    step_label,
)
from shoal.changes.result import Change, ChangedFeature, Changes
from shoal.changes.validation import as_stream
from shoal.errors import DataError, MissingExtraError

SHIFT = np.concatenate([np.random.default_rng(0).normal(size=200), np.random.default_rng(1).normal(size=200) + 4.0])

FOUND = Changes(
    length=10,
    changes=(
        Change(
            place=4,
            low=3,
            high=6,
            p_value=0.00123,
            score=5.0,
            features=(ChangedFeature(cell=(2, 1), word="x in [0, 1]", before=0.25, after=0.5),),
        ),
    ),
    processes=(0, 1),
    min_distance=0.1,
    process_count=None,
    alpha=0.05,
    confidence=0.95,
)


def test_a_row_says_place_set_p_value_and_what_moved() -> None:
    head, rows = changes_table(FOUND, as_stream(range(10)))
    assert head == ["place", "confidence set", "p-value", "what changed"]
    assert rows == [["4", "3 to 6", "0.0012", "x in [0, 1]: 25.0% before, 50.0% after"]]


def test_a_dated_stream_has_a_column_of_dates() -> None:
    dates = np.arange("2020-01-01", "2020-01-11", dtype="datetime64[D]").astype("datetime64[ns]")
    stream = as_stream(range(10), index=dates)
    assert step_label(stream, 4) == "2020-01-05"
    assert changes_table(FOUND, stream)[1][0][:2] == ["4", "2020-01-05"]
    hours = np.datetime64("2020-01-01T00:00") + np.arange(10) * np.timedelta64(90, "m")
    assert step_label(as_stream(range(10), index=hours), 1) == "2020-01-01 01:30"


def test_pieces_and_headline() -> None:
    assert describe_pieces(FOUND) == "A 0 to 3, B 4 to 9"
    assert (
        headline(FOUND, as_stream([1.0, np.nan] * 5), "f.csv")
        == "f.csv: 10 steps of values, 5 of them missing: 1 change"
    )
    assert [group_letter(k) for k in (0, 25, 26)] == ["A", "Z", "27"]


def test_long_words_are_spelled_in_letters() -> None:
    word = ", then ".join(["low", "high", "low"])
    assert shorten_word(word) == "a b a, with a = low, b = high"
    assert shorten_word("low, then high") == "low, then high"
    assert describe_change(FOUND.changes[0]) == "x in [0, 1]: 25.0% before, 50.0% after"


def test_a_figure_has_a_line_a_piece_and_saves() -> None:
    pytest.importorskip("matplotlib")
    found = change_points(SHIFT)
    drawing = plot_changes(SHIFT, found, title="a shift")
    (panel,) = drawing.axes
    assert len(panel.get_lines()) == 2 + len(found.changes)  # two pieces, and a rule for each place
    assert len(panel.collections) == 4  # the mean of each piece, and a band around it
    file = io.BytesIO()
    drawing.savefig(file, format="png")
    assert file.getvalue().startswith(b"\x89PNG")


def test_dates_symbols_and_tables_are_drawn() -> None:
    pytest.importorskip("matplotlib")
    pandas = pytest.importorskip("pandas")
    dated = pandas.Series(SHIFT, index=pandas.date_range("2020-01-01", periods=400))
    assert len(plot_changes(dated, change_points(dated)).axes) == 1
    assert len(plot_changes("ab" * 100, change_points("ab" * 100)).axes) == 1
    table = np.column_stack([SHIFT, SHIFT])
    assert len(plot_changes(table, change_points(table)).axes) == 2


def test_another_stream_than_the_searched_one_is_refused() -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(DataError, match="400"):
        plot_changes(SHIFT[:100], change_points(SHIFT))


def test_without_matplotlib_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"shoal\[plot\]"):
        plot_changes(SHIFT, change_points(SHIFT))


def test_a_result_prints_itself_as_the_command_does_and_gives_records() -> None:
    found = change_points(SHIFT)
    shown = str(found).splitlines()
    assert shown[0] == "stream: 400 steps of values: 1 change"
    assert shown[1].split("  ")[0] == "place"
    assert shown[-1].startswith("pieces: A 0 to ")
    assert repr(found) == f"Changes(length=400, places={found.places}, model={found.model!r})"
    (record,) = found.to_records()
    assert list(record) == ["place", "low", "high", "p_value", "score", "what_changed"]
    assert [record["place"]] == found.places
    assert "stream" not in found.to_dict()
    assert str(FOUND) == repr(FOUND)
