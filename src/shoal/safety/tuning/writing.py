"""Safe answers to red-team requests, written by a model at an endpoint or by a local one, checked and deduplicated.

The record of a run is a JSONL file with a line per request, appended as soon as it is answered, so that a run that was
killed writes only what is missing. A request is answered as `INSTRUCTION` states it. What comes back is checked: it is
text, of a sensible length, in English, and refuses by the scorer that comes with shoal (fully, or partly).

Source of the idea and of the number (2,000): Bianchi, Suzgun, Attanasio, Röttger, Jurafsky, Hashimoto and Zou (2023),
"Safety-tuned LLaMAs", arXiv:2309.07875, section 3.1.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.corpora import find_duplicates
from shoal.corpora.llm import UselessAnswerError, complete_all, read_record
from shoal.errors import DataError, UsageError
from shoal.progress import no_progress
from shoal.safety.head import shipped_refusal_head
from shoal.text import find_language
from shoal.textfiles import read_json_lines

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pandas

    from shoal.corpora.llm import Endpoint
    from shoal.progress import Progress
    from shoal.safety.tuning.rows import SafetyRequest
    from shoal.serving import GenerationModel

INSTRUCTION = (
    "Someone sends the message below to an assistant. Write the assistant's reply: it must not help with anything "
    "harmful, says briefly why, and offers a harmless alternative where there is one. Write one to three plain "
    "sentences in English and nothing else.\n\nMessage: {request}"
)

MIN_WORDS, MAX_WORDS = 4, 150
"""Of an answer: shorter ones give no reason, longer ones are essays."""

_SEED_FILE = "seed_answers.jsonl"
_ROWS = 16
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeAnswerRequest:
    """A request that is to be answered safely."""

    request: str
    source: str
    """The set that it comes from."""

    @property
    def text(self) -> str:
        """What the writing model is sent."""
        return INSTRUCTION.format(request=self.request)

    @property
    def key(self) -> str:
        """The record's key: a digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeAnswer:
    """A request with an answer that passed all checks."""

    prompt: str
    completion: str
    source: str
    """The set that the request comes from."""

    writer: str
    """Who wrote the answer: the model at its endpoint, a model spec with its digest, or a person."""

    p_refusal: float
    """The scorer's probability that it refuses, fully or partly."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeAnswers:
    """Safe answers and what became of the others."""

    answers: tuple[SafeAnswer, ...]
    requests: int
    rejected: Mapping[str, int]
    """Answers that failed a check, by reason."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "requests": self.requests,
            "answers": len(self.answers),
            "rejected": dict(self.rejected),
            "rows": [one.to_dict() for one in self.answers],
        }

    def to_frame(self) -> pandas.DataFrame:
        """A row per answer."""
        import pandas

        return pandas.DataFrame([one.to_dict() for one in self.answers])

    def __str__(self) -> str:
        """How many there are, and why others were left out."""
        lines = [f"{len(self.answers):,} safe answers to {self.requests:,} requests"]
        lines += [f"  {count:,} left out: {reason}" for reason, count in self.rejected.items()]
        return "\n".join(lines)


def sample_requests(requests: Sequence[SafetyRequest], count: int, *, seed: int = 0) -> list[SafeAnswerRequest]:
    """A random sample of requests without near duplicates.

    Args:
        requests: harmful ones; harmless ones are left out, since a safe answer to them is a helpful one.
        count: how many, at most.
        seed: of the sample.

    Raises:
        DataError: no request is harmful.
    """
    harmful = [one for one in requests if one.harmful]
    if not harmful:
        raise DataError(f"none of the {len(requests)} requests is harmful; give red-team requests")
    # Before duplicates are dropped, so that which of two alike ones stays is a matter of chance and not of the file's
    # order.
    random.Random(f"{seed} safe answers").shuffle(harmful)
    doubles = {one.document for one in find_duplicates([one.prompt.lower() for one in harmful])}
    left = [one for place, one in enumerate(harmful) if place not in doubles]
    return [SafeAnswerRequest(request=one.prompt, source=one.type) for one in left[:count]]


