"""Many prompts to an endpoint, each answer kept at once, so that a run that was broken off goes on where it was.

The record is a JSONL file, a line an answer, under the digest of its prompt. A last line that was cut short by a kill
is dropped. Answers equal up to case and white space are given out once.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import IO, TYPE_CHECKING, Any

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from shoal.corpora.asked.endpoint import Answer, Endpoint
    from shoal.corpora.asked.prompts import Prompt


def ask_all(
    prompts: Sequence[Prompt],
    endpoint: Endpoint,
    record: Path,
    *,
    workers: int = 4,
    progress: Callable[[str, int, int], None] | None = None,
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
    known = read_record(record)
    todo = [prompt for prompt in prompts if prompt.key not in known]
    if todo:
        client = endpoint.client()
        with record.open("a", encoding="utf-8") as file, ThreadPoolExecutor(workers) as pool:
            waiting = {pool.submit(endpoint.ask, client, prompt.text): prompt for prompt in todo}
            try:
                for future in as_completed(list(waiting)):
                    known[waiting[future].key] = _keep(file, waiting[future], future.result())
                    del waiting[future]
                    if progress is not None:
                        progress("stories", len(prompts) - len(waiting), len(prompts))
            finally:
                pool.shutdown(cancel_futures=True)
                for future, prompt in waiting.items():
                    if not future.cancelled() and future.exception() is None:
                        _keep(file, prompt, future.result())
    return _without_duplicates([known[prompt.key] for prompt in prompts])


def read_record(record: Path) -> dict[str, dict[str, Any]]:
    """The answers of a record by the digest of their prompt; none where there is no file.

    A last line that was cut short is cut off the file.

    Raises:
        DataError: a line that is no answer.
    """
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


def _keep(file: IO[str], prompt: Prompt, answer: Answer) -> dict[str, Any]:
    row = {
        "key": prompt.key,
        "text": answer.text,
        "words": list(prompt.words),
        "features": list(prompt.features),
        "prompt": prompt.text,
        "tokens_in": answer.tokens_in,
        "tokens_out": answer.tokens_out,
    }
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
