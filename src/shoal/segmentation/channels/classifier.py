"""Classes: register and emotion by the heads that come with shoal, or any classes by a head of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from shoal.segmentation.channels import Channel, Features
from shoal.segmentation.channels.words import WordChannel
from shoal.segmentation.heads import load_head, shipped_head

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from shoal.segmentation.heads import ClassifierHead


class ClassifierChannel(Channel):
    """Segments of one class each, by a head.

    Args:
        head: gives the likelihood of each class for each sentence.
        name: what the channel is called in results; by default the name of the class.
    """

    placed_by_words: ClassVar[bool] = False
    """Whether the words around a boundary help to place it; they never make one. Style changes over several sentences,
    words at the very one."""

    def __init__(self, head: ClassifierHead, *, name: str = "") -> None:
        self.head: ClassifierHead = head
        self.name = name or getattr(type(self), "name", "classes")

    def features(self, sentences: Sequence[str]) -> Features:
        """The log-likelihood of each sentence under each class."""
        placing = WordChannel().features(sentences) if self.placed_by_words else None
        return Features(likelihoods=self.head.likelihoods(sentences), placing=placing)


class RegisterChannel(ClassifierChannel):
    """How a text is written, by genre."""

    name = "register"
    reads = "how it is written: closed-class words, endings, punctuation, shapes of words, length of sentences"
    trainable = True
    placed_by_words = True

    @classmethod
    def create(cls, *, model: str | None = None, head: str | os.PathLike[str] | None = None) -> Channel:
        """With the shipped head, or that of a folder."""
        del model
        return cls(shipped_head(cls.name) if head is None else load_head(head))


class EmotionChannel(RegisterChannel):
    """Ekman's six emotions and neutral."""

    name = "emotion"
    reads = "Ekman's six emotions and neutral, from words and pairs of words"
    placed_by_words = False
