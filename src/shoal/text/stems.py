"""Stems of words by the Snowball stemmers: endings cut off by rule, so that related words share a stem.

English is Porter2 (Porter 2001, snowballstem.org); the original algorithm is the language ``porter``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from shoal.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterable


def stem(word: str, language: str = "english") -> str:
    """The stem of a word, in lower case.

    Raises:
        UnknownNameError: a language that Snowball has no stemmer for.
    """
    return str(_stemmer(language).stemWord(word.lower()))


def stem_all(words: Iterable[str], language: str = "english") -> list[str]:
    """The stems of words, in their order.

    Raises:
        UnknownNameError: a language that Snowball has no stemmer for.
    """
    return list(_stemmer(language).stemWords([word.lower() for word in words]))


@cache
def _stemmer(language: str) -> Any:
    import snowballstemmer

    known = snowballstemmer.algorithms()
    if language not in known:
        raise UnknownNameError("language", language, known)
    return snowballstemmer.stemmer(language)
