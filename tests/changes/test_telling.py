"""Changes in words."""

from __future__ import annotations

import numpy as np

from shoal.changes.input import as_stream
from shoal.changes.result import Change, Changes, Moved
from shoal.changes.telling import group_name, headline, label_of, pieces_of, said_of, shortened, table_of

FOUND = Changes(
    length=10,
    changes=(
        Change(
            place=4,
            low=3,
            high=6,
            p_value=0.00123,
            score=5.0,
            what=(Moved(cell=(2, 1), word="x in [0, 1]", before=0.25, after=0.5),),
        ),
    ),
    processes=(0, 1),
    min_distance=0.1,
    process_count=None,
    alpha=0.05,
    confidence=0.95,
)


def test_a_row_says_place_set_p_value_and_what_moved() -> None:
    head, rows = table_of(FOUND, as_stream(range(10)))
    assert head == ["place", "confidence set", "p-value", "what changed"]
    assert rows == [["4", "3 to 6", "0.0012", "x in [0, 1]: 25.0% before, 50.0% after"]]


def test_a_dated_stream_has_a_column_of_dates() -> None:
    dates = np.arange("2020-01-01", "2020-01-11", dtype="datetime64[D]").astype("datetime64[ns]")
    stream = as_stream(range(10), index=dates)
    assert label_of(stream, 4) == "2020-01-05"
    assert table_of(FOUND, stream)[1][0][:2] == ["4", "2020-01-05"]
    hours = np.datetime64("2020-01-01T00:00") + np.arange(10) * np.timedelta64(90, "m")
    assert label_of(as_stream(range(10), index=hours), 1) == "2020-01-01 01:30"


def test_pieces_and_headline() -> None:
    assert pieces_of(FOUND) == "A 0 to 3, B 4 to 9"
    assert (
        headline(FOUND, as_stream([1.0, np.nan] * 5), "f.csv")
        == "f.csv: 10 steps of values, 5 of them missing: 1 change"
    )
    assert [group_name(k) for k in (0, 25, 26)] == ["A", "Z", "27"]


def test_long_words_are_spelled_in_letters() -> None:
    word = ", then ".join(["low", "high", "low"])
    assert shortened(word) == "a b a, with a = low, b = high"
    assert shortened("low, then high") == "low, then high"
    assert said_of(FOUND.changes[0]) == "x in [0, 1]: 25.0% before, 50.0% after"
