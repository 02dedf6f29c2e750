"""Rows from a file, each checked at the door."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from shoal.errors import DataError, UsageError
from shoal.tasks.example import Example, Tag
from shoal.tasks.rows.jsonl import jsonl_rows
from shoal.tasks.rows.parquet import parquet_rows
from shoal.textfiles import inner_suffix

LocatedRow = tuple[str, Mapping[str, Any]]
"""A row and where it stands: ``rows.jsonl, line 3``."""

_READERS: Mapping[str, Callable[[Path], Iterator[LocatedRow]]] = {".jsonl": jsonl_rows, ".parquet": parquet_rows}
_NEEDED = ("prompt", "completion")

END_TOKEN = "<|endoftext|>"
"""What ``shoal task --out`` closes completions with, unless another is asked for."""


def read_rows(path: str | Path, *, end_token: str | None = None) -> list[Example]:
    """The examples of a JSONL or Parquet file, in order.

    Columns: ``prompt`` and ``completion`` are text; ``ends`` (true or false, true where it is absent) says whether
    the completion ends; every other column, and every entry of an object named ``tags``, becomes a tag.

    Args:
        path: a file whose name ends in ``.jsonl`` (UTF-8, or UTF-16 and UTF-32 with a byte-order mark),
            ``.jsonl.gz`` or ``.parquet``.
        end_token: the text of the end token, ``<|endoftext|>`` say. It is taken off the completions that have it at
            their end, and those end. In a file where at least one completion has it, one without it does not end,
            unless a column ``ends`` says that it does; in a file where none has it, it changes nothing.

    Raises:
        DataError: the file is missing or empty, or a row cannot be used; the message names file and line.
        UsageError: the end token given is empty.
    """
    path = Path(path)
    if end_token == "":
        raise UsageError("the end token given is an empty text; give the text of the token, or none")
    if path.is_dir():
        raise DataError(f"{path} is a folder; give a .jsonl or .parquet file in it")
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    suffix = inner_suffix(path)
    if suffix not in _READERS or (path.suffix == ".gz" and suffix == ".parquet"):
        raise DataError(f"{path} ends in {path.suffix!r}; rows are read from {' and '.join(_READERS)} files")
    try:
        rows = [(where, _checked(where, row)) for where, row in _READERS[suffix](path)]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    if not rows:
        raise DataError(f"{path} is empty; it needs at least one row with a prompt and a completion")
    marked = end_token is not None and any(row["completion"].endswith(end_token) for _, row in rows)
    return [_example(where, row, end_token if marked else None) for where, row in rows]


def _checked(where: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row, if its columns can be used."""
    for column in _NEEDED:
        if column not in row:
            raise DataError(f"{where}: there is no column {column!r}; {_found(column, row)}")
        _check_text(where, column, row[column])
    if not isinstance(row.get("ends", True), bool):
        raise DataError(f"{where}: ends is {row['ends']!r}; give true or false")
    return row


def _example(where: str, row: Mapping[str, Any], end_token: str | None) -> Example:
    """One row as an example."""
    completion, ends = row["completion"], row.get("ends", end_token is None)
    if end_token is not None and completion.endswith(end_token):
        completion, ends = completion.removesuffix(end_token), True
    if not completion:
        raise DataError(f"{where}: the completion is empty; give it text or remove the row")
    return Example(prompt=row["prompt"], completion=completion, ends=ends, tags=_tags(where, row))


def _found(column: str, row: Mapping[str, Any]) -> str:
    """The names that are there, and the nearest of them."""
    names = [str(name) for name in row]
    if not names:
        return "the row is empty"
    others = [name for name in names if name not in (*_NEEDED, "ends", "tags")]
    near = difflib.get_close_matches(column, others, n=1, cutoff=0.5)
    listed = ", ".join(repr(name) for name in names[:8])
    return f"found {listed}" + (f"; rename {near[0]!r}?" if near else "; rename one of them")


def _check_text(where: str, column: str, value: Any) -> None:
    """Refuse what is not text that can be written as UTF-8."""
    if not isinstance(value, str):
        raise DataError(f"{where}: {column} is {value!r:.40}, of type {type(value).__name__}; it must be text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        letter = value[error.start]
        raise DataError(f"{where}: {column} has half a surrogate pair ({letter!a}); write whole characters") from error


def _tags(where: str, row: Mapping[str, Any]) -> dict[str, Tag]:
    """Every other column, and the entries of the object ``tags``; what is null is left out."""
    nested = row.get("tags") or {}
    if not isinstance(nested, Mapping):
        raise DataError(f"{where}: tags is {nested!r:.40}; give an object of names and values")
    others = {name: value for name, value in row.items() if name not in (*_NEEDED, "ends", "tags")}
    tags = {name: value for name, value in {**nested, **others}.items() if value is not None}
    for name, value in tags.items():
        if not isinstance(value, (str, int, float, bool)):
            raise DataError(f"{where}: {name} is {value!r:.40}; a tag is text, a number, true or false")
    return tags
