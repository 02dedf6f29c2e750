"""Rows of a Parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def parquet_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row and where it stands.

    Raises:
        DataError: the file is no Parquet file, or a text in it is not UTF-8.
    """
    import pyarrow
    import pyarrow.parquet

    if not path.stat().st_size:
        return
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches():
                for place in range(batch.num_rows):
                    number += 1
                    where = f"{path}, row {number}"
                    yield where, _row(where, batch.slice(place, 1))
    except pyarrow.ArrowException as error:
        raise DataError(f"{path} is not a Parquet file that can be read: {str(error).splitlines()[0]}") from error


def write_parquet(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the rows with one column a name; a name that a row lacks is null there.

    Raises:
        ValueError: a column mixes types, which Parquet cannot hold.
    """
    import pyarrow
    import pyarrow.parquet

    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pyarrow.array([row.get(name) for row in rows]) for name in names}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def _row(where: str, batch: Any) -> Mapping[str, Any]:
    """The one row of the batch."""
    try:
        row: Mapping[str, Any] = batch.to_pylist()[0]
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{where}: byte 0x{byte:02x} in a text is not UTF-8; write the file anew as UTF-8") from error
    return row
