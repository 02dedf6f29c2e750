"""A judge of educational value at an OpenAI-compatible endpoint.

The scale is that of FineWeb-Edu (Penedo et al. 2024, arXiv:2406.17557, section 4 and appendix F): 0 to 5 points, one
more for each step from some use to a lesson without fault, for a pupil of primary or middle school. The wording is our
own. Answers are recorded as they come, so that a run that was killed continues.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.corpora.llm import UselessAnswerError, complete_all, estimate_cost, read_record
from shoal.evaluation.judging import json_objects

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.corpora.llm import CostEstimate, Endpoint
    from shoal.progress import Progress

LOWEST, HIGHEST = 0, 5

MAX_WORDS = 600
"""Of a document that the judge reads; the value of the beginning stands for the whole."""

_RUBRIC = """You judge how much a text from a corpus teaches a pupil of primary or middle school.

<<<
{text}
>>>

Begin with 0 points and add one for each of these that is true; each counts only where those before it are true:
1. It holds some information that a pupil may learn from, even among advertisements or small talk.
2. Parts of it deal with a subject of school, though not in order, or not in depth.
3. It could be used in a lesson: it explains ideas of a subject clearly, though it may be incomplete.
4. It is like a chapter of a textbook: clear, in order, focused, with little that does not belong there.
5. It is outstanding for teaching: thorough, easy to follow, and without anything that distracts.

Answer with one JSON object and nothing else, the sum of points in the place of the angle brackets:
{{"points": <points>}}"""
# The number is no part of the form: a judge that repeats it has not read the text.

ANSWER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"points": {"type": "integer", "minimum": LOWEST, "maximum": HIGHEST}},
    "required": ["points"],
    "additionalProperties": False,
}
"""The answer as a JSON schema, for endpoints that constrain a model to one."""

_MAX_ANSWER_TOKENS = 100
_TYPICAL_TOKENS = 8
_RETRY_TEMPERATURE = 0.7
"""At 0 a model gives the same useless answer again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    key: str
    text: str


def educational_prompt(text: str) -> str:
    """The prompt about a document. The marks that enclose it are taken out of it, so that it cannot end there.

    Args:
        text: the document, of which the first `MAX_WORDS` words are shown.
    """
    words = text.replace("<<<", "").replace(">>>", "").split(" ")
    return _RUBRIC.format(text=" ".join(words[:MAX_WORDS]).strip())


def read_score(answer: str) -> int:
    """The points in an answer: those of the last JSON object that has them, whatever stands around it.

    Raises:
        UselessAnswerError: there are none, or they are not 0 to 5.
    """
    for found in reversed(list(json_objects(answer))):
        points = found.get("points")
        if isinstance(points, str) and points.strip() in {"0", "1", "2", "3", "4", "5"}:
            points = int(points)
        if isinstance(points, int) and not isinstance(points, bool) and LOWEST <= points <= HIGHEST:
            return points
    raise UselessAnswerError(f"no points of {LOWEST} to {HIGHEST} in {' '.join(answer.split())[:60]!r}")


class EducationalJudge:
    """A model at an endpoint; called with documents, it gives the points of each, or None where no answer was usable.

    Args:
        endpoint: of the judge; used at temperature 0, and at a higher one where an answer was of no use.
        record: the JSONL file of answers, keyed by the model's name and the whole prompt; it is made, or continued.
        constrained: hold answers to a JSON schema; the endpoint must be able to.
        workers: requests under way at the same time.
        progress: called with (what, done, total).
    """

    def __init__(
        self,
        endpoint: Endpoint,
        record: str | os.PathLike[str],
        *,
        constrained: bool = False,
        workers: int = 4,
        progress: Progress | None = None,
    ) -> None:
        self._endpoint = replace(
            endpoint,
            temperature=0.0,
            retry_temperature=_RETRY_TEMPERATURE,
            max_tokens=_MAX_ANSWER_TOKENS,
            schema=ANSWER_SCHEMA if constrained else None,
        )
        self._record, self._workers, self._progress = Path(record), workers, progress

    def estimate(self, texts: Sequence[str], *, price_in: float, price_out: float) -> CostEstimate:
        """What it will cost to judge those documents that the record does not hold.

        Args:
            texts: documents.
            price_in: of a million prompt tokens.
            price_out: of a million answer tokens.

        Raises:
            UsageError: a price that is below nothing or no number.
            DataError: the record is not one.
        """
        known = read_record(self._record)
        todo = [one.text for one in self._requests(texts) if one.key not in known]
        return estimate_cost(
            todo, price_in=price_in, price_out=price_out, max_tokens=_MAX_ANSWER_TOKENS, typical_tokens=_TYPICAL_TOKENS
        )

    def __call__(self, texts: Sequence[str]) -> list[int | None]:
        """The points of documents, equal ones judged once.

        Raises:
            EndpointError: the endpoint failed for good; what was answered is in the record.
            DataError: the record is not one.
        """
        requests = self._requests(texts)
        rows = complete_all(
            list({one.key: one for one in requests}.values()),
            self._endpoint,
            self._record,
            fields=lambda request: {"prompt": request.text},
            check=read_score,
            workers=self._workers,
            progress=self._progress,
            what="judge",
        )
        return [None if (row := rows[one.key]).get("useless") else read_score(row["text"]) for one in requests]

    def _requests(self, texts: Sequence[str]) -> list[_Request]:
        form = "constrained\n" if self._endpoint.schema is not None else ""
        prompts = [educational_prompt(text) for text in texts]
        return [
            _Request(key=hashlib.sha256(f"{form}{self._endpoint.model}\n{one}".encode()).hexdigest()[:24], text=one)
            for one in prompts
        ]
