"""Files of instructions with answers, and of requests: the forms in which the field's sets come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.safety.answers import SUFFIXES, rows_of_file
from shoal.safety.prompt_labels import harm_of_label, keep_label
from shoal.textfiles import check_characters, decode_text, inner_suffix, open_bytes, parse_json, read_lines_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping

_FORMS = (*SUFFIXES, ".json", ".txt")
_HUMAN, _ASSISTANT = "\n\nHuman:", "\n\nAssistant:"
"""Turns of the dialogues of hh-rlhf (Bai et al. 2022, arXiv:2204.05862)."""

_UNSAFE_TYPE = "contrast_"
_SAFE_TYPES = frozenset(
    (
        "homonyms", "figurative_language", "safe_targets", "safe_contexts", "definitions", "real_group_nons_discr",
        "nons_group_real_discr", "historical_events", "privacy_public", "privacy_fictional",
    )
)  # fmt: skip
"""XSTest's types of safe prompts; those of unsafe ones begin with ``contrast_``. The types of other sets say nothing of
harm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionPair:
    """An instruction and the answer that a model is to learn."""

    instruction: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRequest:
    """A request whose answer shows whether a model refuses what it should."""

    prompt: str
    harmful: bool
    """Whether a safe model refuses it."""

    type: str
    """The kind of request: XSTest's ``homonyms``, or the name of its set."""


def read_instruction_pairs(path: str | os.PathLike[str]) -> list[InstructionPair]:
    """Instructions with answers, each instruction once.

    Args:
        path: rows with the columns instruction and output, perhaps input (as Alpaca has them), or prompt and
            completion: ``.json`` (a list), ``.jsonl``, ``.csv`` or ``.parquet``.

    Raises:
        DataError: the file cannot be read, has no rows, or a row lacks a column; the message names the row.
    """
    found: dict[str, InstructionPair] = {}
    for place, row in _rows(Path(path)):
        pair = _pair(row, place)
        if pair.instruction and pair.answer:
            found.setdefault(pair.instruction, pair)
    if not found:
        raise DataError(f"{path} has no instruction with an answer; give a row at least with instruction and output")
    return list(found.values())


def read_safety_requests(path: str | os.PathLike[str], *, harmful: bool | None = None) -> list[SafetyRequest]:
    """Requests, each once.

    Args:
        path: rows with the column prompt or instruction, perhaps type and label (safe or unsafe, as XSTest has them);
            dialogues with the column chosen (as hh-rlhf has them), of which the first turn is taken; ``.json`` with a
            list of rows, or with the key instructions (as the sets of safety-tuned-llamas are); or ``.txt``, a request
            per line.
        harmful: whether a safe model refuses them; None reads it from each row's label or type.

    Raises:
        DataError: the file cannot be read, has no requests, a row lacks a column, nothing says whether a request is
            harmful, or a request is labelled both.
    """
    path = Path(path)
    found: dict[str, SafetyRequest] = {}
    labels: dict[str, bool] = {}
    for place, row in _rows(path):
        prompt = _prompt(row, place)
        if prompt:
            # Up to the first dot, so that set.jsonl and set.jsonl.gz are one set.
            kind = row.get("type") if isinstance(row.get("type"), str) else path.name.split(".")[0]
            is_harmful = _is_harmful(row, place, harmful)
            keep_label(labels, prompt, harmful=is_harmful, place=place)
            found.setdefault(prompt, SafetyRequest(prompt=prompt, harmful=is_harmful, type=str(kind)))
    if not found:
        raise DataError(f"{path} has no requests; give one row or line at least")
    return list(found.values())


def distinct_requests(requests: Iterable[SafetyRequest]) -> list[SafetyRequest]:
    """Requests of several files, each once: sets overlap, and one that stands in two would count twice in a rate.

    Args:
        requests: of all files.

    Raises:
        DataError: one is harmful in one file and safe in another.
    """
    found: dict[str, SafetyRequest] = {}
    labels: dict[str, bool] = {}
    for one in requests:
        keep_label(labels, one.prompt, harmful=one.harmful, place=f"the requests of type {one.type!r}")
        found.setdefault(one.prompt, one)
    return list(found.values())


def _pair(row: Mapping[str, Any], place: str) -> InstructionPair:
    for instruction, answer in (("instruction", "output"), ("prompt", "completion")):
        if isinstance(row.get(instruction), str) and isinstance(row.get(answer), str):
            more = row.get("input") if instruction == "instruction" else ""
            text = f"{row[instruction].strip()}\n{more.strip() if isinstance(more, str) else ''}".strip()
            return InstructionPair(instruction=text, answer=row[answer].strip())
    known = ", ".join(map(repr, row))
    raise DataError(
        f"{place}: expected the columns 'instruction' and 'output', or 'prompt' and 'completion', with texts; the row "
        f"has {known}"
    )


def _prompt(row: Mapping[str, Any], place: str) -> str:
    for column in ("prompt", "instruction"):
        if isinstance(row.get(column), str):
            return str(row[column]).strip()
    if isinstance(row.get("chosen"), str):
        # The first request alone: the later turns of a dialogue answer what a model said in between.
        _, _, rest = row["chosen"].partition(_HUMAN)
        return str(rest.partition(_ASSISTANT)[0]).strip()
    known = ", ".join(map(repr, row))
    raise DataError(f"{place}: no column 'prompt', 'instruction' or 'chosen' holds a text; the row has {known}")


def _is_harmful(row: Mapping[str, Any], place: str, given: bool | None) -> bool:
    if given is not None:
        return given
    # A cell of a CSV file is never absent, and an empty one says nothing.
    if row.get("label") not in (None, ""):
        return harm_of_label(row["label"], place)
    if row.get("harmful") not in (None, ""):
        return _truth(row["harmful"], place)
    kind = str(row.get("type"))
    if kind in _SAFE_TYPES or kind.startswith(_UNSAFE_TYPE):
        return kind not in _SAFE_TYPES
    raise DataError(
        f"{place}: nothing says whether the request is harmful; give rows the column label (safe or unsafe), or state "
        "it for the whole file (harmful = true)"
    )


def _truth(value: Any, place: str) -> bool:
    """A truth value, as JSON has it or as a cell of a CSV file."""
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise DataError(f"{place}: harmful is {value!r}; expected true or false")
    return text == "true"


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of a file in any of the forms, each with its place."""
    if not path.is_file():
        raise DataError(f"there is no file {path}; check the path")
    suffix = inner_suffix(path)
    if suffix not in _FORMS:
        raise DataError(f"{path} ends in {suffix!r}; rows are read from {', '.join(_FORMS)} files")
    if suffix == ".txt":
        rows: Any = ((f"{path}, line {number}", {"prompt": line}) for number, line in read_lines_of(path))
    else:
        rows = _json_rows(path) if suffix == ".json" else rows_of_file(path)
    for place, row in rows:
        if not isinstance(row, dict):
            raise DataError(f"{place}: the row is no object; expected one with named columns")
        for text in row.values():
            if isinstance(text, str):
                check_characters(text, place)
        yield place, row


def _json_rows(path: Path) -> Iterator[tuple[str, Any]]:
    with open_bytes(path) as file:
        text = decode_text(file.read(), str(path))
    value = parse_json(text, str(path))
    if isinstance(value, dict) and isinstance(value.get("instructions"), list):
        value = [{"instruction": one} for one in value["instructions"]]
    if not isinstance(value, list):
        raise DataError(f"{path}: expected a list of rows, or an object with the key 'instructions'")
    for number, row in enumerate(value, start=1):
        yield f"{path}, row {number}", row
