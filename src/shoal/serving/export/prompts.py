"""The prompts on which an export is compared with its source: texts that no model was trained on."""

from __future__ import annotations

from itertools import islice

_SEED = 20_261
"""Of the stories, which no recipe of shoal's trains on."""

# Enough context for a story to have begun, and few enough that 16 prompts with 32 new tokens take seconds.
_WORDS = 24
"""Of each story that are its prompt."""

_GENERAL = (
    "The capital of France is",
    "def fibonacci(n):\n    if n < 2:\n        return n\n    return",
    "Q: If there are 3 cars and each car has 4 wheels, how many wheels are there?\nA:",
    "count to 7: 1 2 3",
    "Le chat est assis sur le",
    "In 1969, the Apollo 11 mission",
)


def held_out_prompts(count: int) -> tuple[str, ...]:
    """Prompts to compare on: a few of general text, and beginnings of stories that are generated for this.

    Args:
        count: how many.
    """
    from shoal.corpora.grammar import tell_stories

    # Half of them at most, since a model of shoal's own knows nothing but stories, and on other text its logits are
    # flat.
    general = _GENERAL[: count // 2]
    stories = islice(tell_stories(seed=_SEED), count - len(general))
    return (*general, *(" ".join(story.text.split()[:_WORDS]) for story in stories))
