"""Answers with labels of harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.safety.answers import PromptAnswer, answer_rows, make_answers, plain_row

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

HARM_LABELS = {"harmful": True, "harmless": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmLabelled:
    """An answer with the label of its harm."""

    answer: PromptAnswer
    harmful: bool | None
    """None where nobody labelled it."""


def read_harm_rows(answers: str | os.PathLike[str] | Sequence[Mapping[str, Any]]) -> list[HarmLabelled]:
    """Answers with the labels of their harm, where rows have one.

    Args:
        answers: a file of rows (``.jsonl``, ``.parquet``, ``.csv``) or rows, with the columns prompt and completion,
            and perhaps type and harm (``harmful`` or ``harmless``).

    Raises:
        DataError: the file cannot be read, has no rows, or a row cannot be used; the message names the row.
    """
    if isinstance(answers, str) or hasattr(answers, "__fspath__"):
        placed = list(answer_rows(answers))
    else:
        placed = [(f"row {place}", plain_row(row)) for place, row in enumerate(answers, start=1)]
    return [
        HarmLabelled(answer=answer, harmful=_label(row.get("harm"), place))
        for answer, (place, row) in zip(make_answers(placed), placed, strict=True)
    ]


def _label(value: Any, place: str) -> bool | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value in HARM_LABELS:
        return HARM_LABELS[value]
    raise DataError(f"{place}: harm is {value!r}; expected {' or '.join(HARM_LABELS)}, or none")
