"""Rows of prompts and completions as work for shards: planned as the file is read, found again by their place."""

from __future__ import annotations

import hashlib
import json
import os
from codecs import BOM_UTF8
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from shoal.errors import DataError, StoreError, UsageError
from shoal.evaluation.batching import encode_rows
from shoal.evaluation.evaluator import evaluate
from shoal.evaluation.sharding.plan_file import ShardBlock, ShardPlan, write_plan
from shoal.evaluation.sharding.shard_work import ShardWork, versions
from shoal.models import load_for_scoring, parse_spec, tokenizer_digest
from shoal.progress import no_progress
from shoal.tasks import END_TOKEN, Example, row_to_example
from shoal.textfiles import finite, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shoal.models import ScoringModel
    from shoal.progress import Progress

WINDOW = 65_536
"""Rows that are sorted by length together: enough for blocks of one length, and little memory for any file."""

_READ = 4096
"""Bytes: most rows at once."""

# Rows to the tokenizer at once: its threads are busy, and the texts of a window need not all be in memory.
_ENCODED_TOGETHER = 1024


class RowsWork(ShardWork):
    """Exact match and log-likelihood of rows, as ``shoal score`` finds them.

    Args:
        plan: as `plan_rows` wrote it.
    """

    name: ClassVar[str] = "rows"

    def __init__(self, plan: ShardPlan) -> None:
        header = plan.header
        self._model = load_for_scoring(header["model"], device=header["device"], dtype=header["dtype"])
        # A spec may name a folder whose weights were trained on since the plan was made.
        here = {"digest": self._model.digest, "tokenizer": tokenizer_digest(self._model.tokenizer)}
        for what, digest in here.items():
            due = str(header.get(what))
            if digest != due:
                raise StoreError(
                    f"{header['model']} has another {what} ({digest[:12]}) than the plan {plan.path} "
                    f"({due[:12]}); use the model that the plan was made with, or write the plan again"
                )
        self._path, self._end_token = Path(header["data"]), header["end_token"]
        try:
            self._file = self._path.open("rb")
        except OSError as error:
            raise StoreError(f"the rows of the plan, {self._path}, cannot be read: {error.strerror}") from error

    def close(self) -> None:
        """Close the file of the rows."""
        self._file.close()

    def score(self, block: ShardBlock) -> Sequence[str]:
        """The scores of the block's rows, which go through the model by themselves."""
        numbers, places = block.work["rows"], block.work["places"]
        examples = [self._example(*each) for each in zip(block.items, numbers, places, strict=True)]
        scores = evaluate(self._model.model, self._model.tokenizer, examples, token_budget=block.work["tokens"])
        return [
            _line(
                {
                    "id": item,
                    "row": number,
                    "prompt": example.prompt,
                    "completion": example.completion,
                    # Its place in the file and not in the block, as `shoal score --out` writes it.
                    **(score.to_dict() | {"index": number}),
                }
            )
            for item, number, example, score in zip(block.items, numbers, examples, scores.items, strict=True)
        ]

    def _example(self, item: str, number: int, place: int) -> Example:
        where = f"{self._path}, row {number}"
        try:
            example = row_to_example(where, parse_json(self._line_at(place).decode(), where), self._end_token)
            # The place is only where to look: the hash shows that the file is still the same there.
            changed = row_id(number, example) != item
        # Where the file was changed, the place may lie within a row, or within a character.
        except (DataError, UnicodeDecodeError):
            changed = True
        if changed:
            raise StoreError(f"{where} is not what the plan was made of; give the same file, or write the plan again")
        return example

    def _line_at(self, place: int) -> bytes:
        # By place alone: forked processes share the position of an open file, and move it for each other.
        line, size = b"", _READ
        while b"\n" not in line and (more := os.pread(self._file.fileno(), size, place + len(line))):
            line, size = line + more, 2 * size
        return line.partition(b"\n")[0]


