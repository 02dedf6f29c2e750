"""Sentences as a trained head judges them: register and emotion, or any classes of your own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.segmentation.features import Features
from shoal.segmentation.heads import shipped_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation.heads import Head


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The channel of a head: segments of one class each."""

    head: Head

    name: str

    def features(self, sentences: Sequence[str]) -> Features:
        """How likely each class makes each sentence."""
        return Features(likelihoods=self.head.likelihoods(sentences))


def register() -> Judged:
    """How a text is written (report, tale, letter, talk), not what it is about."""
    return Judged(head=shipped_head("register"), name="register")


def emotion() -> Judged:
    """What sentences express, by the six emotions of Ekman (1992, Cognition and Emotion 6) and neutral."""
    return Judged(head=shipped_head("emotion"), name="emotion")
