"""How varied a model's completions are: distinct n-grams, and what completions of one prompt share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from shoal.corpora import words_of
from shoal.evaluation.stories.measures import StoryMeasure, clustered_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.evaluation.stories.sampling import Completion

_SHARED = 4
"""Words of a run: shorter ones are shared by any two stories."""
_WORDS = 50
"""Most completions have as many; of longer texts more n-grams would repeat."""


def distinct(completions: Sequence[Completion], size: int) -> StoryMeasure:
    """Different n-grams among the first fifty words of each completion, over all of them, prompt by prompt.

    Distinct-n (Li et al. 2016, arXiv:1510.03055) falls with the length of the text, so that equal numbers of words are
    taken; shorter completions give what they have.

    Args:
        completions: of one or more prompts.
        size: words of an n-gram.
    """
    grams: dict[str, list[tuple[str, ...]]] = {}
    for one in completions:
        grams.setdefault(one.prompt.key, []).extend(_grams(words_of(one.text)[:_WORDS], size))
    held = {key: found for key, found in grams.items() if found}
    return clustered_mean(
        f"distinct-{size}",
        # Completions without words have no variety; a mean needs a value all the same.
        [len(set(found)) for found in held.values()] or [0.0],
        list(held) or [""],
        weights=[len(found) for found in held.values()] or [1.0],
        better="more",
        note=f"different runs of {size} words among the completions of a prompt, first {_WORDS} words each",
    )


def self_overlap(completions: Sequence[Completion]) -> StoryMeasure:
    """Of the runs of four words in a completion, the share that another completion of the same prompt has as well.

    (As Self-BLEU, Zhu et al. 2018, arXiv:1802.01886, without its brevity penalty.)
    """
    grams = [(one.prompt.key, set(_grams(words_of(one.text), _SHARED))) for one in completions]
    holders: Counter[tuple[str, tuple[str, ...]]] = Counter((key, gram) for key, held in grams for gram in held)
    rows = [(key, sum(holders[key, gram] > 1 for gram in held) / len(held)) for key, held in grams if held]
    return clustered_mean(
        "self-overlap",
        [share for _, share in rows] or [0.0],
        [key for key, _ in rows] or [""],
        better="less",
        note=f"runs of {_SHARED} words that another completion of the same prompt has too",
    )


def _grams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]
