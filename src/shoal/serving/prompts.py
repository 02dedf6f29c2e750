"""Prompts from a file: texts, or conversations as lists of messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.textfiles import inner_suffix, read_json_lines, read_lines_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from shoal.serving.generations import Prompt


def read_prompts(path: str | os.PathLike[str], *, column: str = "prompt") -> list[Prompt]:
    """The prompts of a file.

    Args:
        path: ``.jsonl`` (also ``.gz``) or ``.parquet``, a row per prompt; or ``.txt``, a line per prompt.
        column: which column of the rows holds the prompt: a text, or a list of messages.

    Raises:
        DataError: the file cannot be read, has no prompts, or a row has none; the message names its place.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    suffix = inner_suffix(path)
    if suffix not in (".txt", ".jsonl", ".parquet"):
        raise DataError(f"{path} ends in {suffix!r}; prompts are read from .jsonl, .parquet and .txt files")
    if suffix == ".txt":
        # Blank lines separate prompts for the eye, and would otherwise be continued as prompts.
        found: list[Prompt] = [line for _, line in read_lines_of(path) if line.strip()]
    else:
        rows = read_json_lines(path, expected="each line must be an object") if suffix == ".jsonl" else _rows(path)
        found = [_prompt(row, column, where) for where, row in rows]
    if not found:
        raise DataError(f"{path} has no prompts; give one row or line at least")
    return found


def read_text_prompts(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The prompts of a file as `read_prompts` reads it, where only texts will do.

    Raises:
        DataError: as `read_prompts`, or one is a conversation.
    """
    found = read_prompts(path)
    for place, prompt in enumerate(found, start=1):
        if not isinstance(prompt, str):
            raise DataError(f"prompt {place} of {path} is a conversation; give plain texts here")
    return tuple(prompt for prompt in found if isinstance(prompt, str))


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a Parquet file with their places."""
    import pyarrow
    import pyarrow.parquet

    try:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is no whole Parquet file: {error}") from error
    for place, row in enumerate(rows, start=1):
        yield f"{path}, row {place}", row


def _prompt(row: Any, column: str, where: str) -> Prompt:
    if not isinstance(row, dict):
        raise DataError(f"{where}: the row is no object; expected one with the column {column!r}")
    prompt = row.get(column)
    if isinstance(prompt, str) or (isinstance(prompt, list) and all(map(_is_message, prompt))):
        return prompt
    known = ", ".join(map(repr, row))
    raise DataError(f"{where}: the column {column!r} holds no text and no list of messages; columns: {known}")


def _is_message(value: Any) -> bool:
    """Whether a value is an object as JSON has them: Parquet has dates and bytes too, which no record could hold."""
    try:
        return isinstance(value, dict) and bool(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError):
        return False
