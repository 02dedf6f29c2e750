"""An endless stream of stories: each is a function of a seed and its index, so any of them can be made by itself."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from shoal.corpora.grammar import lexicon
from shoal.corpora.grammar.features import FEATURES, find_features
from shoal.corpora.grammar.plots import PLOTS
from shoal.corpora.grammar.plots.beats import close, open_story, trouble
from shoal.corpora.grammar.realizer import Realizer
from shoal.corpora.grammar.world import RequiredWords, Story
from shoal.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NOUNS = (*lexicon.THINGS, *lexicon.ANIMALS, *lexicon.PLACES)
_ADJECTIVES = tuple(dict.fromkeys((*lexicon.LOOKS, *lexicon.COLORS, *lexicon.TRAITS)))
_VERBS = tuple(lexicon.VERBS)
_PLOTS = tuple(PLOTS)  # drawn by place: a new plot changes the stories of every seed
_SHARES = {
    "dialogue": 0.6,
    "bad ending": 0.12,
    "twist": 0.25,
    "moral": 0.3,
    "foreshadowing": 0.2,
    "conflict": 0.15,
}
"""How often a feature is drawn where none is requested; a plot may bring more."""


def tell_stories(
    *, seed: int, features: Iterable[str] = (), words: Iterable[str] = (), start: int = 0
) -> Iterator[Story]:
    """Yield an endless stream of stories.

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
    requested = _check_features(features)
    given = _sort_words(words)
    index = start
    while True:
        yield tell_story(seed, index, requested, given)
        index += 1


def tell_story(
    seed: int, index: int, requested: frozenset[str] = frozenset(), given: dict[str, str] | None = None
) -> Story:
    """The story of this seed and index.

    Args:
        seed: equal seeds and indices give equal stories.
        index: which story of the seed.
        requested: features that it must have. It is drawn again, from the same stream of random numbers, until it does.
        given: words that it must hold, by class (noun, verb, adjective); the others are drawn.
    """
    # Seeds and indices share one integer: 2^48 stories fit before the next seed's begin.
    rng = random.Random((seed << 48) + index)
    while True:
        words = _draw_words(rng, given or {})
        drawn = requested | {name for name, share in _SHARES.items() if rng.random() < share}
        story = Realizer(rng, words, drawn, talks="dialogue" in drawn)
        plot = _PLOTS[int(rng.random() * len(_PLOTS))]
        open_story(story)
        moral = PLOTS[plot](story)
        trouble(story)
        close(story, moral)
        text, events = story.text(), tuple(story.events)
        found = find_features(text, events)
        # By the events and not by what was drawn: a plot may bring about a feature or undo it.
        if requested <= set(found):
            return Story(text=text, words=words, features=found, plot=plot, events=events, seed=seed, index=index)


def word_classes() -> dict[str, tuple[str, ...]]:
    """The words that can be requested, by class."""
    return {"noun": _NOUNS, "verb": _VERBS, "adjective": _ADJECTIVES}


def _check_features(features: Iterable[str]) -> frozenset[str]:
    requested = frozenset(features)
    for name in requested:
        if name not in FEATURES:
            raise UnknownNameError("feature", name, FEATURES)
    return requested


def _sort_words(words: Iterable[str]) -> dict[str, str]:
    """The words by class; one that could be of two classes takes the one that the others leave free."""
    classes = word_classes()
    homes_of = [(word, [name for name, members in classes.items() if word in members]) for word in words]
    given: dict[str, str] = {}
    for word, homes in sorted(homes_of, key=lambda pair: len(pair[1])):
        if not homes:
            raise UnknownNameError("word", word, [one for members in classes.values() for one in members])
        free = [name for name in homes if name not in given]
        if not free:
            raise UsageError(
                f"{given[homes[0]]!r} and {word!r} are both a {homes[0]}; give one noun, verb and adjective at most"
            )
        given[free[0]] = word
    return given


def _draw_words(rng: random.Random, given: dict[str, str]) -> RequiredWords:
    draw = rng.random
    return RequiredWords(
        noun=given.get("noun") or _NOUNS[int(draw() * len(_NOUNS))],
        verb=given.get("verb") or _VERBS[int(draw() * len(_VERBS))],
        adjective=given.get("adjective") or _ADJECTIVES[int(draw() * len(_ADJECTIVES))],
    )
