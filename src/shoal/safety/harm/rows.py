"""Answers with labels of harm, and pairs of answers of which people prefer one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.safety.answers import SUFFIXES, PromptAnswer, make_answers, rows_of_file
from shoal.textfiles import inner_suffix, read_json_lines

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

HARM_LABELS = {"harmful": True, "harmless": False}
_HUMAN, _ASSISTANT = "\n\nHuman:", "\n\nAssistant:"


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmLabelled:
    """An answer with the label of its harm."""

    answer: PromptAnswer
    harmful: bool | None
    """None where nobody labelled it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencePair:
    """Two answers to a request, of which people preferred one."""

    prompt: str
    chosen: str
    rejected: str


def read_harm_rows(answers: str | os.PathLike[str] | Sequence[Mapping[str, Any]]) -> list[HarmLabelled]:
    """Answers with the labels of their harm, where rows have one.

    Args:
        answers: a file of rows (``.jsonl``, ``.parquet``, ``.csv``) or rows, with the columns prompt and completion,
            and perhaps type and harm (``harmful`` or ``harmless``).

    Raises:
        DataError: the file cannot be read, has no rows, or a row cannot be used; the message names the row.
    """
    if isinstance(answers, str) or hasattr(answers, "__fspath__"):
        path = Path(answers)
        if not path.is_file():
            raise DataError(f"there is no file {path}; check the path")
        if inner_suffix(path) not in SUFFIXES:
            raise DataError(f"{path} ends in {inner_suffix(path)!r}; answers are read from {', '.join(SUFFIXES)} files")
        placed = list(rows_of_file(path))
    else:
        placed = [(f"row {place}", dict(row)) for place, row in enumerate(answers, start=1)]
    return [
        HarmLabelled(answer=answer, harmful=_label(row.get("harm"), place))
        for answer, (place, row) in zip(make_answers(placed), placed, strict=True)
    ]


def read_preference_pairs(path: str | os.PathLike[str], *, max_pairs: int | None = None) -> list[PreferencePair]:
    """The last answers of pairs of dialogues, with the human's last words before them.

    Args:
        path: rows with the columns chosen and rejected, dialogues as those of hh-rlhf (``.jsonl``, compressed or not).
        max_pairs: the first ones of the file; None reads all.

    Raises:
        DataError: the file cannot be read, or a row has no such dialogues.
    """
    path = Path(path)
    found: list[PreferencePair] = []
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    for place, row in read_json_lines(path, expected="each line must be an object with chosen and rejected"):
        if max_pairs is not None and len(found) >= max_pairs:
            break
        sides = [_last_answer(row.get(name)) for name in ("chosen", "rejected")]
        if None in sides:
            raise DataError(
                f"{place}: the row has no two dialogues; expected the columns chosen and rejected, each of "
                r"'\n\nHuman: ...' and '\n\nAssistant: ...'"
            )
        (prompt, chosen), (_, rejected) = (side for side in sides if side is not None)
        if chosen and rejected and chosen != rejected:
            found.append(PreferencePair(prompt=prompt, chosen=chosen, rejected=rejected))
    if not found:
        raise DataError(f"{path} has no pairs of two different answers; give one at least")
    return found


def _last_answer(dialogue: Any) -> tuple[str, str] | None:
    if not isinstance(dialogue, str) or _HUMAN not in dialogue or _ASSISTANT not in dialogue:
        return None
    before, _, answer = dialogue.rpartition(_ASSISTANT)
    return before.rpartition(_HUMAN)[2].strip(), answer.strip()


def _label(value: Any, place: str) -> bool | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value in HARM_LABELS:
        return HARM_LABELS[value]
    raise DataError(f"{place}: harm is {value!r}; expected {' or '.join(HARM_LABELS)}, or none")
