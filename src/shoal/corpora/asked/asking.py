"""Many prompts to an endpoint, each answer kept at once, so that a run that was broken off goes on where it was.

The record is a JSONL file, a line an answer, under the digest of its prompt. A last line that was cut short by a kill
is dropped. Answers equal up to case and white space are given out once.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeVar

from shoal.corpora.asked.endpoint import UselessAnswerError
from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shoal.corpora.asked.endpoint import Endpoint
    from shoal.corpora.asked.prompts import Prompt
    from shoal.progress import Progress


def ask_all(
    prompts: Sequence[Prompt],
    endpoint: Endpoint,
    record: str | Path,
    *,
    workers: int = 4,
    progress: Progress | None = None,
) -> tuple[list[dict[str, Any]], int]:
    """Ask what the record does not hold yet; give the rows in the order of the prompts, and the number of duplicates.

    Args:
        prompts: what is asked for.
        endpoint: who is asked.
        record: the JSONL file of answers; it is made, or gone on with.
        workers: questions under way at the same time.
        progress: called with (what, done, total).

    Raises:
        EndpointError: the endpoint failed for good; what was answered is kept.
        DataError: the record is not one.
    """
    known = answer_all(prompts, endpoint, record, keep=_asked_for, workers=workers, progress=progress)
    return _without_duplicates([known[prompt.key] for prompt in prompts])


class Question(Protocol):
    """What can be asked."""

    @property
    def key(self) -> str:
        """The record's key."""

    @property
    def text(self) -> str:
        """The prompt."""


_Q = TypeVar("_Q", bound=Question)


def answer_all(
    questions: Sequence[_Q],
    endpoint: Endpoint,
    record: str | Path,
    *,
    keep: Callable[[_Q], dict[str, Any]],
    check: Callable[[str], object] | None = None,
    workers: int = 4,
    progress: Progress | None = None,
    what: str = "stories",
) -> dict[str, dict[str, Any]]:
    """Ask what the record does not hold yet; give all of its rows by key.

    Args:
        questions: what is asked; their keys differ.
        endpoint: who is asked.
        record: the JSONL file of answers; it is made, or gone on with.
        keep: what the record says of a question, beside its key and its answer.
        check: see `Endpoint.ask`; a question whose answers stay useless is kept with the reason under ``useless``.
        workers: questions under way at the same time.
        progress: called with (what, done, total).
        what: the name of the work.

    Raises:
        EndpointError: the endpoint failed for good; what was answered is kept.
        DataError: the record is not one.
    """
    record = Path(record)
    known = read_record(record)
    todo = [question for question in questions if question.key not in known]
    if not todo:
        return known
    client = endpoint.client()

    def ask(question: _Q) -> dict[str, Any]:
        row = {"key": question.key, **keep(question)}
        try:
            answer = endpoint.ask(client, question.text, check)
        except UselessAnswerError as fault:
            return {**row, "text": "", "useless": str(fault)}
        return {**row, "text": answer.text, "tokens_in": answer.tokens_in, "tokens_out": answer.tokens_out}

    with record.open("a", encoding="utf-8") as file, ThreadPoolExecutor(workers) as pool:
        waiting = {pool.submit(ask, question) for question in todo}
        try:
            for future in as_completed(list(waiting)):
                row = future.result()
                known[row["key"]] = _append(file, row)
                waiting.discard(future)
                if progress is not None:
                    progress(what, len(questions) - len(waiting), len(questions))
        finally:
            pool.shutdown(cancel_futures=True)
            for future in waiting:
                if not future.cancelled() and future.exception() is None:
                    _append(file, future.result())
    return known


def read_record(record: str | Path) -> dict[str, dict[str, Any]]:
    """The answers of a record by the digest of their prompt; none where there is no file.

    A last line that was cut short is cut off the file.

    Raises:
        DataError: a line that is no answer.
    """
    record = Path(record)
    if not record.exists():
        return {}
    raw = record.read_bytes()
    whole = raw[: raw.rfind(b"\n") + 1]
    if len(whole) < len(raw):
        os.truncate(record, len(whole))
    answers = {}
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            row = json.loads(line)
            answers[row["key"]] = {**row, "text": str(row["text"])}
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{record}:{number} is no answer of a model; move the file away to begin anew") from error
    return answers


def _asked_for(prompt: Prompt) -> dict[str, Any]:
    return {"words": list(prompt.words), "features": list(prompt.features), "prompt": prompt.text}


def _append(file: IO[str], row: dict[str, Any]) -> dict[str, Any]:
    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    file.flush()
    return row


def _without_duplicates(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    seen: set[str] = set()
    kept = []
    for row in rows:
        plain = " ".join(row["text"].lower().split())
        if plain not in seen:
            seen.add(plain)
            kept.append(row)
    return kept, len(rows) - len(kept)
