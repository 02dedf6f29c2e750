"""Rows in JSONL and Parquet files: columns ``prompt`` and ``completion``, tags in the other columns.

Reading checks each row and names file and line of a bad one; writing is atomic. A new format is a reader, a writer and
a line in `_FORMATS`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from shoal.errors import DataError, StoreError, UsageError
from shoal.files import atomic_file
from shoal.tasks.task import Example, Tag
from shoal.textfiles import inner_suffix, read_json_lines

if TYPE_CHECKING:
    import os

END_TOKEN = "<|endoftext|>"
"""What ``shoal task --out`` closes completions with, unless another is given."""

LocatedRow = tuple[str, Mapping[str, Any]]
"""A row and its location: ``rows.jsonl, line 3``."""

_REQUIRED = ("prompt", "completion")
_COLUMNS = (*_REQUIRED, "ends", "tags")
"""The columns that are no tags."""


def read_rows(path: str | os.PathLike[str], *, end_token: str | None = None) -> list[Example]:
    """The examples of a JSONL or Parquet file, in order.

    Columns: ``prompt`` and ``completion`` are text; ``ends`` (true or false, true where it is absent) is whether
    the completion ends; every other column, and every entry of an object named ``tags``, becomes a tag.

    Args:
        path: a file whose name ends in ``.jsonl`` (UTF-8, or UTF-16 and UTF-32 with a byte-order mark),
            ``.jsonl.gz`` or ``.parquet``.
        end_token: the text of the end token, such as ``<|endoftext|>``. It is taken off the completions that have it at
            their end, and those end. In a file where at least one completion has it, one without it does not end,
            unless a column ``ends`` is true for it; in a file where none has it, it changes nothing.

    Raises:
        DataError: the file is missing or empty, or a row cannot be used; the message names file and line.
        UsageError: the end token given is empty.
    """
    path = Path(path)
    _check_end_token(end_token)
    if path.is_dir():
        raise DataError(f"{path} is a folder; give a .jsonl or .parquet file in it")
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    suffix = inner_suffix(path)
    # Parquet is read from its end, which a compressed stream does not give, and is compressed inside anyway.
    if suffix not in _FORMATS or (path.suffix == ".gz" and suffix == ".parquet"):
        raise DataError(f"{path} ends in {path.suffix!r}; rows are read from {' and '.join(_FORMATS)} files")
    try:
        rows = [(where, _checked(where, row)) for where, row in _FORMATS[suffix].read(path)]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not rows:
        raise DataError(f"{path} is empty; it needs at least one row with a prompt and a completion")
    # All rows are read first: whether a completion without the end token is open depends on the others.
    marked = end_token is not None and any(row["completion"].endswith(end_token) for _, row in rows)
    return [_example(where, row, end_token if marked else None) for where, row in rows]


def write_rows(examples: Sequence[Example], path: str | os.PathLike[str], *, end_token: str | None = None) -> None:
    """Write the examples to a JSONL or Parquet file, one column per tag, so that `read_rows` gives them back.

    Args:
        examples: what to write.
        path: a file whose name ends in ``.jsonl`` or ``.parquet``; one that is there is replaced at the end.
        end_token: the text of a tokenizer's end token, put behind each completion that ends. Without it, or where
            some do not end, a column ``ends`` marks those that do.

    Raises:
        DataError: an example cannot be written, because its completion holds the end token already, for example.
        StoreError: the file cannot be written.
        UsageError: the path ends in something else.
    """
    path = Path(path)
    if path.suffix not in _FORMATS:
        raise UsageError(f"{path} ends in {path.suffix!r}; rows are written to {' and '.join(_FORMATS)} files")
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to write {path.name} into; make it first")
    with_ends = end_token is None or not all(example.ends for example in examples)
    rows = [_row(place, example, end_token, with_ends=with_ends) for place, example in enumerate(examples, start=1)]
    try:
        with atomic_file(path) as partial:
            _FORMATS[path.suffix].write(rows, partial)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
    # json refuses NaN and infinity, pyarrow a column of mixed types, and numbers beyond 64 bits.
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(f"the examples cannot be written to {path}: {str(error).splitlines()[0]}") from error


def exported_completion(place: int, example: Example, end_token: str | None) -> str:
    """The completion with the end token's text behind it, where it ends.

    Args:
        place: of the example among those that are written, from 1, for the message.
        example: the example.
        end_token: the text of the end token; None leaves the completion bare.

    Raises:
        DataError: the completion holds that text already.
        UsageError: the end token given is empty.
    """
    _check_end_token(end_token)
    if end_token is None:
        return example.completion
    if end_token in example.completion:
        raise DataError(
            f"example {place}: the completion holds the end token {end_token!r} already; take it off when reading, "
            "with read_rows(path, end_token=...)"
        )
    return example.completion + end_token if example.ends else example.completion


def _check_end_token(end_token: str | None) -> None:
    if end_token == "":
        raise UsageError("the end token given is an empty text; give the text of the token, or none")


# From rows to examples and back.


def row_to_example(where: str, row: Any, end_token: str | None) -> Example:
    """One row as an example, as `read_rows` reads it.

    Args:
        where: where it stands, for messages.
        row: a mapping of columns.
        end_token: the text of the end token, where at least one completion of the file has it; else None.

    Raises:
        DataError: the row cannot be used.
    """
    if not isinstance(row, dict):
        raise DataError(f"{where}: {row!r:.40} is not an object; {_EXPECTED}")
    return _example(where, _checked(where, row), end_token)


def _checked(where: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row, if its columns can be used."""
    for column in _REQUIRED:
        if column not in row:
            raise DataError(f"{where}: there is no column {column!r}; {_found(column, row)}")
        _check_text(where, column, row[column])
    if not isinstance(row.get("ends", True), bool):
        raise DataError(f"{where}: ends is {row['ends']!r}; give true or false")
    return row


