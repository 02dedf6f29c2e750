"""Stems and lemmas of words.

Stems of words by the Snowball stemmers: endings cut off by rule, so that related words share a stem.

English is Porter2 (Porter 2001, snowballstem.org); the original algorithm is the language ``porter``.

Lemmas of words: the form that stands in a dictionary, as eat for eating, eats and eaten, and good for better.

The `simplemma` library looks words up in its tables and falls back on rules. For English the comparatives are added
here that its tables lack (bigger) or misread (worse).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from shoal.errors import MissingExtraError, UnknownNameError, UsageError
from shoal.text.english_lemmas import english_lemma

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENGLISH = {
    "worse": "bad", "worst": "bad", "best": "good", "better": "good", "bigger": "big", "biggest": "big",
    "hotter": "hot", "hottest": "hot", "sadder": "sad", "saddest": "sad", "wetter": "wet", "wettest": "wet",
    "fatter": "fat", "fattest": "fat", "thinner": "thin", "thinnest": "thin", "farther": "far", "further": "far",
    "more": "much", "most": "much", "less": "little", "least": "little",
}  # fmt: skip


def stem(word: str, language: str = "english") -> str:
    """The stem of a word, in lower case.

    Args:
        word: one word.
        language: a name of Snowball's, as ``english`` or ``porter``.

    Raises:
        UnknownNameError: a language that Snowball has no stemmer for.
    """
    return str(_stemmer(language).stemWord(word.lower()))


def stem_all(words: Iterable[str], language: str = "english") -> list[str]:
    """The stems of words, in their order.

    Args:
        words: any words.
        language: a name of Snowball's, as ``english`` or ``porter``.

    Raises:
        UnknownNameError: a language that Snowball has no stemmer for.
    """
    return list(_stemmer(language).stemWords([word.lower() for word in words]))


def lemmatize(word: str, language: str = "en", *, word_class: str | None = None) -> str:
    """The lemma of a word.

    Args:
        word: one word.
        language: an ISO 639-1 code.
        word_class: its part of speech, for English: ``lemmatize("saw", word_class="noun")`` is saw.

    Raises:
        MissingExtraError: the ``simplemma`` package is not installed.
        UnknownNameError: a language that it has no table for.
        UsageError: a part of speech for another language than English.
    """
    library = load_simplemma(language)
    if word_class is not None and language != "en":
        raise UsageError(f"lemmas by part of speech are there for English, not for {language!r}; leave it out")
    # The library refuses an empty text, whose lemma is as empty as its stem.
    if not word:
        return ""
    if word_class is not None:
        return english_lemma(library, word, word_class)
    known = _ENGLISH.get(word.lower()) if language == "en" else None
    return known or str(library.lemmatize(word, lang=language))


def lemmatize_all(words: Iterable[str], language: str = "en") -> list[str]:
    """The lemmas of words, in their order.

    Args:
        words: any words.
        language: an ISO 639-1 code.

    Raises:
        MissingExtraError: the ``simplemma`` package is not installed.
        UnknownNameError: a language that it has no table for.
    """
    return [lemmatize(word, language) for word in words]


@cache
def _stemmer(language: str) -> Any:
    import snowballstemmer

    known = snowballstemmer.algorithms()
    if language not in known:
        raise UnknownNameError("language", language, known)
    return snowballstemmer.stemmer(language)


def lemma_languages() -> frozenset[str]:
    """The ISO 639 codes of the languages that have lemmas.

    Raises:
        MissingExtraError: the ``simplemma`` package is not installed.
    """
    load_simplemma("en")
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    return frozenset(SUPPORTED_LANGUAGES)


@cache
def load_simplemma(language: str) -> Any:
    """The `simplemma` package, where it has a table of the language.

    Args:
        language: an ISO 639-1 code.

    Raises:
        MissingExtraError: the ``simplemma`` package is not installed.
        UnknownNameError: a language that it has no table for.
    """
    try:
        import simplemma
    except ImportError as error:
        raise MissingExtraError("corpora", "lemmatizing") from error
    from simplemma.strategies.dictionaries.dictionary_factory import SUPPORTED_LANGUAGES

    if language not in SUPPORTED_LANGUAGES:
        raise UnknownNameError("language", language, SUPPORTED_LANGUAGES)
    return simplemma
