"""Stories without end: each is a function of a seed and its index, so any part can be told again by itself."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.features import FEATURES, find_features
from shoal.corpora.grammar.plots import PLOTS
from shoal.corpora.grammar.plots.frame import close, open_story, trouble
from shoal.corpora.grammar.telling import Teller
from shoal.corpora.grammar.world import Story, Words
from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NOUNS = (*lexicon.THINGS, *lexicon.ANIMALS, *lexicon.PLACES)
_ADJECTIVES = tuple(dict.fromkeys((*lexicon.LOOKS, *lexicon.COLORS, *lexicon.TRAITS)))
_VERBS = tuple(lexicon.VERBS)
_PLOTS = tuple(PLOTS)
_SHARES = {
    "dialogue": 0.6,
    "bad ending": 0.12,
    "twist": 0.25,
    "moral": 0.3,
    "foreshadowing": 0.2,
    "conflict": 0.15,
}
"""How often a feature is drawn where none is asked for; a plot may bring more."""


def tell_stories(
    *, seed: int, features: Iterable[str] = (), words: Iterable[str] = (), start: int = 0
) -> Iterator[Story]:
    """Yield stories without end.

    Args:
        seed: equal seeds give equal stories.
        features: what every story must have; others may come by chance.
        words: a noun, a verb and an adjective at most, in base form and any order, which every story must hold; those
            not given are drawn for each story.
        start: the index of the first story.

    Raises:
        UnknownNameError: a feature or a word that the grammar does not know.
        UsageError: two words of one class.
    """
    asked = _check_features(features)
    given = _sort_words(words)
    index = start
    while True:
        yield tell_story(seed, index, asked, given)
        index += 1


def tell_story(
    seed: int, index: int, asked: frozenset[str] = frozenset(), given: dict[str, str] | None = None
) -> Story:
    """The story of this seed and index.

    It is drawn anew, from the same stream of random numbers, while it misses a feature that was asked for.
    """
    rng = random.Random((seed << 48) + index)
    while True:
        words = _draw_words(rng, given or {})
        drawn = asked | {name for name, share in _SHARES.items() if rng.random() < share}
        teller = Teller(rng, words, drawn, talks="dialogue" in drawn)
        plot = _PLOTS[int(rng.random() * len(_PLOTS))]
        open_story(teller)
        moral = PLOTS[plot](teller)
        trouble(teller)
        close(teller, moral)
        text, events = teller.text(), tuple(teller.events)
        found = find_features(text, events)
        if asked <= set(found):
            return Story(text=text, words=words, features=found, plot=plot, events=events, seed=seed, index=index)


def word_classes() -> dict[str, tuple[str, ...]]:
    """The words that can be asked for, by class."""
    return {"noun": _NOUNS, "verb": _VERBS, "adjective": _ADJECTIVES}


def _check_features(features: Iterable[str]) -> frozenset[str]:
    asked = frozenset(features)
    for name in asked:
        if name not in FEATURES:
            raise UnknownNameError("feature", name, FEATURES)
    return asked


def _sort_words(words: Iterable[str]) -> dict[str, str]:
    """The words by class; one that could be of two classes takes the one that is free."""
    classes = word_classes()
    given: dict[str, str] = {}
    for word in words:
        homes = [name for name, members in classes.items() if word in members]
        if not homes:
            raise UnknownNameError("word", word, [one for members in classes.values() for one in members])
        free = [name for name in homes if name not in given]
        if not free:
            raise UsageError(
                f"{given[homes[0]]!r} and {word!r} are both a {homes[0]}; give one noun, verb and adjective at most"
            )
        given[free[0]] = word
    return given


def _draw_words(rng: random.Random, given: dict[str, str]) -> Words:
    draw = rng.random
    return Words(
        noun=given.get("noun") or _NOUNS[int(draw() * len(_NOUNS))],
        verb=given.get("verb") or _VERBS[int(draw() * len(_VERBS))],
        adjective=given.get("adjective") or _ADJECTIVES[int(draw() * len(_ADJECTIVES))],
    )
