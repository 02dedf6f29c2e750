"""Answers to score: rows of prompt and completion, with XSTest's type, a label and a model where a row has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.safety.labels import CONDUCTS, Conduct
from shoal.textfiles import (
    check_characters,
    csv_rows,
    decode_text,
    inner_suffix,
    open_bytes,
    read_json_lines,
    read_lines_of,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

SUFFIXES = (".jsonl", ".parquet", ".csv")
# The values of XSTest's column ``final_label``, in which disagreements of the annotators are settled.
_XSTEST = {"1_full_compliance": "compliance", "2_full_refusal": "refusal", "3_partial_refusal": "partial"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptAnswer:
    """An answer to a prompt."""

    prompt: str
    completion: str
    type: str = ""
    """The kind of prompt, such as XSTest's ``homonyms``; empty where it is not known."""

    label: Conduct | None = None
    """What a person says that it does; None where nobody labelled it."""


def read_answers(path: str | os.PathLike[str]) -> list[PromptAnswer]:
    """Read answers from a file.

    Args:
        path: rows with the columns prompt and completion, perhaps type and label (``compliance``, ``refusal`` or
            ``partial``; XSTest's final_label is read too): ``.jsonl``, ``.parquet`` or ``.csv``, compressed or not.

    Raises:
        DataError: the file cannot be read, has no rows, or a row cannot be used; the message names the row.
    """
    return make_answers(answer_rows(path))


def answer_rows(path: str | os.PathLike[str]) -> Iterator[tuple[str, Any]]:
    """The rows of a file of answers, each with its place for messages.

    Args:
        path: ``.jsonl``, ``.parquet`` or ``.csv``, compressed or not.

    Raises:
        DataError: there is no such file, it has another suffix, or it is damaged.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    if inner_suffix(path) not in SUFFIXES:
        raise DataError(f"{path} ends in {inner_suffix(path)!r}; answers are read from .jsonl, .parquet and .csv files")
    yield from rows_of_file(path)


def make_answers(rows: Iterable[tuple[str, Any]]) -> list[PromptAnswer]:
    """Answers of rows with their places.

    Args:
        rows: the place, for messages, and the row.

    Raises:
        DataError: there are none, a row lacks a column, or its label is unknown.
    """
    found = [_answer(row, place) for place, row in rows]
    if not found:
        raise DataError("there are no answers; give one row at least, with the columns prompt and completion")
    return found


def plain_row(row: Any) -> Any:
    """A row of any mapping as a dict, which rows are read from; what is no mapping stays, and is refused by its place.

    Args:
        row: of a caller.
    """
    return dict(row) if isinstance(row, Mapping) else row


def _answer(row: Any, place: str) -> PromptAnswer:
    if not isinstance(row, dict):
        raise DataError(f"{place}: the row is no object; expected one with the columns prompt and completion")
    for column in ("prompt", "completion"):
        if not isinstance(row.get(column), str):
            known = ", ".join(map(repr, row))
            raise DataError(f"{place}: the column {column!r} holds no text; the row has the columns {known}")
    label = row.get("label") if isinstance(row.get("label"), str) else row.get("final_label")
    # XSTest's prompts have a column label, too, which names the prompt (safe, unsafe) and not the answer.
    label = row.get("final_label") if label in ("safe", "unsafe") else label
    label = _XSTEST.get(label, label) if isinstance(label, str) else None
    if label and label not in CONDUCTS:
        raise DataError(f"{place}: the label is {label!r}; expected {', '.join(CONDUCTS)}, or none")
    kind = row.get("type")
    return PromptAnswer(
        prompt=row["prompt"],
        completion=row["completion"],
        type=kind if isinstance(kind, str) else "",
        label=next((conduct for conduct in CONDUCTS if conduct == label), None),
    )


def rows_of_file(path: Path) -> Iterator[tuple[str, Any]]:
    """The rows of a .jsonl, .csv or .parquet file, each with its place for messages.

    Raises:
        DataError: the file is damaged.
    """
    if inner_suffix(path) == ".jsonl":
        yield from read_json_lines(path, expected="each line must be an object")
        return
    for place, row in enumerate(_csv(path) if inner_suffix(path) == ".csv" else _parquet(path), start=1):
        yield f"{path}, row {place}", row


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    with open_bytes(path) as file:
        text = decode_text(file.read(), str(path))
    return csv_rows(text)


def _parquet(path: Path) -> list[dict[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as fault:
        raise DataError(f"{path} is no whole Parquet file: {fault}") from fault
    return rows


def read_prompt_rows(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Rows of prompts for a model; their other columns stay with the answers.

    Args:
        path: rows with the column prompt (``.jsonl``, ``.parquet``, ``.csv``), or ``.txt`` with a prompt per line.

    Raises:
        DataError: the file cannot be read, or has no prompts.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    if inner_suffix(path) == ".txt":
        found = [{"prompt": line} for _, line in read_lines_of(path) if line.strip()]
    elif inner_suffix(path) in SUFFIXES:
        found = [_prompt_row(row, place) for place, row in rows_of_file(path)]
    else:
        raise DataError(f"{path} ends in {inner_suffix(path)!r}; prompts are read from {', '.join(SUFFIXES)} and .txt")
    if not found:
        raise DataError(f"{path} has no prompts; give one row or line at least")
    return found


def read_prompt_rows_with_labels(path: Path) -> list[dict[str, Any]]:
    """Rows of prompts whose label (safe, unsafe) stays with them, as minimal pairs and probes need it.

    Args:
        path: rows with the column prompt: ``.jsonl``, ``.parquet`` or ``.csv``, compressed or not.

    Raises:
        DataError: the file cannot be read, or has no prompts.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    if inner_suffix(path) not in SUFFIXES:
        raise DataError(f"{path} ends in {inner_suffix(path)!r}; labelled prompts are read from {', '.join(SUFFIXES)}")
    found = []
    for place, row in rows_of_file(path):
        _prompt_row(row, place)
        found.append(dict(row))
    if not found:
        raise DataError(f"{path} has no prompts; give one row at least")
    return found


def _prompt_row(row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict) or not isinstance(row.get("prompt"), str) or not row["prompt"].strip():
        known = ", ".join(map(repr, row)) if isinstance(row, dict) else "none"
        raise DataError(f"{place}: the column 'prompt' holds no text; the row has the columns {known}")
    check_characters(row["prompt"], f"{place}, column 'prompt'")
    # A label of the prompt (XSTest's safe, unsafe) is none of the answer.
    return {name: value for name, value in row.items() if name not in ("label", "final_label")}
