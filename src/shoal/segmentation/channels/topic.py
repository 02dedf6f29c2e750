"""Topic: what a text is about, so the words that any text has are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.segmentation.style import CLOSED_CLASS, style_tokens
from shoal.segmentation.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation.features import Features


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The channel that counts the stems of open-class words."""

    name: str = "topic"

    def features(self, sentences: Sequence[str]) -> Features:
        """How often each stem is in each sentence."""
        return Words().features([_open_class(sentence) for sentence in sentences])


def _open_class(sentence: str) -> str:
    """What is left of a sentence."""
    tokens = (token for token in style_tokens(sentence) if token[0].isalpha())
    return " ".join(token for token in tokens if token.lower().partition("'")[0] not in CLOSED_CLASS)
