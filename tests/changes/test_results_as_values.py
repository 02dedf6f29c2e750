"""Results as values: equal, hashable, pickled, written as JSON and read again, listed as records and as text."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import pickle
from typing import Any

import numpy as np
import pytest

from shoal.changes import (
    ChangePointDetector,
    Changes,
    as_stream,
    change_points,
    changes_table,
    changes_text,
    describe_change,
    describe_pieces,
    headline,
    known_number,
    list_estimator,
    pieces_table,
    plot_changes,
    single_change_point,
    step_label,
)
from shoal.changes.render import describe_piece, shorten_word
from shoal.changes.result import Change, ChangedFeature, CoordinateSummary, PieceSummary, SymbolShare
from shoal.errors import DataError, UsageError

VALUES = np.random.default_rng(0).normal(size=120) + np.repeat([0.0, 5.0], 60)
SEARCHES = {
    "tests": lambda: change_points(VALUES, model="law"),
    "levels": lambda: change_points(VALUES, model="levels"),
    "groups": lambda: change_points(VALUES, 0.2, 2),
    "known": lambda: known_number(VALUES, 1),
    "list": lambda: list_estimator(VALUES, 0.3),
    "symbols": lambda: change_points("ab" * 40 + "c" * 60),
    "nothing": lambda: change_points(VALUES[:40]),
}


@pytest.fixture(scope="module")
def found() -> dict[str, Changes]:
    return {name: search() for name, search in SEARCHES.items()}


@pytest.mark.parametrize("name", SEARCHES)
def test_equal_searches_copies_and_pickles_are_equal(found: dict[str, Changes], name: str) -> None:
    for other in (SEARCHES[name](), copy.deepcopy(found[name]), pickle.loads(pickle.dumps(found[name]))):
        assert other == found[name]
        assert hash(other) == hash(found[name])
    assert found[name] != SEARCHES["levels" if name == "tests" else "tests"]()


@pytest.mark.parametrize("name", SEARCHES)
def test_a_result_written_as_json_is_read_as_it_was(found: dict[str, Changes], name: str) -> None:
    plain = found[name].to_dict()
    again = json.loads(json.dumps(plain))
    assert again["places"] == list(found[name])
    assert again["length"] == found[name].length
    assert len(again["processes"]) == len(again["pieces"]) == len(again["changes"]) + 1
    rebuilt = [Change(**{**change, "features": ()}) for change in again["changes"]]
    for one, other in zip(rebuilt, found[name].changes, strict=True):
        assert (one.place, one.low, one.high, one.score) == (other.place, other.low, other.high, other.score)
        np.testing.assert_equal(one.p_value, other.p_value)
    assert [piece["start"] for piece in again["pieces"]] == [piece.start for piece in found[name].pieces]


@pytest.mark.parametrize("name", SEARCHES)
def test_pieces_cover_the_stream_without_a_gap(found: dict[str, Changes], name: str) -> None:
    pieces = found[name].pieces
    assert pieces[0].start == 0
    assert pieces[-1].stop == found[name].length
    assert all(first.stop == second.start for first, second in itertools.pairwise(pieces))
    assert tuple(piece.process for piece in pieces) == found[name].processes
    for piece in pieces:
        assert sum(part.share for part in piece.symbols) <= 1.0 + 1e-12
        assert all(part.count <= piece.stop - piece.start for part in piece.coordinates)


def test_results_are_frozen() -> None:
    found = change_points(VALUES)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.length = 3  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.changes[0].place = 3  # type: ignore[misc]


def test_a_result_is_compared_with_lists_and_nothing_else() -> None:
    found = change_points(VALUES)
    assert found == [60]
    assert found != (60,)
    assert found != "60"
    assert found.__eq__(60) is NotImplemented
    assert sorted([*found, 3]) == [3, 60]
    assert list(reversed(found)) == [60]
    assert (found.index(60), found.count(60), found.count(61)) == (0, 1, 0)


FEATURE = ChangedFeature(cell=(2, 1), word="x in [0, 1]", before=0.125, after=0.875)
CHANGE = Change(place=3, low=2, high=5, p_value=1e-12, score=9.0, features=(FEATURE, FEATURE))
PIECES = (
    PieceSummary(start=0, stop=3, process=0, coordinates=(CoordinateSummary(name="x", mean=0.5, sd=None, count=1),)),
    PieceSummary(start=3, stop=9, process=27, coordinates=(CoordinateSummary(name="x", mean=None, sd=None, count=0),)),
)


def made(**given: Any) -> Changes:
    settings: dict[str, Any] = {
        "length": 9, "changes": (CHANGE,), "processes": (0, 27), "min_distance": 0.1, "process_count": None,
        "alpha": 0.05, "confidence": 0.95, "pieces": PIECES,
    }  # fmt: skip
    return Changes(**settings | given)


def test_a_text_has_a_headline_a_row_for_each_change_and_the_pieces() -> None:
    lines = changes_text(made(), as_stream(range(9)), "prices.csv").split("\n")
    assert lines[0] == "prices.csv: 9 steps of values: 1 change"
    assert lines[1].split() == ["place", "confidence", "set", "p-value", "what", "changed"]
    assert lines[2].split()[:5] == ["3", "2", "to", "5", "1e-12"]
    assert lines[2].endswith("x in [0, 1]: 12.5% before, 87.5% after")
    assert lines[3] == "pieces: A 0 to 2 (x mean 0.5), 28 3 to 8 (x no values)"
    assert changes_text(made(changes=(), processes=(0,), pieces=PIECES[:1]), as_stream(range(9))) == (
        "stream: 9 steps of values: no changes"
    )


@pytest.mark.parametrize(
    ("stream", "model", "changes", "says"),
    [
        ([1.0], "law", (), "s: 1 step of values: no changes"),
        ("abcab", "law", (CHANGE, CHANGE), "s: 5 steps of symbols: 2 changes"),
        ([1.0, None, 2.0], "levels", (CHANGE,), "s: 3 steps of values, 1 of them missing: 1 change of level"),
        ([[1.0, 2.0]] * 2, "slopes", (), "s: 2 steps of values: no changes of slope"),
    ],
)
def test_headlines_count_in_words(stream: Any, model: str, changes: tuple[Change, ...], says: str) -> None:
    read = as_stream(stream)
    assert headline(made(length=read.length, model=model, changes=changes), read, "s") == says


def test_tables_of_changes_and_pieces_have_the_labels_of_the_index() -> None:
    stream = as_stream(range(9), index=[f"week {k}" for k in range(9)])
    head, rows = changes_table(made(), stream, max_features=2)
    assert head == ["place", "index", "confidence set", "p-value", "what changed"]
    assert rows[0][1] == "week 3"
    assert rows[0][-1].count("12.5% before") == 2
    head, rows = pieces_table(made(), stream)
    assert head == ["piece", "from", "to", "what it is like"]
    assert rows == [["A", "week 0", "week 2", "x mean 0.5"], ["28", "week 3", "week 8", "x no values"]]


def test_a_change_that_no_word_shows_says_so() -> None:
    assert describe_change(dataclasses.replace(CHANGE, features=())) == "no single word"
    assert describe_change(CHANGE, max_features=0) == "no single word"


def test_a_piece_of_symbols_names_its_commonest_up_to_a_number() -> None:
    symbols = tuple(
        SymbolShare(symbol=letter, share=share) for letter, share in zip("abcd", (0.5, 0.25, 0.2, 0.05), strict=True)
    )
    piece = PieceSummary(start=0, stop=20, process=0, symbols=symbols)
    assert describe_piece(piece) == "a 50.0%, b 25.0%, c 20.0%"
    assert describe_piece(piece, max_parts=1) == "a 50.0%"


def test_pieces_without_summaries_are_ranges_alone() -> None:
    assert describe_pieces(made(pieces=())) == "A 0 to 2, 28 3 to 8"


def test_words_of_more_letters_than_there_are_stay_as_they_are() -> None:
    long = ", then ".join(f"x = {k}" for k in range(27))
    assert shorten_word(long) == long
    assert shorten_word(", then ".join(["p"] * 3)) == "a a a, with a = p"


@pytest.mark.parametrize(
    ("index", "label"),
    [
        (np.array(["2021-03-04", "2021-03-05"], dtype="datetime64[D]"), "2021-03-05"),
        (np.array(["2021-03-04T00:00", "2021-03-05T00:00"], dtype="datetime64[s]"), "2021-03-05"),
        (np.array(["2021-03-04T10:30", "2021-03-04T10:31"], dtype="datetime64[ns]"), "2021-03-04 10:31"),
        (np.array(["2021-03-04T10:30:00", "2021-03-04T10:30:07"], dtype="datetime64[ns]"), "2021-03-04 10:30:07"),
        (np.array(["2021-03-04", "2021-03-04T00:00:00.250"], dtype="datetime64[ms]"), "2021-03-04 00:00:00.25"),
        (np.array([10, 12]), "12"),
        (np.array([0.5, 0.75]), "0.75"),
        (["a", "é"], "é"),
        (None, "1"),
    ],
)  # fmt: skip
def test_a_step_is_called_by_its_label(index: Any, label: str) -> None:
    assert step_label(as_stream([1.0, 2.0], index=index), 1) == label


def test_labels_of_steps_within_a_second_differ() -> None:
    index = np.datetime64("2024-01-01T00:00:00") + np.arange(20) * np.timedelta64(50, "ms")
    stream = as_stream(np.arange(20.0), index=index)
    assert len({step_label(stream, place) for place in range(20)}) == 20


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: known_number(VALUES, 0), "count is the number of changes, a whole number from 1; got 0"),
        (lambda: known_number(VALUES, 1.5), "count is the number of changes, a whole number from 1; got 1.5"),  # type: ignore[arg-type]
        (lambda: change_points(VALUES, seed=1.5), r"seed is a whole number \(such as 0\); got 1.5"),  # type: ignore[arg-type]
        (lambda: single_change_point(VALUES, seed="a"), r"seed is a whole number \(such as 0\); got 'a'"),  # type: ignore[arg-type]
        (lambda: change_points(VALUES, alpha=0.95), "alpha is the level of a test.* got 0.95"),
        (lambda: change_points(VALUES, confidence=0.05), "confidence is that of an interval.* got 0.05"),
        (lambda: known_number(VALUES, 1, 0.0), "min_distance is a share of the stream, between 0 and 1"),
        (lambda: change_points(VALUES, 0.1, 2.0), "process_count is a whole number from 1"),  # type: ignore[arg-type]
        (lambda: list_estimator(VALUES, 1.0), "min_distance is a share of the stream, between 0 and 1"),
        (lambda: change_points("abcab", model="slopes"), "symbols have no slopes"),
        (lambda: ChangePointDetector(seed=None).fit(VALUES), "seed is a whole number"),  # type: ignore[arg-type]
    ],
)
def test_settings_of_a_search_are_refused_by_their_own_names(call: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_plot_draws_the_values_the_places_and_the_sets() -> None:
    found = made(
        pieces=(), length=120, processes=(0, 1), changes=(dataclasses.replace(CHANGE, place=60, low=58, high=61),)
    )
    (panel,) = plot_changes(VALUES, found).axes
    pieces = [line.get_xydata() for line in panel.get_lines()]
    drawn = np.vstack([piece for piece in pieces if len(piece) > 2])
    np.testing.assert_allclose(drawn, np.column_stack([np.arange(120), VALUES]))
    (rule,) = [line.get_xdata() for line in panel.get_lines() if len(line.get_xdata()) == 2]
    assert set(rule) == {60}
    (span,) = panel.patches
    assert (span.get_x(), span.get_x() + span.get_width()) == (58, 61)
    assert [text.get_text() for text in panel.texts] == ["A", "B"]
    with pytest.raises(DataError, match="the stream has 3 steps, but changes were sought in 120"):
        plot_changes([1.0, 2.0, 3.0], found)


def test_a_plot_of_a_table_has_a_panel_for_each_named_column() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"loss": VALUES, "gradient": -VALUES})
    drawing = plot_changes(frame, change_points(frame), title="two columns")
    assert [panel.get_ylabel() for panel in drawing.axes] == ["loss", "gradient"]
    assert drawing.get_suptitle() == "two columns"


def test_a_plot_of_symbols_has_their_names_as_ticks() -> None:
    (panel,) = plot_changes("aab" * 20, change_points("aab" * 20)).axes
    assert [tick.get_text() for tick in panel.get_yticklabels()] == ["a", "b"]
