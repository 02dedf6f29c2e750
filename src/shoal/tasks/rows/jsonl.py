"""Rows of a JSONL file: one JSON object a line, in UTF-8."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


def jsonl_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row and where it stands; blank lines are skipped.

    Raises:
        DataError: a line is not UTF-8, not JSON, or not an object.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}, line {number}"
            text = _decoded(where, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)
            if text.strip():
                yield where, _row(where, text)


def write_jsonl(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the rows, one a line, as readable UTF-8.

    Raises:
        ValueError: a number is infinite or not a number, which JSON does not have.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def _decoded(where: str, line: bytes) -> str:
    """The line as text."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: byte 0x{line[error.start]:02x} at place {error.start + 1} of the line is not UTF-8; "
            "save the file as UTF-8"
        ) from error


def _row(where: str, text: str) -> Mapping[str, Any]:
    """The line's object."""
    try:
        row = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{where}: broken JSON at place {error.pos + 1} ({error.msg}); each line must be one object, as "
            '{"prompt": "...", "completion": "..."}'
        ) from error
    except RecursionError as error:
        raise DataError(f"{where}: JSON nested too deeply to be a row; write prompt and completion as text") from error
    if not isinstance(row, dict):
        raise DataError(f'{where}: {text.strip()[:40]} is not an object; write {{"prompt": ..., "completion": ...}}')
    return row
