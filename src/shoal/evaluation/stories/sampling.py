"""Several completions of each prompt, drawn at a temperature, kept as they come.

What is drawn depends on the weights, the prompt, the temperature, the seed and the number of the completion, and not on
how prompts are batched; the record is keyed by all of these, so that a run that was broken off goes on where it was.
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
from shoal.models import sample_continuations
from shoal.text import decode_continuation, plain_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.stories.prompts import StoryPrompt
    from shoal.models.fast import FastModel
    from shoal.progress import Progress
    from shoal.text import PlainTokenizer

_ROWS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model said."""

    prompt: StoryPrompt
    number: int
    """Of the completions of this prompt, from 0."""

    text: str
    ended: bool
    """Whether it came to its end token."""

    tokens: int
    key: str

    @property
    def story(self) -> str:
        """The story: the completion, behind the beginning where the prompt is one."""
        asked = self.prompt.words or self.prompt.features
        return self.text.strip() if asked else (self.prompt.text + self.text).strip()


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
    *,
    completions: int = 5,
    temperature: float = 1.0,
    longest: int = 200,
    seed: int = 0,
    digest: str = "",
    record: str | Path | None = None,
    progress: Progress | None = None,
) -> list[Completion]:
    """Draw completions, prompt after prompt.

    Args:
        model: a causal language model, or what `load_for_scoring` gives.
        tokenizer: its tokenizer.
        prompts: what is gone on from.
        completions: of each prompt.
        temperature: logits are divided by it; 0 takes the most likely token.
        longest: the most tokens of a completion; fewer where the model's context ends.
        seed: of the draws.
        digest: names the weights in the record.
        record: the JSONL file of completions; it is made, or gone on with.
        progress: called with (what, done, total).

    Raises:
        UsageError: a count is below 1, the temperature is no number of 0 or more, or there is a record and no digest.
        TooLongError: a prompt fills the model's context.
        DataError: the tokenizer has no token that begins or ends a text, or the record is not one.
        ModelError: the model's logits are not numbers.
    """
    record = None if record is None else Path(record)
    for name, value in (("completions", completions), ("longest", longest)):
        if value < 1:
            raise UsageError(f"{name} is {value}; give a whole number above 0")
    if record is not None and not digest:
        raise UsageError("a record of completions needs the digest of the weights, so that models are told apart")
    settings = (digest, temperature, longest, seed)
    draws = [
        _Draw(prompt, number, ids, limit, _key(settings, prompt, number))
        for prompt in prompts
        for ids, limit in [_encode(model, tokenizer, prompt, longest)]
        for number in range(completions)
    ]
    known = {} if record is None else read_record(record)
    todo = [draw for draw in draws if draw.key not in known]
    with scoring_mode(model):
        for first in range(0, len(todo), _ROWS):
            part = todo[first : first + _ROWS]
            rows = _draw(model, tokenizer, part, temperature)
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
    longest: int,
) -> tuple[tuple[int, ...], int]:
    """The ids of a prompt, and how many tokens may follow."""
    ids = (*document_opening(tokenizer), *plain_ids(tokenizer, [prompt.text])[0])
    context, _ = model_limits(model)
    if context is not None and len(ids) >= context:
        raise TooLongError(
            f"the prompt {prompt.text[:40]!r} takes {len(ids)} tokens and the model reads {context}; shorten it"
        )
    return ids, longest if context is None else min(longest, context - len(ids))


def _key(settings: tuple[Any, ...], prompt: StoryPrompt, number: int) -> str:
    return hashlib.sha256(json.dumps([*settings, prompt.key, number]).encode()).hexdigest()[:24]


def _draw(model: Any, tokenizer: Any, draws: Sequence[_Draw], temperature: float) -> list[dict[str, Any]]:
    end_id = tokenizer.eos_token_id
    said = sample_continuations(
        model,
        [draw.ids for draw in draws],
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
        for draw, ids in zip(draws, said, strict=True)
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
