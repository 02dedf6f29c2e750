"""The language of a text, by `py3langid`."""

from __future__ import annotations

from functools import cache
from typing import Any

_SAMPLE = 2000
_MIN_LENGTH = 20
"""Characters; below this the library's first guess is little better than chance."""


def rank_languages(text: str) -> list[tuple[str, float]]:
    """ISO 639 codes and their probabilities, the likeliest first; of a long text three samples are read."""
    if len(text) > 3 * _SAMPLE:
        # Not the beginning alone: title pages and licences may be of another language than the text.
        middle = len(text) // 2
        text = f"{text[:_SAMPLE]} {text[middle:][:_SAMPLE]} {text[-_SAMPLE:]}"
    # Half a surrogate pair has no UTF-8, and the library encodes what it is given.
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return [(str(code), float(probability)) for code, probability in _identifier().rank(readable)]


def find_language(text: str) -> str | None:
    """The ISO 639-1 code of a text's language (the `py3langid` library); None where the text is too short."""
    return rank_languages(text)[0][0] if len(text) >= _MIN_LENGTH else None


def known_languages() -> frozenset[str]:
    """The codes of the languages that can be identified."""
    return frozenset(code for code, _ in rank_languages(""))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # Without the norm the scores are log-likelihoods, which grow with the length of the text.
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
