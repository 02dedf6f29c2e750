"""Many prompts to an endpoint, resumable: each answer is appended to a record at once, and is not requested again.

The record is a JSONL file with one line per answer, keyed by the digest of its prompt, with the model that answered. An
answer counts for the model that gave it and for no other, so that one record may hold those of several. A last line
that was cut short by a kill is dropped. Of generated stories, those equal up to case and white space are returned once.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from shoal.corpora.llm.client import UselessAnswerError
from shoal.errors import DataError
from shoal.textfiles import read_json_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.corpora.llm.client import Endpoint
    from shoal.corpora.llm.prompts import Prompt
    from shoal.progress import Progress

_START_AGAIN = "move the file away to start again"


def generate_all(
    prompts: Sequence[Prompt],
    endpoint: Endpoint,
    record: str | Path,
    *,
    workers: int = 4,
    progress: Progress | None = None,
) -> tuple[list[dict[str, Any]], int]:
    """Generate the stories that the record does not hold yet.

    Args:
        prompts: the requests for stories.
        endpoint: where the model answers.
        record: the JSONL file of answers; it is made, or continued.
        workers: requests under way at the same time.
        progress: called with (what, done, total).

    Returns:
        The rows in the order of the prompts, and the number of duplicates that were left out.

    Raises:
        EndpointError: the endpoint failed for good; what was answered is in the record.
        DataError: the record is not one.
    """
    known = complete_all(prompts, endpoint, record, fields=_prompt_fields, workers=workers, progress=progress)
    return _without_duplicates([known[prompt.key] for prompt in prompts])


class Request(Protocol):
    """A prompt and its key."""

    @property
    def key(self) -> str:
        """The record's key."""

    @property
    def text(self) -> str:
        """The prompt."""


_R = TypeVar("_R", bound=Request)


def complete_all(
    requests: Sequence[_R],
    endpoint: Endpoint,
    record: str | Path,
    *,
    fields: Callable[[_R], dict[str, Any]],
    check: Callable[[str], object] | None = None,
    workers: int = 4,
    progress: Progress | None = None,
    what: str = "stories",
) -> dict[str, dict[str, Any]]:
    """Complete the prompts to which the record holds no answer of this model yet.

    What another model answered in the same record stays there, and is not taken for an answer of this one.

    Args:
        requests: the prompts; those with one key are one request.
        endpoint: where the model answers.
        record: the JSONL file of answers; it is made, or continued.
        fields: what the record holds of a request, besides its key and its answer.
        check: see `Endpoint.complete`; a request whose answers stay useless is recorded with the reason under
            ``useless``.
        workers: requests under way at the same time.
        progress: called with (what, done, total).
        what: the name of the work.

    Returns:
        All rows of the model in the record, by key.

    Raises:
        EndpointError: the endpoint failed for good; what was answered is in the record.
        DataError: the record is not one.
    """
    record = Path(record)
    known = read_record(record, endpoint.model)
    # Each key once: a request that comes twice would be paid for twice, and have two answers.
    todo = list({request.key: request for request in requests if request.key not in known}.values())
    if not todo:
        return known
    client = endpoint.client()

    def complete(request: _R) -> dict[str, Any]:
        row = {"key": request.key, "model": endpoint.model, **fields(request)}
        try:
            answer = endpoint.complete(client, request.text, check)
        except UselessAnswerError as fault:
            return {**row, "text": "", "useless": str(fault)}
        return {**row, "text": answer.text, "tokens_in": answer.tokens_in, "tokens_out": answer.tokens_out}

    with record.open("a", encoding="utf-8") as file, ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(complete, request) for request in todo}
        try:
            for future in as_completed(list(waiting)):
                row = future.result()
                known[row["key"]] = _append(file, row)
                waiting.discard(future)
                if progress is not None:
                    progress(what, len(requests) - len(waiting), len(requests))
        finally:
            # After an error or Ctrl-C the requests under way still come back, and have been paid for.
            pool.shutdown(cancel_futures=True)
            for future in waiting:
                if not future.cancelled() and future.exception() is None:
                    _append(file, future.result())
    return known


def read_record(record: str | Path, model: str | None = None) -> dict[str, dict[str, Any]]:
    """The answers of a model in a record, by the digest of their prompt; none where there is no file.

    A last line that was cut short is cut off the file.

    Args:
        record: the JSONL file of answers.
        model: whose answers they are, or those that name no model; None takes all.

    Raises:
        DataError: a line that is no answer.
    """
    record = Path(record)
    if not record.exists():
        return {}
    answers = {}
    for where, row in read_json_lines(record, expected=_START_AGAIN, unfinished=True):
        if not isinstance(row, dict) or not {"key", "text"} <= row.keys():
            raise DataError(f"{where} is no answer of a model; {_START_AGAIN}")
        if model is None or row.get("model", model) == model:
            answers[row["key"]] = {**row, "text": str(row["text"])}
    # Only now: a file that is no record is left as it is.
    _mend_end(record)
    return answers


def _mend_end(record: Path) -> None:
    """End the last line of a record, behind which the next answer is appended, or cut it off where it is not whole."""
    raw = record.read_bytes()
    whole = raw.rfind(b"\n") + 1
    if whole == len(raw):
        return
    try:
        json.loads(raw[whole:])
    except ValueError:
        os.truncate(record, whole)
    else:
        with record.open("ab") as file:
            file.write(b"\n")


def _prompt_fields(prompt: Prompt) -> dict[str, Any]:
    return {"words": list(prompt.words), "features": list(prompt.features), "prompt": prompt.text}


def _append(file: IO[str], row: dict[str, Any]) -> dict[str, Any]:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    # Each answer has been paid for, and a killed process loses what is in its buffer.
    file.flush()
    return row


def _without_duplicates(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    seen: set[str] = set()
    first = []
    for row in rows:
        plain = " ".join(row["text"].lower().split())
        if plain not in seen:
            seen.add(plain)
            first.append(row)
    return first, len(rows) - len(first)
