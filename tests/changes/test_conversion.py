"""Numbers of any library and of any size are numbers: tensors, columns of Arrow and pandas, integers beyond 2^53."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from shoal.changes import change_points, distance
from shoal.changes.validation import as_stream
from shoal.errors import DataError

pandas = pytest.importorskip("pandas")
torch = pytest.importorskip("torch")
pyarrow = pytest.importorskip("pyarrow")

SHIFT = np.concatenate([np.random.default_rng(0).normal(size=200), np.random.default_rng(1).normal(size=200) + 4.0])
GRAD = torch.tensor(SHIFT, requires_grad=True)


class OnlyDLPack:
    """An array that speaks the exchange protocol alone, as some libraries' do."""

    def __init__(self, held: np.ndarray) -> None:
        self._held = held

    def __dlpack__(self, **how: object) -> object:
        return self._held.__dlpack__(**how)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._held.__dlpack_device__()


class ElsewhereOnly:
    """An array that lies on a device and refuses to be copied without a word, as CuPy's do."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise TypeError("implicit conversion is not allowed")

    def get(self) -> np.ndarray:
        return np.array([1.0, 2.0])


class Unreadable:
    """An array that gives nothing away."""

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("lost\nits device")


@pytest.mark.parametrize(
    "given",
    [
        GRAD,
        GRAD * 2 + 1,
        torch.nn.Parameter(torch.tensor(SHIFT)),
        torch.tensor(SHIFT).bfloat16(),
        torch.tensor(SHIFT).half(),
        torch.tensor(SHIFT).bfloat16().requires_grad_(),
        torch.tensor(SHIFT).to_sparse(),
        list(GRAD),
        list(torch.tensor(SHIFT).bfloat16()),
        pandas.Series(list(GRAD)),
        pyarrow.array(SHIFT),
        pyarrow.chunked_array([SHIFT[:150], SHIFT[150:]]),
        pyarrow.array(SHIFT.astype(np.float16)),
        pyarrow.table({"x": SHIFT}),
        [Decimal(value) for value in SHIFT],
        [Fraction(value) for value in SHIFT],
        [np.float32(value) for value in SHIFT],
        OnlyDLPack(SHIFT),
    ],
    ids=lambda given: type(given).__name__,
)
def test_arrays_of_any_library_are_numbers_with_their_change(given: object) -> None:
    stream = as_stream(given)
    assert stream.symbols is None
    assert stream.values is not None
    assert stream.values.shape == (400, 1)
    assert change_points(stream).places == [200]


def test_rows_of_tensors_and_tables_are_coordinates() -> None:
    rows = torch.arange(6.0, requires_grad=True).reshape(3, 2)
    for given in (rows, list(rows), list(rows.bfloat16()), pyarrow.table({"a": [0, 2, 4], "b": [1.0, 3.0, 5.0]})):
        values = as_stream(given).values
        assert values is not None
        assert values.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert as_stream(pyarrow.table({"a": [1, 2], "b": [1, 2]})).names == ("a", "b")


def test_an_array_on_a_device_is_copied_and_one_that_cannot_be_read_is_refused() -> None:
    assert as_stream(ElsewhereOnly()).values.tolist() == [[1.0], [2.0]]  # type: ignore[union-attr]
    for given in (Unreadable(), torch.empty(5, device="meta"), [Unreadable()] * 3):
        with pytest.raises(DataError, match=r"cannot be read as an array .*give a NumPy array") as caught:
            as_stream(given)
        assert "\n" not in str(caught.value)


BIG = 2**60


@pytest.mark.parametrize(
    "given",
    [
        np.array([BIG + 1, BIG, BIG + 2]),
        np.array([2**64 - 2, 2**64 - 3, 2**64 - 1], dtype=np.uint64),
        [BIG + 1, BIG, BIG + 2],
        [10**40 + 1, 10**40, 10**40 + 2],
        [2**63, -1, 2**63 + 1],
        [BIG, 0.5, BIG + 1],
        [10**400, -(10**400), float("inf")],
        [Decimal("0.12345678901234567891"), Decimal("0.1234567890123456789"), Decimal("0.12345678901234567892")],
        [Fraction(1, 3), Fraction(1, 3) - Fraction(1, 10**30), 0.5],
        np.array([1, 0, 2], dtype=np.longdouble) * np.longdouble(1e-19) + 1,
        pandas.Series([BIG + 1, BIG, BIG + 2]),
        np.array([[BIG + 1], [BIG], [BIG + 2]]),
    ],
)
def test_numbers_beyond_float64_keep_their_order(given: object) -> None:
    assert as_stream(given).compared.argsort(axis=0).ravel().tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    "given",
    [
        [BIG + 1, None, BIG, BIG + 1],
        pandas.Series([BIG + 1, pandas.NA, BIG, BIG + 1], dtype="object").astype("Int64"),
        pyarrow.array([BIG + 1, None, BIG, BIG + 1]),
        np.ma.array([BIG + 1, 5, BIG, BIG + 1], mask=[0, 1, 0, 0]),
    ],
    ids=lambda given: type(given).__name__,
)
def test_gaps_leave_large_numbers_exact(given: object) -> None:
    np.testing.assert_array_equal(as_stream(given).compared.ravel(), [1.0, np.nan, 0.0, 1.0])


def test_other_coordinates_stay_floats_beside_an_exact_one() -> None:
    stream = as_stream(pandas.DataFrame({"id": [BIG, BIG + 1], "x": [0.5, np.nan]}))
    np.testing.assert_array_equal(stream.compared, [[0.0, 0.5], [1.0, np.nan]])
    np.testing.assert_array_equal(as_stream([[BIG, 1.5], [BIG + 1, 2.5]]).compared, [[0.0, 1.5], [1.0, 2.5]])


def test_changes_of_large_numbers_are_found_where_those_of_small_ones_are() -> None:
    small = np.random.default_rng(0).integers(0, 50, 600)
    small[300:] += 30
    places = change_points(small).places
    assert len(places) == 1
    for large in (small + BIG, (small + BIG).tolist(), [10**30 + int(value) for value in small]):
        assert change_points(large).places == places
    assert distance(small[:300], small[300:]) == distance(small[:300] + BIG, small[300:] + BIG)


def test_differences_and_ranks_of_large_numbers_are_exact() -> None:
    from shoal.changes import deseasonalize, difference, preprocess, robust_ranks

    small = np.random.default_rng(0).integers(0, 50, 100)
    for large in (small + BIG, [10**30 + int(value) for value in small]):
        np.testing.assert_array_equal(difference(large), difference(small))
        np.testing.assert_array_equal(robust_ranks(large, window=1), robust_ranks(small, window=1))
        np.testing.assert_array_equal(preprocess(as_stream(large), lag=2).values[:, 0], difference(small, lag=2))
        with pytest.raises(DataError, match="take a constant off"):
            deseasonalize(large, 7)


def test_symbols_that_nearly_all_differ_and_dates_are_refused() -> None:
    import datetime

    with pytest.raises(DataError, match="100 of the 100 symbols differ"):
        as_stream([f"{value:.6f}" for value in SHIFT[:100]])
    for date in (datetime.date(2020, 1, 1), datetime.timedelta(1), pandas.Timestamp("2020")):
        with pytest.raises(DataError, match="dates belong into the index"):
            as_stream([None, date, date])


def test_no_library_of_tensors_or_frames_is_imported() -> None:
    code = (
        "import sys, shoal.changes; shoal.changes.as_stream([1, 2])\n"
        "assert not {'torch', 'pandas', 'pyarrow', 'polars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_masked_array_of_words_is_symbols_some_of_them_missing() -> None:
    words = np.array(["a"] * 100 + ["b"] * 100)
    mask = np.zeros(200, dtype=bool)
    mask[5::10] = True
    stream = as_stream(np.ma.array(words, mask=mask))
    read = [stream.alphabet[code] for code in stream.symbols]
    assert read == ["missing" if hidden else word for word, hidden in zip(words, mask, strict=True)]


@pytest.mark.parametrize("values", [SHIFT, np.round(SHIFT).astype(int), [None, *SHIFT[1:]]])
def test_a_list_of_arrow_scalars_is_the_numbers_that_they_hold(values: object) -> None:
    scalars = list(pyarrow.array(values))
    np.testing.assert_array_equal(as_stream(scalars).values, as_stream(list(values)).values)


class Wide:
    """A column of 128-bit integers, which its library, like polars, does not give to NumPy."""

    dtype = "Int128"

    def __len__(self) -> int:
        return 400

    def __iter__(self):
        return iter(self.to_list())

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise LookupError("NumPy has no 128-bit integer types")

    def to_list(self) -> list[int]:
        return [int(value * 1000) + 2**90 for value in SHIFT]


def test_integers_of_128_bits_keep_their_order() -> None:
    assert list(change_points(Wide())) == [200]
