"""The language of a text, by `py3langid`."""

from __future__ import annotations

from functools import cache
from typing import Any

_SAMPLE = 2000


def rank_languages(text: str) -> list[tuple[str, float]]:
    """ISO 639 codes and their probabilities, the likeliest first; of a long text three samples are read."""
    if len(text) > 3 * _SAMPLE:
        middle = len(text) // 2
        text = f"{text[:_SAMPLE]} {text[middle:][:_SAMPLE]} {text[-_SAMPLE:]}"
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return [(str(code), float(probability)) for code, probability in _identifier().rank(readable)]


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
