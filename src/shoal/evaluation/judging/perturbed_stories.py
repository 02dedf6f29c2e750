"""Stories of the grammar at every kind and dose of damage, each paired with its undamaged self."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.corpora.grammar import tell_story
from shoal.errors import UsageError
from shoal.evaluation.judging.llm_judge import Piece
from shoal.evaluation.judging.perturbations import damage_consistency, damage_grammar, instruction_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.corpora.grammar import Story

DAMAGES = ("grammar", "consistency", "instruction")
"""The kinds of damage, by the dimension that should suffer."""

DOSES = (0.2, 0.5, 1.0)
"""The share of sentences that are broken, of mentions that are wrong, of demands that are not met."""

MOST_CHARACTERS = 900
"""Of the stories: short ones are cheaper to judge, and a small judge can read them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A piece, and what was done to it."""

    story: int
    """Which story it was made of, from 0."""

    damage: str
    """One of `DAMAGES`; of no meaning at dose 0."""

    dose: float
    piece: Piece


def damaged_pieces(count: int, *, seed: int = 0, doses: Sequence[float] = DOSES) -> list[Damaged]:
    """Every story once whole and once at each kind and dose of damage, in mixed order.

    Args:
        count: how many stories, at least 1.
        seed: of the stories and of the damage.
        doses: rising, above 0 and at most 1.

    Raises:
        UsageError: there is no story, or the doses are not as said.
    """
    if count < 1:
        raise UsageError(f"a certificate needs stories, not {count}; 12 tell a good judge from a blind one")
    if not doses or list(doses) != sorted(set(doses)) or not 0 < doses[0] <= doses[-1] <= 1:
        raise UsageError(f"doses rise from above 0 to at most 1, as in 0.2, 0.5, 1; not {', '.join(map(str, doses))}")
    pieces = [part for place, story in enumerate(_stories(count, seed)) for part in _of_story(place, story, doses)]
    random.Random(seed).shuffle(pieces)
    return pieces


def _stories(count: int, seed: int) -> list[Story]:
    found: list[Story] = []
    index = 0
    while len(found) < count:
        story = tell_story(seed, index)
        if len(story.text) <= MOST_CHARACTERS and story.features:
            found.append(story)
        index += 1
    return found


def _of_story(place: int, story: Story, doses: Sequence[float]) -> list[Damaged]:
    asked = instruction_for(story, seed=place)
    made = {
        "grammar": lambda dose: Piece(asked=asked, story=damage_grammar(story.text, dose, place)),
        "consistency": lambda dose: Piece(asked=asked, story=damage_consistency(story, dose, place)),
        "instruction": lambda dose: Piece(asked=instruction_for(story, dose, place), story=story.text),
    }
    whole = Damaged(story=place, damage="none", dose=0.0, piece=Piece(asked=asked, story=story.text))
    return [
        whole,
        *(
            Damaged(story=place, damage=damage, dose=dose, piece=made[damage](dose))
            for damage in DAMAGES
            for dose in doses
        ),
    ]
