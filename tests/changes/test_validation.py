"""The door: every kind of stream comes in as what it is, and every other thing is refused in one line."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from shoal.changes.stream import Stream
from shoal.changes.validation import as_stream, check_settings
from shoal.errors import DataError, ShoalError, UsageError

pandas = pytest.importorskip("pandas")


@pytest.mark.parametrize(
    "given",
    [
        [1, 2, 3],
        (1.0, 2.0, 3.0),
        range(1, 4),
        np.array([1, 2, 3], dtype=np.uint8),
        np.array([[1.0], [2.0], [3.0]], dtype=np.float32),
        (value for value in (1, 2, 3)),
        [Decimal(1), Fraction(2), 3.0],
        pandas.Series([1, 2, 3], dtype="Int64"),
        np.array([1, 2, 3], dtype=object),
    ],
)
def test_numbers_of_any_make_are_one_column_of_floats(given: object) -> None:
    stream = as_stream(given)
    assert stream.values is not None
    assert stream.values.dtype == np.float64
    assert stream.values.tolist() == [[1.0], [2.0], [3.0]]
    assert stream.length == 3


def test_a_table_keeps_its_columns_and_their_names() -> None:
    stream = as_stream(pandas.DataFrame({"a": [1, 2], "b": [0.5, np.nan]}))
    assert stream.names == ("a", "b")
    assert stream.values is not None
    np.testing.assert_array_equal(stream.values, [[1.0, 0.5], [2.0, np.nan]])


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pandas.NA, Decimal("nan"), Decimal("sNaN")])
def test_a_missing_number_is_nan(missing: object) -> None:
    values = as_stream([1.0, missing, 3.0]).values
    assert values is not None
    assert np.isnan(values[:, 0]).tolist() == [False, True, False]


def test_infinities_and_numbers_beyond_the_floats_are_extreme_values() -> None:
    values = as_stream([float("-inf"), 0, 10**400, -(10**400)]).values
    assert values is not None
    assert values[:, 0].tolist() == [-np.inf, 0.0, np.inf, -np.inf]


@pytest.mark.parametrize(
    ("given", "codes", "alphabet"),
    [
        ("abca", [0, 1, 2, 0], ("a", "b", "c")),
        (["the", None, "the"], [0, 1, 0], ("the", "missing")),
        ([("a", 1), ("b", 2)], [0, 1], ("('a', 1)", "('b', 2)")),
        (b"\x00\x01\x00", [0, 1, 0], ("0x00", "0x01")),
        (pandas.Series(["x", "y", "x"]), [0, 1, 0], ("x", "y")),
        (pandas.Series([2, 1, 2], dtype="category"), [0, 1, 0], ("2", "1")),
        (np.array(["b", "a"]), [0, 1], ("b", "a")),
    ],
)
def test_symbols_are_coded_as_they_first_appear(given: object, codes: list[int], alphabet: tuple[str, ...]) -> None:
    stream = as_stream(given)
    assert stream.symbols is not None
    assert stream.symbols.tolist() == codes
    assert stream.alphabet == alphabet


def test_numbers_are_symbols_where_that_is_asked_for() -> None:
    stream = as_stream([30, 10, 30], kind="symbols")
    assert stream.symbols is not None
    assert stream.symbols.tolist() == [1, 0, 1]
    assert stream.alphabet == ("10", "30")


def test_a_dated_index_is_kept_and_a_counting_one_is_not() -> None:
    dates = pandas.date_range("2020-01-01", periods=3)
    stream = as_stream(pandas.Series([1, 2, 3], index=dates, name="price"))
    assert stream.index is not None
    assert stream.index.dtype.kind == "M"
    assert stream.names == ("price",)
    assert as_stream(pandas.Series([1, 2, 3])).index is None


def test_a_stream_passes_unchanged() -> None:
    stream = as_stream([1, 2])
    assert as_stream(stream) is stream


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([], "empty"),
        (np.zeros((0, 2)), "empty"),
        (np.zeros((3, 0)), "shape"),
        (np.zeros((2, 2, 2)), "shape"),
        ([[1, 2], [3]], "differ in length"),
        (5, "ordered sequence"),
        (None, "ordered sequence"),
        ({1: 2}, "ordered sequence"),
        ({1, 2}, "ordered sequence"),
        ([1, "a"], "mixes numbers"),
        ([{}, {}], "hashable"),
        (np.array([1j]), "neither numbers nor symbols"),
        (pandas.Series(pandas.date_range("2020", periods=2)), "index"),
        (pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}), "'b'"),
        (pandas.Series([1, 2], index=[2, 1]), "1 at step 1 follows 2"),
        (pandas.Series([1, 2], index=["a", 3]), "put in order"),
        (pandas.Series([1, 2], index=[pandas.NaT, pandas.Timestamp("2020")]), "no label at step 0"),
    ],
)
def test_what_is_no_stream_is_refused_in_one_line(given: object, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        as_stream(given)
    assert "\n" not in str(caught.value)


def test_text_is_refused_where_numbers_are_asked_for() -> None:
    with pytest.raises(DataError, match="expected numbers; got 'a'"):
        as_stream(["a", "b"], kind="numbers")
    with pytest.raises(UsageError, match="kind"):
        as_stream([1], kind="words")  # type: ignore[arg-type]


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match="the stream has 3 steps"):
        as_stream([1, 2, 3], index=[1, 2])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 2, float("nan"), "0.1", None])
def test_a_least_distance_outside_zero_and_one_is_refused(share: object) -> None:
    with pytest.raises(UsageError, match="min_distance"):
        check_settings(min_distance=share)


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_a_process_count_that_is_no_whole_number_from_one_is_refused(count: object) -> None:
    with pytest.raises(UsageError, match="process_count"):
        check_settings(min_distance=0.1, process_count=count)


def test_a_level_outside_zero_and_one_is_refused() -> None:
    with pytest.raises(UsageError, match="alpha"):
        check_settings(min_distance=0.1, alpha=1.0)


def test_an_empty_stream_has_length_zero() -> None:
    assert Stream().length == 0
    assert issubclass(DataError, ShoalError)
