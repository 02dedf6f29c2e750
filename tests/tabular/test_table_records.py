"""JSON and Parquet as tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shoal.errors import DataError
from shoal.tabular import Table, read_table

pyarrow = pytest.importorskip("pyarrow")


def read(path: Path, content: str) -> Table:
    path.write_text(content, encoding="utf-8")
    return read_table(str(path))


@pytest.mark.parametrize(
    "content",
    [
        '{"x": 1.5}\n{"x": null}\n{"x": 3}\n',
        '{"x": 1.5}\n{}\n{"x": 3.0}',
        '{"x": 1.5}\n{"x": NaN}\n{"x": 3}\n',
        '{"x": "1.5"}\n{"x": "NA"}\n{"x": "3"}\n',
        '{"x": "$1.50"}\n{"x": ""}\n{"x": "$3.00"}\n',
        '\ufeff[{"x": 1.5}, {"x": null}, {"x": 3}]',
        "[1.5, null, 3]",
        "[[1.5], [null], [3]]",
        "[1.5]\n[null]\n[3]\n",
        '{"x": 1.5, "y": 1}\n{"x": null, "y": "a"}\n{"x": 3, "y": 2.5}\n',
    ],
)
def test_rows_of_json_are_columns(tmp_path: Path, content: str) -> None:
    table = read(tmp_path / "x.jsonl", content)
    np.testing.assert_array_equal(table.column(table.names[0]).values, [1.5, np.nan, 3.0])


def test_large_whole_numbers_of_json_stay_apart(tmp_path: Path) -> None:
    for number in (2**60, 10**30):
        values = read(tmp_path / "x.jsonl", f'{{"x": {number + 1}}}\n{{"x": {number}}}\n').column("x").values
        assert values[0] > values[1]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"a": 1}\n{"a": \n', "line 2 .* no JSON"),
        ("[1, 2", "cannot be read"),
        ("[]", "holds no values|cannot be read"),
        ("[1]\n[2, 3]\n", "not all alike"),
        ('[1, {"x": 2}]', "not all alike"),
        ('{"x": [1]}\n{"x": "a"}\n', "lists or objects"),
    ],
)
def test_broken_json_is_refused_in_one_line(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as caught:
        read(tmp_path / "x.jsonl", content)
    assert "\n" not in str(caught.value)


def test_types_of_parquet_are_read_as_they_are(tmp_path: Path) -> None:
    from decimal import Decimal

    from pyarrow import parquet

    path = tmp_path / "x.parquet"
    columns = {
        "big": pyarrow.array([2**60 + 1, None, 2**60]),
        "small": pyarrow.array([1, None, 3], pyarrow.int8()),
        "half": pyarrow.array([1.5, None, 2.5], pyarrow.float16()),
        "money": pyarrow.array([Decimal("0.12345678901234567891"), None, Decimal("0.12345678901234567890")]),
        "word": pyarrow.array(["a", None, "a"]).dictionary_encode(),
        "day": pyarrow.array([1, 2, 3]).cast(pyarrow.timestamp("ns", "Europe/Berlin")),
        "clock": pyarrow.array([1, 2, 3], pyarrow.int32()).cast(pyarrow.time32("s")),
        "list": pyarrow.array([[1], [2], [3]]),
    }
    parquet.write_table(pyarrow.table(columns), path)
    table = read_table(str(path))
    assert [table.column(name).kind for name in table.names] == [*["numbers"] * 4, "text", "dates", "dates", "other"]
    assert table.column("big").values == [2**60 + 1, None, 2**60]
    np.testing.assert_array_equal(table.column("half").values, [1.5, np.nan, 2.5])
    money = table.column("money").values
    assert money[0] > money[2]
    assert table.column("word").values == ["a", None, "a"]
    assert table.column("clock").values == ["00:00:01", "00:00:02", "00:00:03"]


def test_the_index_that_pandas_notes_in_a_parquet_file_is_known(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = tmp_path / "x.parquet"
    pandas.DataFrame({"x": [1.5, 2.5]}, index=pandas.Index([30, 10])).to_parquet(path)
    table = read_table(str(path))
    assert table.index == "__index_level_0__"


def test_a_broken_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 this is none")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(str(tmp_path / "x.parquet"))
