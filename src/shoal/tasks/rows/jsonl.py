"""Rows of a JSONL file: one JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.textfiles import read_json_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_EXPECTED = 'each line must be one object, as {"prompt": "...", "completion": "..."}'


def jsonl_rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row and where it stands; blank lines are skipped.

    Raises:
        DataError: the file is no Unicode text, or a line is not JSON, or not an object.
    """
    for where, row in read_json_lines(path, expected=_EXPECTED):
        if not isinstance(row, dict):
            shown = json.dumps(row, ensure_ascii=False)[:40]
            raise DataError(f'{where}: {shown} is not an object; write {{"prompt": ..., "completion": ...}}')
        yield where, row


def write_jsonl(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Write the rows, one a line, as readable UTF-8.

    Raises:
        ValueError: a number is infinite or not a number, which JSON does not have.
    """
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
