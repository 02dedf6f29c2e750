"""The generated part of the bundled model's training text: tales and matching stories, by a seed and a mixture."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from shoal.corpora.ascending import find_ascending_run
from shoal.corpora.matching import MATCHING
from shoal.corpora.tales import tell_tale
from shoal.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.corpora.things import Kind

_KINDS: tuple[Kind, ...] = ("unary", "digits", "object")
_MATCHING = {f"{story}-{kind}": (tell, kind) for story, tell in MATCHING.items() for kind in _KINDS}


def story_names() -> list[str]:
    """What a mixture may hold: ``tale``, and ``search-unary``, ``copy-object``, ..."""
    return ["tale", *_MATCHING]


def generate_stories(count: int, mixture: Mapping[str, float], *, seed: int, longest: int = 36) -> list[str]:
    """Draw stories; none of them counts up (one that would is drawn anew).

    Args:
        count: how many.
        mixture: the weight of each story name.
        seed: equal seeds and mixtures give equal stories.
        longest: the most things that are met before the sought one.

    Raises:
        UnknownNameError: a name in the mixture that is no story.
    """
    known = story_names()
    for name in mixture:
        if name not in known:
            raise UnknownNameError("story", name, known)
    rng = random.Random(seed)
    names = rng.choices(list(mixture), weights=list(mixture.values()), k=count)
    return [_tell(rng, name, longest) for name in names]


def _tell(rng: random.Random, name: str, longest: int) -> str:
    while True:
        text = _draw(rng, name, longest)
        if find_ascending_run(text) is None:
            return text


def _draw(rng: random.Random, name: str, longest: int) -> str:
    if name == "tale":
        return tell_tale(rng)
    tell, kind = _MATCHING[name]
    return tell(rng, kind, longest)
