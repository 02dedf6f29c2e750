"""Rows as a verb takes them: closed by the model's end token or by that of ``shoal task``; one part or all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

    from shoal.tasks import Example

PartChoice = Literal["all", "seen", "held_out"]


def read_model_rows(path: Path, tokenizer: PreTrainedTokenizerFast, end_token: str | None = None) -> list[Example]:
    """The rows of a file for a model.

    The end token is the one given, else the tokenizer's where a completion has it, else ``<|endoftext|>``, which
    ``shoal task`` writes whatever the model: without that, a model with another end token would learn to say its text.

    Raises:
        DataError: the file cannot be read, or a row cannot be used.
    """
    from shoal.tasks import END_TOKEN, read_rows

    if end_token is not None:
        return read_rows(path, end_token=end_token)
    rows = read_rows(path)
    for text in filter(None, (tokenizer.eos_token, END_TOKEN)):
        if any(row.completion.endswith(text) for row in rows):
            return read_rows(path, end_token=text)
    return rows


def choose_part(rows: list[Example], part: PartChoice) -> list[Example]:
    """All rows, or those of one part.

    Raises:
        UsageError: a part is asked for, and the rows have no column ``part``.
        DataError: none is of that part.
    """
    from shoal.tasks import rows_of_part

    return rows if part == "all" else rows_of_part(rows, part)
