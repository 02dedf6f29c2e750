"""Measurements of a held-out part that compare it with the seen part pair by pair or as a whole.

Lengths beyond those that were seen; the nearest seen prompt of each held-out one and what copying its answer would
give; how often a program, the rule or a shortcut, gives the right completion; and the samples for what is costly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from shoal.tasks.task import rule_answer, shortcut_answer
from shoal.text import check_coverage, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shoal.tasks.task import Example, Rule, Shortcut


Ids = tuple[int, ...]
Tokenizer = Any
"""A ``transformers`` tokenizer, a ``tokenizers.Tokenizer``, or a callable from a text to its token ids."""

END = -1
"""Stands for the end token behind the ids of a completion that ends; no tokenizer has it."""


@dataclass(frozen=True, slots=True)
class EncodedExample:
    """The token ids of one example."""

    prompt: Ids
    completion: Ids
    ends: bool

    @property
    def target(self) -> Ids:
        """The completion with the end behind it, where it ends."""
        return (*self.completion, END) if self.ends else self.completion


def encode(tokenizer: Tokenizer | None, examples: Sequence[Example]) -> list[EncodedExample]:
    """Encode the examples.

    A tokenizer of ``transformers`` encodes prompt and completion jointly, as training and evaluation do; any other
    encodes the two apart. Without a tokenizer the tokens are characters.

    Args:
        tokenizer: of ``transformers`` or ``tokenizers``, a callable from a text to its ids, or None.
        examples: what to encode.

    Raises:
        BoundaryError: jointly encoded, one token covers the end of a prompt and the start of its completion.
    """
    # Recognised by its methods, so that transformers need not be imported.
    if hasattr(tokenizer, "convert_ids_to_tokens"):
        triples = [(example.prompt, example.completion, example.ends) for example in examples]
        pairs = zip(encode_pairs(tokenizer, triples), examples, strict=True)
        return [
            # The target ends in the tokenizer's own end token, in place of which `EncodedExample.target` has `END`.
            EncodedExample(pair.prompt, pair.target[:-1] if example.ends else pair.target, example.ends)
            for pair, example in pairs
        ]
    if tokenizer is not None and hasattr(tokenizer, "encode_batch"):
        check_coverage(tokenizer, [text for example in examples for text in (example.prompt, example.completion)])
    to_ids = _to_ids(tokenizer)
    prompts = to_ids([example.prompt for example in examples])
    completions = to_ids([example.completion for example in examples])
    return [
        EncodedExample(prompt, completion, example.ends)
        for prompt, completion, example in zip(prompts, completions, examples, strict=True)
    ]


def tokenizer_name(tokenizer: Tokenizer | None) -> str:
    """The name of the tokens in the report."""
    if tokenizer is None:
        return "characters"
    return str(getattr(tokenizer, "name_or_path", None) or type(tokenizer).__name__)


def _to_ids(tokenizer: Tokenizer | None) -> Callable[[Sequence[str]], list[Ids]]:
    """The function from texts to ids."""
    if tokenizer is None:
        return lambda texts: [tuple(map(ord, text)) for text in texts]
    if hasattr(tokenizer, "encode_batch"):
        return lambda texts: [tuple(text.ids) for text in tokenizer.encode_batch(texts, add_special_tokens=False)]
    return lambda texts: [tuple(tokenizer(text)) for text in texts]


_Item = TypeVar("_Item")

# Limits of the pairwise comparisons. Only rows that would exceed them are sampled; they were set when a step took 25 ns
# (a second or so for a report), and stay as they are so that the reports of large row sets stay the same.
_MAX_PAIRS = 1_000_000
_MAX_STEPS = 50_000_000
"""Steps of the edit distance: words of 64 characters by characters of the other prompt."""
_MIN_HELD_OUT, _MIN_SEEN = 30, 100
"""Below these a share of hits would show little, so that they are taken however long the prompts are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthComparison:
    """Tokens of the held-out examples against those of the seen ones; end and beginning tokens are counted."""

    items: int
    """Held-out examples."""

    longest_seen: int
    """Tokens of the longest seen completion."""

    longest_held_out: int
    """Tokens of the longest held-out completion."""

    longer: int
    """Held-out completions longer than any seen one."""

    longer_prompts: int
    """Held-out prompts longer than any seen one."""

    context_seen: int
    """Tokens of the longest seen prompt with its completion."""

    beyond_context: float
    """Share of held-out completion positions that lie further back in the context than any seen one."""