def _found(column: str, row: Mapping[str, Any]) -> str:
    """The names that are there, and the nearest of them."""
    names = [str(name) for name in row]
    if not names:
        return "the row is empty"
    others = [name for name in names if name not in _COLUMNS]
    similar = difflib.get_close_matches(column, others, n=1, cutoff=0.5)
    listed = ", ".join(repr(name) for name in names[:8])
    return f"found {listed}" + (f"; rename {similar[0]!r}?" if similar else "; rename one of them")


def _check_text(where: str, column: str, value: Any) -> None:
    """Refuse what is not text that can be written as UTF-8."""
    if not isinstance(value, str):
        raise DataError(f"{where}: {column} is {value!r:.40}, of type {type(value).__name__}; it must be text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        letter = value[error.start]
        raise DataError(f"{where}: {column} has half a surrogate pair ({letter!a}); write whole characters") from error


def _example(where: str, row: Mapping[str, Any], end_token: str | None) -> Example:
    """One row as an example."""
    completion, ends = row["completion"], row.get("ends", end_token is None)
    if end_token is not None and completion.endswith(end_token):
        completion, ends = completion.removesuffix(end_token), True
    if not completion:
        raise DataError(f"{where}: the completion is empty; give it text or remove the row")
    return Example(prompt=row["prompt"], completion=completion, ends=ends, tags=_tags(where, row))


def _tags(where: str, row: Mapping[str, Any]) -> dict[str, Tag]:
    """Every other column, and the entries of the object ``tags``; what is null, or no number (NaN), is left out."""
    nested = row.get("tags") or {}
    if not isinstance(nested, Mapping):
        raise DataError(f"{where}: tags is {nested!r:.40}; give an object of names and values")
    others = {name: value for name, value in row.items() if name not in _COLUMNS}
    # NaN is how pandas writes that there is nothing; it equals not even itself, so that it could name no group.
    tags = {name: value for name, value in {**nested, **others}.items() if value is not None and value == value}
    for name, value in tags.items():
        if not isinstance(value, (str, int, float, bool)):
            raise DataError(f"{where}: {name} is {value!r:.40}; a tag is text, a number, true or false")
        if isinstance(value, str):
            _check_text(where, name, value)
    return tags


def _row(place: int, example: Example, end_token: str | None, *, with_ends: bool) -> dict[str, Any]:
    """The columns of one example."""
    taken = [name for name in example.tags if name in _COLUMNS]
    if taken:
        raise DataError(f"example {place}: a tag is named {taken[0]!r}, which is a column of its own; rename the tag")
    return {
        "prompt": example.prompt,
        "completion": exported_completion(place, example, end_token),
        **({"ends": example.ends} if with_ends else {}),
        **example.tags,
    }


# JSONL: one JSON object per line.

_EXPECTED = 'each line must be one object, as {"prompt": "...", "completion": "..."}'


def _read_jsonl(path: Path) -> Iterator[LocatedRow]:
    """Each row and its location; blank lines are skipped."""
    for where, row in read_json_lines(path, expected=_EXPECTED):
        if not isinstance(row, dict):
            shown = json.dumps(row, ensure_ascii=False)[:40]
            raise DataError(f'{where}: {shown} is not an object; write {{"prompt": ..., "completion": ...}}')
        yield where, row


def _write_jsonl(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the rows, one per line, as readable UTF-8; a number that is infinite or NaN is a ValueError."""
    # The same bytes on every system.
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


# Parquet.


def _read_parquet(path: Path) -> Iterator[LocatedRow]:
    """Each row and its location."""
    import pyarrow
    import pyarrow.parquet

    # An empty file is no Parquet file, but it is plain to a reader what it is: empty.
    if not path.stat().st_size:
        return
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            number = 0
            for batch in file.iter_batches():
                for place in range(batch.num_rows):
                    number += 1
                    where = f"{path}, row {number}"
                    yield where, _parquet_row(where, batch.slice(place, 1))
    except pyarrow.ArrowException as error:
        raise DataError(f"{path} is not a Parquet file that can be read: {str(error).splitlines()[0]}") from error


def _parquet_row(where: str, batch: Any) -> Mapping[str, Any]:
    """The one row of the batch. One at a time, since a text that is not UTF-8 fails only when it is converted."""
    try:
        row: Mapping[str, Any] = batch.to_pylist()[0]
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{where}: byte 0x{byte:02x} in a text is not UTF-8; write the file again as UTF-8") from error
    return row


def _write_parquet(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the rows with one column per name, null where a row lacks it; a column of mixed types is a ValueError."""
    import pyarrow
    import pyarrow.parquet

    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: pyarrow.array([row.get(name) for row in rows]) for name in names}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


class _Format(NamedTuple):
    read: Callable[[Path], Iterator[LocatedRow]]
    write: Callable[[Iterable[Mapping[str, Any]], Path], None]


_FORMATS: Mapping[str, _Format] = {
    ".jsonl": _Format(_read_jsonl, _write_jsonl),
    ".parquet": _Format(_read_parquet, _write_parquet),
}
