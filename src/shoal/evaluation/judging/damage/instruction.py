"""Instructions that a story does not follow, while the story itself stays as it is.

The text is not touched: what is asked for is changed instead, so that words and features are missing and the end is
the wrong one. So nothing but instruction-following can suffer.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from shoal.corpora.grammar import FEATURES, RequiredWords, missing_words, word_classes
from shoal.corpora.llm import FEATURE_INSTRUCTIONS
from shoal.evaluation.judging.damage.sentences import chosen_part

if TYPE_CHECKING:
    from shoal.corpora.grammar import Story

_ENDS = {True: "the story ends badly", False: "the story ends well"}


def instruction_for(story: Story, dose: float = 0.0, seed: int = 0) -> str:
    """An instruction of which the story breaks the share ``dose``.

    It asks for three words, one feature and the kind of end. At dose 0 the story has all of them.

    Args:
        story: a story of the grammar.
        dose: 0 to 1; the number of broken demands is rounded up.
        seed: of the choices; a higher dose breaks what a lower one breaks.
    """
    broken = chosen_part(range(5), dose, random.Random(seed))
    words = [
        _absent(story, kind, random.Random(f"{seed} {kind}")) if place in broken else getattr(story.words, kind)
        for place, kind in enumerate(("verb", "noun", "adjective"))
    ]
    kept = [name for name in story.features if name != "bad ending"]
    absent = [name for name in FEATURES if name not in story.features and name != "bad ending"]
    # A story without any feature meets the demand for none; breaking it still asks for one.
    pool = absent if 3 in broken else kept
    wishes = [FEATURE_INSTRUCTIONS[random.Random(f"{seed} feature").choice(pool)]] if pool else []
    wishes.append(_ENDS[("bad ending" in story.features) != (4 in broken)])
    return (
        "Write a short story in words that a child of three or four knows. "
        f'It must hold the verb "{words[0]}", the noun "{words[1]}" and the adjective "{words[2]}". '
        f"Make sure of this: {'; '.join(wishes)}."
    )


def _absent(story: Story, kind: str, rng: random.Random) -> str:
    """A word of a class that the story does not hold in any form."""
    pool = list(word_classes()[kind])
    rng.shuffle(pool)
    own = {name: getattr(story.words, name) for name in ("noun", "verb", "adjective")}
    text = story.text
    return next(word for word in pool if word in missing_words(text, RequiredWords(**{**own, kind: word})))