def compare_lengths(seen: Sequence[EncodedExample], held_out: Sequence[EncodedExample]) -> LengthComparison:
    """Compare the lengths of both parts.

    Args:
        seen: the seen examples; at least one.
        held_out: the held-out examples; at least one.
    """
    longest = max(len(item.target) for item in seen)
    longest_prompt = max(len(item.prompt) for item in seen)
    context = max(len(item.prompt) + len(item.target) for item in seen)
    # Positions of the target alone: a long prompt is read and not predicted.
    beyond = sum(min(len(item.target), max(0, len(item.prompt) + len(item.target) - context)) for item in held_out)
    return LengthComparison(
        items=len(held_out),
        longest_seen=longest,
        longest_held_out=max(len(item.target) for item in held_out),
        longer=sum(len(item.target) > longest for item in held_out),
        longer_prompts=sum(len(item.prompt) > longest_prompt for item in held_out),
        context_seen=context,
        beyond_context=beyond / sum(len(item.target) for item in held_out),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NearestPrompts:
    """Held-out prompts against the nearest seen ones, by edit distance over tokens."""

    items: int
    """Held-out examples compared."""

    seen: int
    """Seen examples that they were compared with."""

    distance: float
    """Mean edit distance to the nearest seen prompt, divided by the length of the longer of the two: 0 to 1."""

    steps: float
    """The same in tokens to insert, delete or replace."""

    copy_right: int
    """How often the completion of the nearest seen prompt (the first of equals) is the right one."""

    copy_token_accuracy: float
    """Share of completion positions, the end included, where that completion has the right token."""

    @property
    def copy_accuracy(self) -> float:
        """Share of the items for which copying is right."""
        return self.copy_right / self.items


def nearest_prompts(seen: Sequence[EncodedExample], held_out: Sequence[EncodedExample]) -> NearestPrompts:
    """Find the nearest seen prompt of each held-out one.

    The distance is Levenshtein's, by ``rapidfuzz``, which stops a comparison that cannot become the nearest.

    Args:
        seen: the seen examples; at least one.
        held_out: the held-out examples; at least one.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    prompts = [item.prompt for item in seen]
    found = []
    for item in held_out:
        _, steps, place = process.extractOne(item.prompt, prompts, scorer=Levenshtein.distance)
        found.append((item, seen[place], steps))
    return NearestPrompts(
        items=len(held_out),
        seen=len(seen),
        # Two empty prompts have a distance of 0 and no length to divide it by.
        distance=sum(steps / max(1, len(item.prompt), len(other.prompt)) for item, other, steps in found) / len(found),
        steps=sum(steps for _, _, steps in found) / len(found),
        copy_right=sum(other.target == item.target for item, other, _ in found),
        copy_token_accuracy=sum(_matching(other.target, item.target) for item, other, _ in found)
        / sum(len(item.target) for item in held_out),
    )


def _matching(copied: Ids, target: Ids) -> int:
    """Positions at which the two have the same token."""
    # What one has beyond the end of the other matches nothing, and the caller divides by all of the target.
    return sum(a == b for a, b in zip(copied, target, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramScore:
    """One program on the held-out examples."""

    name: str
    right: int
    """How many completions it gives exactly."""

    items: int
    """Of how many."""

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return self.right / self.items


def score_shortcuts(
    shortcuts: Mapping[str, Shortcut], seen: Sequence[Example], held_out: Sequence[Example]
) -> tuple[ProgramScore, ...]:
    """Score every shortcut, the best first.

    Args:
        shortcuts: by name.
        seen: the examples that a shortcut may look at.
        held_out: the examples whose prompts it is given.
    """
    scores = [
        ProgramScore(
            name=name,
            right=sum(
                shortcut_answer(name, shortcut, example.prompt, seen) == example.completion for example in held_out
            ),
            items=len(held_out),
        )
        for name, shortcut in shortcuts.items()
    ]
    return tuple(sorted(scores, key=lambda score: -score.right))


def score_rule(rule: Rule, held_out: Sequence[Example]) -> ProgramScore:
    """Score the rule; where it is not right on all examples, they do not follow it.

    Args:
        rule: from a prompt to its right completion.
        held_out: the examples.
    """
    right = sum(rule_answer(rule, example.prompt) == example.completion for example in held_out)
    return ProgramScore(name="rule", right=right, items=len(held_out))


def sample_sizes(seen: Sequence[str], held_out: Sequence[str]) -> tuple[int, int]:
    """The number of seen prompts, and of held-out prompts, with which the pairwise comparison is within its limits.

    Args:
        seen: the seen prompts; at least one.
        held_out: the held-out prompts; at least one.
    """
    mean_seen = sum(map(len, seen)) / len(seen)
    mean_words = sum(len(prompt) // 64 + 1 for prompt in held_out) / len(held_out)
    pairs = min(_MAX_PAIRS, int(_MAX_STEPS / max(1.0, mean_seen * mean_words)))
    # Held-out prompts are sampled first: fewer seen ones would make neighbours look farther away than they are.
    held_out_size = min(len(held_out), max(_MIN_HELD_OUT, pairs // len(seen)))
    seen_size = min(len(seen), max(_MIN_SEEN, pairs // held_out_size))
    return seen_size, held_out_size


def sample(items: Sequence[_Item], size: int, seed: int) -> list[_Item]:
    """Draw a sample without replacement, in the order of the items.

    Args:
        items: what is drawn from.
        size: how many; all where there are no more.
        seed: random seed.
    """
    if size >= len(items):
        return list(items)
    return [items[place] for place in sorted(random.Random(seed).sample(range(len(items)), size))]