def plan_rows(
    model: str,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    end_token: str | None = None,
    token_budget: int = 4096,
    threads: int = 1,
    device: str = "cpu",
    dtype: str = "float32",
    progress: Progress | None = None,
) -> ShardPlan:
    """Plan the scoring of rows; memory does not grow with their number.

    Args:
        model: a model spec.
        data: a file of JSON lines in UTF-8, not compressed, with the columns of `read_rows`.
        out: the plan file.
        end_token: text that ends completions; None finds it, as ``shoal score`` does.
        token_budget: tokens of a block, padding included.
        threads: of torch, in every worker.
        device: cpu or cuda, in every worker, or auto, which is chosen here.
        dtype: of the weights.
        progress: called with (what, done, total).

    Raises:
        DataError: a row cannot be used.
        UsageError: the model is a dummy, whose answers follow from all rows together; the file is of another format.
    """
    if parse_spec(model).kind == "dummy":
        raise UsageError(f"{model} is a dummy, which is taught all rows at once; give a model that is loaded")
    # A worker may be started in another folder.
    path = Path(data).resolve()
    if path.suffix != ".jsonl":
        raise UsageError(f"{path.name} is no .jsonl file; shards find their rows by place: write the rows as .jsonl")
    loaded = load_for_scoring(model, device=device, dtype=dtype)
    end_text = _end_text(path, loaded, end_token)
    header = {
        "kind": RowsWork.name,
        "model": model,
        "digest": loaded.digest,
        "tokenizer": tokenizer_digest(loaded.tokenizer),
        "dtype": dtype,
        # Of this machine: with "auto" shards would be computed on whatever a worker has, which gives other bits.
        "device": loaded.model.device.type,
        "threads": threads,
        "data": str(path),
        "end_token": end_text,
        "token_budget": token_budget,
        "versions": versions(),
    }
    return write_plan(out, header, _blocks(path, loaded, end_text, token_budget, progress or no_progress))


def row_id(number: int, example: Example) -> str:
    """The id of a row: a hash of its place and contents, since two rows may be equal.

    Args:
        number: of the row, from 0.
        example: the row.
    """
    contents = json.dumps([number, example.prompt, example.completion, example.ends])
    return hashlib.sha256(contents.encode()).hexdigest()[:32]


def _located(path: Path) -> Iterator[tuple[int, int, Any]]:
    """Number, place in bytes and contents of each row."""
    place = number = 0
    try:
        with path.open("rb") as file:
            # As readers of rows take it: a byte-order mark is no part of the first row.
            if file.read(len(BOM_UTF8)) == BOM_UTF8:
                place = len(BOM_UTF8)
            file.seek(place)
            for line in file:
                if line.strip():
                    yield number, place, parse_json(line.decode(), f"{path}, row {number}")
                    number += 1
                place += len(line)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}, row {number} is not UTF-8; write the file again as UTF-8") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _end_text(path: Path, loaded: ScoringModel, given: str | None) -> str | None:
    """The text that ends completions, where at least one has it."""
    candidates = [given] if given is not None else [text for text in (loaded.tokenizer.eos_token, END_TOKEN) if text]
    found: set[str] = set()
    for number, _, row in _located(path):
        completion = row_to_example(f"{path}, row {number}", row, None).completion
        found.update(text for text in candidates if completion.endswith(text))
        if candidates and candidates[0] in found:
            break
    return next((text for text in candidates if text in found), None)


def _blocks(
    path: Path, loaded: ScoringModel, end_text: str | None, token_budget: int, progress: Progress
) -> Iterator[ShardBlock]:
    number, size, located = 0, path.stat().st_size, _located(path)
    while window := list(islice(located, WINDOW)):
        starts = range(0, len(window), _ENCODED_TOGETHER)
        parts = [window[start : start + _ENCODED_TOGETHER] for start in starts]
        # By length, then by number, so that the same file always gives the same blocks.
        rows = sorted(row for part in parts for row in _with_lengths(path, part, loaded, end_text))
        for block in _filled(rows, token_budget):
            # A row longer than the budget makes a block of its own, which must not be split again when it is scored.
            tokens = max(token_budget, block[-1][0] * len(block))
            work = {
                "rows": [row for _, row, _, _ in block],
                "places": [place for *_, place, _ in block],
                "tokens": tokens,
            }
            yield ShardBlock(number=number, items=tuple(item for *_, item in block), work=work)
            number += 1
        progress("planning", window[-1][1], size)
    progress("planning", size, size)


def _with_lengths(
    path: Path, part: Sequence[tuple[int, int, Any]], loaded: ScoringModel, end_text: str | None
) -> list[tuple[int, int, int, str]]:
    """(tokens, number, place, id) of some rows."""
    examples = [row_to_example(f"{path}, row {number}", row, end_text) for number, _, row in part]
    encoded = encode_rows(loaded.model, loaded.tokenizer, examples)
    return [
        (len(row.ids), number, place, row_id(number, example))
        for row, (number, place, _), example in zip(encoded, part, examples, strict=True)
    ]


def _filled(rows: Sequence[tuple[int, int, int, str]], token_budget: int) -> Iterator[list[tuple[int, int, int, str]]]:
    """Sorted rows in blocks: as many as fit into the budget, each counted as long as the longest."""
    block: list[tuple[int, int, int, str]] = []
    for row in rows:
        if block and row[0] * (len(block) + 1) > token_budget:
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _line(values: dict[str, Any]) -> str:
    # The same bytes for the same record everywhere: merging compares lines and parses none.
    return json.dumps(finite(values), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
