"""Sentences as a trained head judges them: register and emotion, or any classes of your own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.segmentation.features import Features
from shoal.segmentation.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation.heads import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The channel of a head: segments of one class each."""

    head: Head

    name: str

    placed_by_words: bool = False
    """Whether the words around a boundary help to place it; they never make one."""

    def features(self, sentences: Sequence[str]) -> Features:
        """How likely each class makes each sentence."""
        beside = Words().features(sentences) if self.placed_by_words else None
        return Features(likelihoods=self.head.likelihoods(sentences), placing=beside)
