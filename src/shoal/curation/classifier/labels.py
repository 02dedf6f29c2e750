"""Labelled documents: rows of a text and a whole number, given by a judge or by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.corpora import read_document_rows
from shoal.errors import DataError
from shoal.textfiles import csv_rows, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledDocument:
    """A document and its label."""

    text: str
    label: int

    group: str
    """Documents of one group are alike in more than their label (versions of one article); no fold parts them."""


def read_labels(path: str | os.PathLike[str], *, column: str = "text") -> list[LabelledDocument]:
    """Read labels; rows whose label is empty are left out, so that a file that is half labelled can be used.

    Args:
        path: a .jsonl, .parquet or .csv file with the columns of the text, ``label`` (a whole number) and perhaps
            ``group``.
        column: the column of the text.

    Raises:
        DataError: a column is missing, a label is no whole number, a row with a label has no text, or no row has one.
    """
    path = Path(path)
    rows = _read_csv(path) if path.suffix == ".csv" else read_document_rows(path, column=column)
    found = [one for place, row in enumerate(rows, start=1) if (one := _document(path, place, row, column))]
    if not found:
        raise DataError(f"{path} holds no row with a label; give each row a whole number as its label")
    return found


def _read_csv(path: Path) -> Iterable[Mapping[str, Any]]:
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    return csv_rows(read_text(path))


def _document(path: Path, place: int, row: Mapping[str, Any], column: str) -> LabelledDocument | None:
    """The labelled document of a row; None where its label is empty."""
    for name in (column, "label"):
        if name not in row:
            raise DataError(f"{path}, row {place} has no column {name!r}; it has {', '.join(map(str, row))}")
    value = row["label"]
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        label = int(value)
        whole = not isinstance(value, bool) and (isinstance(value, str) or label == value)
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise DataError(f"{path}, row {place} has the label {value!r}; expected a whole number, such as 0 to 5")
    if not isinstance(row[column], str):
        raise DataError(f"{path}, row {place} has a label and no text in {column!r}; give it one, or take the row away")
    group = row.get("group")
    return LabelledDocument(text=row[column], label=label, group=str(place) if group in (None, "") else str(group))
