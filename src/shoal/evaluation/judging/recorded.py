"""A judge at an OpenAI-compatible endpoint: a question about each subject, and a record of the answers as they come."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from shoal.corpora.llm import complete_all, estimate_cost, read_record

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from shoal.corpora.llm import CostEstimate, Endpoint
    from shoal.progress import Progress

S = TypeVar("S")
A = TypeVar("A")

_RETRY_TEMPERATURE = 0.7
"""At 0 a model gives the same useless answer again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question(Generic[S]):
    key: str
    text: str
    subject: S


class RecordedJudge(ABC, Generic[S, A]):
    """A model at an endpoint; called with subjects, it gives its answer on each, or None where none was usable.

    A kind of judge says what it asks and how an answer is read. A run that was killed continues from the record.

    Args:
        endpoint: of the judge; used at temperature 0, and at a higher one where an answer was of no use.
        record: the JSONL file of answers, keyed by the model's name, the form and the whole question; it is made, or
            continued. Several judges may share one (see `complete_all`).
        constrained: hold answers to a JSON schema; the endpoint must be able to (llama.cpp, vLLM, OpenAI).
        workers: requests under way at the same time.
        progress: called with (what, done, total).
    """

    schema: ClassVar[Mapping[str, Any]]
    """An answer as a JSON schema."""

    max_answer_tokens: ClassVar[int]
    typical_tokens: ClassVar[int]
    """Of an answer; only the estimate of the cost depends on it."""

    def __init__(
        self,
        endpoint: Endpoint,
        record: str | os.PathLike[str],
        *,
        constrained: bool = False,
        workers: int = 4,
        progress: Progress | None = None,
    ) -> None:
        self.endpoint = replace(
            endpoint,
            # The judge's most likely answer, which a second run gives again.
            temperature=0.0,
            retry_temperature=_RETRY_TEMPERATURE,
            max_tokens=self.max_answer_tokens,
            schema=dict(self.schema) if constrained else None,
        )
        self._record, self._workers, self._progress = Path(record), workers, progress

    @abstractmethod
    def prompt(self, subject: S) -> str:
        """The question about a subject.

        Args:
            subject: what is judged.
        """

    @abstractmethod
    def read(self, answer: str) -> A:
        """What an answer says.

        Args:
            answer: of the model.

        Raises:
            UselessAnswerError: it says nothing that can be used.
        """

    @abstractmethod
    def fields(self, subject: S) -> dict[str, Any]:
        """What the record holds of a question besides its answer.

        Args:
            subject: what is judged.
        """

    def estimate(self, subjects: Sequence[S], *, price_in: float, price_out: float) -> CostEstimate:
        """What it will cost to judge those subjects that the record does not hold.

        Args:
            subjects: what would be judged.
            price_in: of a million prompt tokens.
            price_out: of a million answer tokens.

        Raises:
            UsageError: a price that is below nothing or no number.
            DataError: the record is not one.
        """
        known = read_record(self._record, self.endpoint.model)
        todo = [question.text for question in self._questions(subjects) if question.key not in known]
        return estimate_cost(
            todo,
            price_in=price_in,
            price_out=price_out,
            max_tokens=self.max_answer_tokens,
            typical_tokens=self.typical_tokens,
        )

    def __call__(self, subjects: Sequence[S]) -> list[A | None]:
        """Judge subjects, equal ones once.

        Raises:
            EndpointError: the endpoint failed for good; what was answered is in the record.
            DataError: the record is not one.
        """
        questions = self._questions(subjects)
        rows = complete_all(
            list({question.key: question for question in questions}.values()),
            self.endpoint,
            self._record,
            fields=lambda question: self.fields(question.subject),
            check=self.read,
            workers=self._workers,
            progress=self._progress,
            what="judge",
        )
        answers = [rows[question.key] for question in questions]
        return [None if row.get("useless") else self.read(row["text"]) for row in answers]

    def _questions(self, subjects: Sequence[S]) -> list[_Question[S]]:
        # A constrained model answers otherwise, so that the two must not share recorded answers.
        form = "constrained\n" if self.endpoint.schema is not None else ""
        prompts = [self.prompt(subject) for subject in subjects]
        return [
            _Question(
                key=hashlib.sha256(f"{form}{self.endpoint.model}\n{text}".encode()).hexdigest()[:24],
                text=text,
                subject=subject,
            )
            for text, subject in zip(prompts, subjects, strict=True)
        ]
