"""English lemmas by part of speech: a word has as many lemmas as it has classes (the saw: saw, she saw: see).

Tables know the forms of words, and not in which class a word stands. So where the class is known, a base form is its
own lemma, the tables are tried next, then the lemma of a tagger, and last the endings of the class, of which a base
counts only where the tables know it as a word.
"""

from __future__ import annotations

from typing import Any

_COMPARATIVES = {
    "bigger": "big", "hotter": "hot", "cleaner": "clean", "cooler": "cool", "closer": "close", "damper": "damp",
    "dimmer": "dim", "fitter": "fit", "flatter": "flat",
}  # fmt: skip
"""Those that the tables take for words of their own."""

_BY_CLASS = {
    "adjective": {
        **_COMPARATIVES,
        "better": "good", "best": "good", "worse": "bad", "worst": "bad", "more": "much", "most": "much",
        "less": "little", "least": "little", "farther": "far", "further": "far", "farthest": "far", "furthest": "far",
        "elder": "old", "eldest": "old",
    },
    "adverb": {
        **_COMPARATIVES,
        "better": "well", "best": "well", "worse": "badly", "worst": "badly", "more": "much", "most": "much",
        "less": "little", "least": "little", "farther": "far", "further": "far", "farthest": "far", "furthest": "far",
    },
    # Past forms that the tables take for nouns and adjectives.
    "verb": {
        "bent": "bend", "dove": "dive", "drunk": "drink", "felt": "feel", "left": "leave", "rewound": "rewind",
        "rung": "ring", "thought": "think",
    },
    # Nouns whose plural the verbs of the tables hide, or that the tables take for verbs.
    "noun": {
        f"{stem}ves": stem + ending
        for ending, stems in {
            "f": ("lea", "loa", "hal", "cal", "el", "shel", "sel", "thie", "wol", "shea", "scar", "hoo", "dwar"),
            "fe": ("kni", "wi", "li"),
        }.items()
        for stem in stems
    },
}  # fmt: skip
"""Irregular forms by class, those that the tables lack or read as a word of another class."""

_ENDINGS = {
    "verb": ("ing", "ied", "ed", "ies", "es", "s"),
    "noun": ("ies", "es", "s"),
    "adjective": ("iest", "ier", "est", "er"),
    "adverb": ("iest", "ier", "est", "er"),
}

_VOWELS = set("aeiouy")
_SHORTEST = 3
"""Letters of a base, a vowel among them: bring and need have no ending."""

_NO_ENDING = ("eed", "ss")
_WITH_E = {"ing", "ed", "est", "er"}
"""Endings before which a silent e falls: hoping, bedraggled, nicest."""


def english_lemma(
    library: Any, word: str, word_class: str, *, inflected: bool | None = None, tagged_lemma: str | None = None
) -> str:
    """The lemma of an English word in a class.

    Args:
        library: the `simplemma` package, or what has its ``lemmatize`` and ``is_known``.
        word: one word.
        word_class: ``noun``, ``proper noun``, ``verb``, ``adjective``, ``adverb``, or any other class.
        inflected: whether a tagger considers it another form than the base; None where there is no tagger.
        tagged_lemma: what a tagger considers its lemma.
    """
    if word_class == "proper noun" or word == "I":
        return word
    lower = word.lower()
    irregular = _BY_CLASS.get(word_class, {}).get(lower)
    if irregular:
        return irregular
    # In lower case, but where the tables know a word with its capital alone, or it has one inside (McDonaldize).
    named = library.is_known(word, lang="en") and not library.is_known(lower, lang="en")
    base = word if named or (word[1:] != lower[1:] and not word.isupper()) else lower
    if word_class in _ENDINGS and _is_base(lower, word_class, inflected):
        return base
    found = str(library.lemmatize(base, lang="en"))
    if found != base or word_class not in _ENDINGS:
        return found
    # Words that end as a form does and are none (news, species, honest) are their own lemma in the tables. Without a
    # tagger that says otherwise they are believed; of verbs they know the forms better than the bases.
    if library.is_known(base, lang="en") and (word_class == "noun" or (word_class != "verb" and inflected is None)):
        return found
    # Taggers take rare participles for infinitives, and a verb that ends as one may be none (bring, need).
    if inflected is False and not (word_class == "verb" and lower.endswith(("ing", "ed", "s"))):
        return found
    bare = _without_ending(library, lower, word_class)
    # A tagger that has never met a word makes its lemma up.
    if bare == lower and tagged_lemma and library.is_known(tagged_lemma.lower(), lang="en"):
        return tagged_lemma.lower()
    return base if bare == lower else bare


def _is_base(word: str, word_class: str, inflected: bool | None) -> bool:
    """Whether a word is a base form by its class, which the tables must not take for the form of a verb."""
    if word_class == "verb":
        return False
    if word_class == "noun" and inflected is None:
        return word.endswith("ing") or not word.endswith(
            ("s", "a", "i", "ae", "en", "ee", "eeth", "eet", "ice", "eese")
        )
    if word_class == "noun":
        return inflected is False and not word.endswith("s")
    return inflected is False or (inflected is None and not word.endswith(("er", "est")))


def _without_ending(library: Any, word: str, word_class: str) -> str:
    """The base that an ending of the class was put on, where the tables know such a word; else the word."""
    for ending in _ENDINGS[word_class]:
        base = word.removesuffix(ending)
        if base == word or len(base) < _SHORTEST or not _VOWELS & set(base) or word.endswith(_NO_ENDING):
            continue
        bases = [base + "y"] if ending.startswith("i") and ending != "ing" else [base]
        if ending in _WITH_E:
            # Doubled before the ending: running, biggest.
            bases = [*([base[:-1]] if base[-1] == base[-2] else []), base, base + "e"]
        for one in bases:
            if library.is_known(one, lang="en"):
                return one
    return word