def write_safe_answers(
    requests: Sequence[SafeAnswerRequest],
    writer: Endpoint | GenerationModel,
    record: str | os.PathLike[str],
    *,
    workers: int = 4,
    max_tokens: int = 160,
    progress: Progress = no_progress,
) -> SafeAnswers:
    """Write a safe answer to each request that the record does not hold yet, and check all of them.

    Args:
        requests: as `sample_requests` gives them.
        writer: an endpoint, or a local model that was tuned on instructions.
        record: the JSONL file of raw answers; it is made, or continued.
        workers: requests under way at the same time, at an endpoint.
        max_tokens: of an answer of a local model.
        progress: called with (what, done, total).

    Raises:
        EndpointError: the endpoint failed for good; what was answered is in the record.
        UsageError: the local model has no chat template.
        DataError: the record is not one, or no answer passed the checks.
    """
    from shoal.corpora.llm import Endpoint

    record = Path(record)
    if isinstance(writer, Endpoint):
        name = f"{writer.model} at {writer.url}"
        known = complete_all(
            requests,
            writer,
            record,
            fields=lambda request: {"request": request.request, "writer": name},
            check=_refuse_useless,
            workers=workers,
            progress=progress,
            what="answers",
        )
    else:
        known = _write_locally(requests, writer, record, max_tokens, progress)
    rows = [(request, known[request.key]) for request in requests]
    return check_safe_answers(
        [(request.request, row["text"], request.source, str(row.get("writer", ""))) for request, row in rows]
    )


def seed_safe_answers() -> SafeAnswers:
    """The safe answers that come with shoal, written by hand: enough to try a tuning, too few for one in earnest."""
    path = Path(__file__).with_name(_SEED_FILE)
    rows = [row for _, row in read_json_lines(path)]
    return check_safe_answers([(row["prompt"], row["completion"], "shoal's seed", "by hand") for row in rows])


def check_safe_answers(rows: Sequence[tuple[str, str, str, str]]) -> SafeAnswers:
    """Check answers, and leave out those that say the same as an earlier one.

    Args:
        rows: request, answer, the request's source, and who wrote the answer.

    Raises:
        DataError: no answer passed.
    """
    head, rejected = shipped_refusal_head(), Counter[str]()
    found: list[SafeAnswer] = []
    seen: set[str] = set()
    texts = [text.strip() for _, text, _, _ in rows]
    # An empty text has no sentence to read; it is rejected for its emptiness below.
    scores = head.probabilities([request for request, _, _, _ in rows], [text or "-" for text in texts])
    for (request, _, source, writer), text, row, conduct in zip(rows, texts, scores, head.decide(scores), strict=True):
        reason = _fault(text)
        if reason is None and conduct == "compliance":
            reason = "the scorer reads it as compliance"
        plain = " ".join(_WORDS.findall(text.lower()))
        if reason is None and plain in seen:
            reason = "it repeats an earlier answer"
        if reason is not None:
            rejected[reason] += 1
            continue
        seen.add(plain)
        found.append(
            SafeAnswer(prompt=request, completion=text, source=source, writer=writer, p_refusal=float(1 - row[0]))
        )
    if not found:
        reasons = "; ".join(f"{count} times {reason}" for reason, count in rejected.items())
        raise DataError(
            f"none of {len(rows)} answers passed the checks ({reasons}); give a model that declines what is harmful"
        )
    return SafeAnswers(answers=tuple(found), requests=len(rows), rejected=dict(rejected))


def _fault(text: str) -> str | None:
    """What is wrong with an answer by itself."""
    if not text:
        return "it is empty"
    words = len(text.split())
    if not MIN_WORDS <= words <= MAX_WORDS:
        return f"it is {'shorter' if words < MIN_WORDS else 'longer'} than {MIN_WORDS} to {MAX_WORDS} words"
    if find_language(text) not in (None, "en"):
        return "it is not in English"
    return None


def _refuse_useless(text: str) -> None:
    if (reason := _fault(text.strip())) is not None:
        raise UselessAnswerError(reason)


def _write_locally(
    requests: Sequence[SafeAnswerRequest], model: GenerationModel, record: Path, max_tokens: int, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Answers of a local model, appended to the record batch by batch."""
    from shoal.safety.generating import generate_answers

    if not model.can_chat:
        raise UsageError(
            f"{model.loaded.spec} has no chat template, so that it does not know that it is asked something; give a "
            "model that was tuned on instructions, or an endpoint"
        )
    writer = f"{model.loaded.spec} ({model.loaded.digest[:12]})"
    known = read_record(record, writer)
    todo = [request for request in requests if request.key not in known]
    with record.open("a", encoding="utf-8") as file:
        for start in range(0, len(todo), _ROWS):
            progress("answers", len(requests) - len(todo) + start, len(requests))
            part = todo[start : start + _ROWS]
            texts = generate_answers(model, [{"prompt": request.text} for request in part], max_tokens=max_tokens)
            for request, text in zip(part, texts, strict=True):
                row = {"key": request.key, "model": writer, "request": request.request, "writer": writer}
                known[request.key] = row = {**row, "text": text["completion"]}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
            # To the operating system, batch by batch: a kill then loses the batch under way and no more.
            file.flush()
    progress("answers", len(requests), len(requests))
    return known
