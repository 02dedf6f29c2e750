"""Answers read off generated text, by the generation and the filters of ``shoal eval``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.evaluation.benchmarks.encoding import RequestEncoder
from shoal.evaluation.benchmarks.filters import FilterChain, make_chain
from shoal.evaluation.benchmarks.generation import TextGenerator
from shoal.evaluation.evaluator import scoring_mode
from shoal.models import factor_model

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.certification.generation import GenerationItem

_NOTHING = "[invalid]"
"""What a filter gives where it finds nothing, as in lm-evaluation-harness."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerScore:
    """What a model generated, and the answer that is read off it."""

    text: str
    """What was generated before the first stop string."""

    answer: str | None
    """None where the pattern is not found."""

    correct: bool
    """Whether the answer is the target, as text."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values that `json.dumps` takes."""
        return asdict(self)


def score_answers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, items: Sequence[GenerationItem]
) -> list[AnswerScore]:
    """Generate greedily, and read the answers off the texts.

    Items with the same stop strings and limit are generated together, as those of one task are.

    Args:
        model: a causal language model; it is put into evaluation mode and left as it was.
        tokenizer: the model's.
        items: prompts, with what stops the generation and what is searched in the text.

    Raises:
        TooLongError: the model's context has no room for what is generated.
    """
    encoder, texts = RequestEncoder(model, tokenizer), [""] * len(items)
    groups: dict[tuple[tuple[str, ...], int], list[int]] = {}
    for place, item in enumerate(items):
        groups.setdefault((item.until, item.max_tokens), []).append(place)
    with scoring_mode(model):
        for (until, room), places in groups.items():
            prompts = [each.request for each in encoder.prompts([items[place].prompt for place in places], room)]
            longest = max(len(prompt.ids) for prompt in prompts) + room
            generator = TextGenerator(factor_model(model, max_length=longest), tokenizer)
            settings = {"until": list(until), "max_gen_toks": room, "do_sample": False}
            found = generator.generate(prompts, [str(place) for place in places], settings, where="the items")
            for place, responses in zip(places, found, strict=True):
                texts[place] = responses[0]
    return [_score(item, text) for item, text in zip(items, texts, strict=True)]


def _score(item: GenerationItem, text: str) -> AnswerScore:
    answer = _filter(item).apply([text], {})
    return AnswerScore(
        text=text, answer=None if answer == _NOTHING and item.pattern else answer, correct=answer == item.target
    )


def _filter(item: GenerationItem) -> FilterChain:
    if item.pattern is None:
        first: dict[str, Any] = {"function": "remove_whitespace"}
    else:
        select = 0 if item.take == "first" else -1
        first = {"function": "regex", "regex_pattern": item.pattern, "group_select": select, "fallback": _NOTHING}
    return make_chain("answers", [first, {"function": "take_first"}], "the items")
