"""Several completions of each prompt, sampled at a temperature and recorded as they come.

What is sampled depends on the weights, the prompt, the temperature, the seed and the number of the completion, and not
on how prompts are batched; the record is keyed by all of these, so that an interrupted run resumes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.corpora.llm import read_record
from shoal.errors import TooLongError, UsageError
from shoal.evaluation.batching import model_limits
from shoal.evaluation.evaluator import scoring_mode
from shoal.evaluation.likelihoods import document_opening
from shoal.models import sample_continuations, vocabulary_digest
from shoal.text import decode_continuation, plain_ids

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.stories.prompts import StoryPrompt
    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer

_ROWS = 64
"""Completions sampled together and then recorded: what a killed run loses at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How completions are sampled."""

    completions: int = 5
    """Of each prompt."""

    temperature: float = 1.0
    """Logits are divided by it; 0 takes the most likely token."""

    max_tokens: int = 200
    """Of a completion; fewer where the model's context ends."""

    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse counts below 1.

        Raises:
            UsageError: there is one.
        """
        # A temperature of 1 is one of 1.0: what is sampled is keyed by how the number is written.
        object.__setattr__(self, "temperature", float(self.temperature))
        for name, value in (("completions", self.completions), ("max_tokens", self.max_tokens)):
            if value < 1:
                raise UsageError(f"{name} is {value}; give a whole number above 0")


_DEFAULT = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One completion of a prompt."""

    prompt: StoryPrompt
    number: int
    """Of the completions of this prompt, from 0."""

    text: str
    ended: bool
    """Whether it reached the end token."""

    tokens: int
    key: str

    @property
    def story(self) -> str:
        """The story: the completion, behind the beginning where the prompt is one."""
        instructed = self.prompt.words or self.prompt.features
        return self.text.strip() if instructed else (self.prompt.text + self.text).strip()


@dataclass(frozen=True, slots=True)
class _Draw:
    prompt: StoryPrompt
    number: int
    ids: tuple[int, ...]
    limit: int
    key: str


def complete_prompts(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    prompts: Sequence[StoryPrompt],
    sampling: Sampling = _DEFAULT,
    *,
    digest: str = "",
    record: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> list[Completion]:
    """Sample completions, prompt after prompt.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        prompts: what is continued.
        sampling: how many completions, and how they are sampled.
        digest: names the model in the record.
        record: the JSONL file of completions; it is made, or continued.
        progress: called with (what, done, total).

    Raises:
        UsageError: the temperature is no number of 0 or more, or there is a record and no digest.
        TooLongError: a prompt fills the model's context.
        DataError: the tokenizer has no token that begins or ends a text, or the record is not one.
        ModelError: the model's logits are not numbers.
    """
    record = None if record is None else Path(record)
    if record is not None and not digest:
        raise UsageError("a record of completions needs the digest of the model; give digest=")
    settings = (digest, vocabulary_digest(tokenizer), sampling.temperature, sampling.max_tokens, sampling.seed)
    draws = [
        _Draw(prompt, number, ids, limit, _key(settings, prompt, ids, number))
        for prompt in prompts
        for ids, limit in [_encode(model, tokenizer, prompt, sampling.max_tokens)]
        for number in range(sampling.completions)
    ]
    known = {} if record is None else read_record(record)
    todo = [draw for draw in draws if draw.key not in known]
    with scoring_mode(model):
        for first in range(0, len(todo), _ROWS):
            part = todo[first : first + _ROWS]
            rows = _draw(model, tokenizer, part, sampling.temperature)
            known |= {row["key"]: row for row in rows}
            if record is not None:
                with record.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            if progress is not None:
                progress("completions", len(draws) - len(todo) + first + len(part), len(draws))
    return [_completion(draw, known[draw.key]) for draw in draws]


def _encode(
    model: PreTrainedModel | FastModel,
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer,
    prompt: StoryPrompt,
    max_tokens: int,
) -> tuple[tuple[int, ...], int]:
    """The ids of a prompt, and how many tokens may follow."""
    ids = (*document_opening(tokenizer), *plain_ids(tokenizer, [prompt.text])[0])
    context, _ = model_limits(model)
    if context is not None and len(ids) >= context:
        raise TooLongError(
            f"the prompt {prompt.text[:40]!r} takes {len(ids)} tokens and the model reads {context}; shorten it"
        )
    return ids, max_tokens if context is None else min(max_tokens, context - len(ids))


def _key(settings: tuple[Any, ...], prompt: StoryPrompt, ids: Sequence[int], number: int) -> str:
    return hashlib.sha256(json.dumps([*settings, prompt.key, ids, number]).encode()).hexdigest()[:24]


def _draw(model: Any, tokenizer: Any, draws: Sequence[_Draw], temperature: float) -> list[dict[str, Any]]:
    end_id = tokenizer.eos_token_id
    sampled = sample_continuations(
        model,
        [draw.ids for draw in draws],
        # The key is a digest of everything that the completion depends on, and thereby a seed of its own.
        [int(draw.key, 16) for draw in draws],
        [draw.limit for draw in draws],
        temperature=temperature,
        end_id=end_id,
    )
    return [
        {
            "key": draw.key,
            "text": decode_continuation(tokenizer, draw.ids, ids),
            "ended": end_id is not None and ids[-1] == end_id,
            "tokens": len(ids),
            "prompt": draw.prompt.text,
            "number": draw.number,
        }
        for draw, ids in zip(draws, sampled, strict=True)
    ]


def _completion(draw: _Draw, row: dict[str, Any]) -> Completion:
    return Completion(
        prompt=draw.prompt,
        number=draw.number,
        text=row["text"],
        ended=bool(row["ended"]),
        tokens=int(row["tokens"]),
        key=draw.key,
    )
