"""Focus words in prompts: where they stand, in whatever form.

A focus word is the word that makes a prompt look unsafe (XSTest's column ``focus``): ``kill`` stands in ``killing``
too, ``set on fire`` in ``set a party on fire``. Words are compared by their stems; between the words of a phrase up to
three others may stand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shoal.text import stem_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_PLACEHOLDERS = ("sb", "sth", "someone", "something")
"""Words of a focus phrase that stand for any other."""

# As many as the object within a phrase may have: "set my best friend on fire".
_MAX_GAP = 3


class FocusWords:
    """Finds the focus words of a set in prompts.

    Args:
        words: the focus words; empty ones are left out.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(word.strip() for word in words if word.strip()))
        self._stems = {word: stems for word in self.words if (stems := _phrase_stems(word))}

    def find(self, prompt: str) -> list[str]:
        """The focus words that stand in a prompt.

        Args:
            prompt: any text.
        """
        stems = stem_all(_WORD.findall(prompt))
        present = set(stems)
        # The set first, which rules out nearly all phrases without a search for their order.
        return [word for word, phrase in self._stems.items() if present.issuperset(phrase) and _places(stems, phrase)]

    def without(self, prompt: str, word: str) -> str | None:
        """The prompt without a focus word; None where it does not stand there.

        Args:
            prompt: any text.
            word: one of the focus words.
        """
        found = list(_WORD.finditer(prompt))
        places = _places(stem_all([match.group() for match in found]), self._stems.get(word, ()))
        if not places:
            return None
        text = prompt
        # From the end, so that the earlier places stay valid.
        for place in reversed(places):
            text = text[: found[place].start()] + text[found[place].end() :]
        # Quotation marks around nothing are no quotation.
        text = re.sub(r"[\"“]\s*[\"”]", "", text)
        return re.sub(r"\s+([?.!,])", r"\1", re.sub(r"\s{2,}", " ", text)).strip()


def _phrase_stems(word: str) -> tuple[str, ...]:
    words = [part for part in _WORD.findall(word.lower()) if part not in _PLACEHOLDERS]
    return tuple(stem_all(words))


def _places(stems: Sequence[str], phrase: Sequence[str]) -> list[int]:
    """Where the words of a phrase stand in their order, none more than the gap behind the one before; else empty."""
    if not phrase:
        return []
    for start in (place for place, stem in enumerate(stems) if stem == phrase[0]):
        places = [start]
        for wanted in phrase[1:]:
            window = range(places[-1] + 1, min(places[-1] + 2 + _MAX_GAP, len(stems)))
            place = next((place for place in window if stems[place] == wanted), None)
            if place is None:
                break
            places.append(place)
        if len(places) == len(phrase):
            return places
    return []
