"""A judge at an OpenAI-compatible endpoint: its answers are kept as they come, and those of no use are asked again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from shoal.corpora.llm import complete_all, estimate_cost, read_record
from shoal.evaluation.judging.rubric import (
    ANSWER_SCHEMA,
    MOST_TOKENS,
    TYPICAL_TOKENS,
    Judgement,
    Piece,
    read_judgement,
    rubric_prompt,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shoal.corpora.llm import CostEstimate, Endpoint
    from shoal.progress import Progress

_SECOND_TEMPERATURE = 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    key: str
    text: str
    piece: Piece


class EndpointJudge:
    """Asks a model at an endpoint; called with pieces, it gives a judgement of each, or None where none was of use."""

    def __init__(
        self,
        endpoint: Endpoint,
        record: str | Path,
        *,
        constrained: bool = False,
        workers: int = 4,
        progress: Progress | None = None,
    ) -> None:
        """Take an endpoint.

        Args:
            endpoint: who judges. It is asked at temperature 0, and at a higher one where its answer was of no use.
            record: the JSONL file of answers, keyed by the model's name, the form and the whole question; it is made,
                or gone on with.
            constrained: hold answers to a JSON schema; the endpoint must be able to (llama.cpp, vLLM, OpenAI).
            workers: questions under way at the same time.
            progress: called with (what, done, total).
        """
        self.endpoint = replace(
            endpoint,
            temperature=0.0,
            retry_temperature=_SECOND_TEMPERATURE,
            max_tokens=MOST_TOKENS,
            schema=ANSWER_SCHEMA if constrained else None,
        )
        self._record, self._workers, self._progress = record, workers, progress

    def estimate(self, pieces: Sequence[Piece], *, price_in: float, price_out: float) -> CostEstimate:
        """What it will cost to judge those pieces that the record does not hold.

        Raises:
            UsageError: a price that is below nothing or no number.
            DataError: the record is not one.
        """
        known = read_record(self._record)
        todo = [question.text for question in self._questions(pieces) if question.key not in known]
        return estimate_cost(
            todo, price_in=price_in, price_out=price_out, max_tokens=MOST_TOKENS, typical_tokens=TYPICAL_TOKENS
        )

    def __call__(self, pieces: Sequence[Piece]) -> list[Judgement | None]:
        """Judge pieces, equal ones once.

        Raises:
            EndpointError: the endpoint failed for good; what was answered is kept.
            DataError: the record is not one.
        """
        questions = self._questions(pieces)
        rows = complete_all(
            list({question.key: question for question in questions}.values()),
            self.endpoint,
            self._record,
            fields=lambda question: {"asked": question.piece.asked, "story": question.piece.story},
            check=read_judgement,
            workers=self._workers,
            progress=self._progress,
            what="judge",
        )
        return [_judgement(rows[question.key]) for question in questions]

    def _questions(self, pieces: Sequence[Piece]) -> list[_Question]:
        return [self._question(piece) for piece in pieces]

    def _question(self, piece: Piece) -> _Question:
        text = rubric_prompt(piece)
        form = "constrained\n" if self.endpoint.schema is not None else ""
        key = hashlib.sha256(f"{form}{self.endpoint.model}\n{text}".encode()).hexdigest()[:24]
        return _Question(key=key, text=text, piece=piece)


def _judgement(row: dict[str, Any]) -> Judgement | None:
    return None if row.get("useless") else read_judgement(row["text"])
