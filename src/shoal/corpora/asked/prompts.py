"""What a language model is asked for: a story with three words and some features, drawn as for the grammar."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shoal.corpora.grammar.generate import tell_stories

if TYPE_CHECKING:
    from collections.abc import Iterable

WISHES = {
    "dialogue": "at least one of them says something, in quotation marks",
    "bad ending": "the story ends badly",
    "twist": "something happens that nobody expects",
    "moral": "the last sentence says what one can learn from it",
    "foreshadowing": "an early sentence hints at what happens later",
    "conflict": "two of them have a quarrel",
}
"""Features of a story in the words in which they are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One story that is asked for."""

    text: str
    words: tuple[str, str, str]
    """The verb, the noun and the adjective."""

    features: tuple[str, ...]

    @property
    def key(self) -> str:
        """The record's key: a digest of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:24]


def make_prompts(
    count: int, *, seed: int, features: Iterable[str] = (), words: Iterable[str] = ()
) -> tuple[Prompt, ...]:
    """Prompts whose words and features are those that the grammar's stories of this seed have.

    Args:
        count: how many.
        seed: equal seeds give equal prompts.
        features: what every story must have.
        words: words that every story must hold.

    Raises:
        UnknownNameError: a feature or a word that the grammar does not know.
    """
    stories = islice(tell_stories(seed=seed, features=features, words=words), count)
    return tuple(
        _make((story.words.verb, story.words.noun, story.words.adjective), story.features, place)
        for place, story in enumerate(stories)
    )


def _make(words: tuple[str, str, str], features: tuple[str, ...], place: int) -> Prompt:
    verb, noun, adjective = words
    wishes = "; ".join(WISHES[name] for name in features)
    text = (
        "Write a short story of three to five paragraphs in words that a child of three or four knows. "
        f'It must hold the verb "{verb}", the noun "{noun}" and the adjective "{adjective}". '
        + (f"Make sure of this: {wishes}. " if wishes else "")
        + f"Give the story alone, without a title. (Story {place + 1}.)"
    )
    return Prompt(text=text, words=words, features=features)
