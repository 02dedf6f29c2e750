"""The channels that are known by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError
from shoal.segmentation.channels.judged import Judged
from shoal.segmentation.channels.topic import Topic
from shoal.segmentation.heads import load_head, shipped_head
from shoal.segmentation.sentence_vectors import SentenceVectors
from shoal.segmentation.surprisal import Surprisal
from shoal.segmentation.words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from shoal.segmentation.features import Channel

CHANNELS = ("words", "topic", "register", "emotion", "vectors", "surprisal")
"""Every name."""

_WITH_HEAD = ("register", "emotion")
_WITH_MODEL = {"vectors": "a sentence encoder", "surprisal": "a language model"}

__all__ = ["CHANNELS", "Judged", "Topic", "find_channel"]


def find_channel(name: str, *, model: str | None = None, head: str | Path | None = None) -> Channel:
    """The channel of a name.

    Args:
        name: one of `CHANNELS`.
        model: of the channels vectors (the folder or hub id of a sentence encoder) and surprisal (a model spec).
        head: the folder of a head of your own, for register and emotion; by default the shipped one.

    Raises:
        UnknownNameError: there is none.
        UsageError: a model or head is missing, or was given for a channel that has none.
        ModelError: the head cannot be read.
    """
    if name not in CHANNELS:
        raise UnknownNameError("channel", name, CHANNELS)
    if head is not None and name not in _WITH_HEAD:
        raise UsageError(f"the channel {name!r} has no head; --head is for {' and '.join(_WITH_HEAD)}")
    if model is not None and name not in _WITH_MODEL:
        raise UsageError(f"the channel {name!r} has no model; --model is for {' and '.join(_WITH_MODEL)}")
    if name in _WITH_HEAD:
        chosen = shipped_head(name) if head is None else load_head(head)
        return Judged(head=chosen, name=name, placed_by_words=name == "register")
    if name in _WITH_MODEL:
        return _with_model(name, model)
    return Words() if name == "words" else Topic()


def _with_model(name: str, model: str | None) -> Channel:
    if model is None:
        raise UsageError(f"the channel {name!r} reads by {_WITH_MODEL[name]}; name it with --model")
    return SentenceVectors(model) if name == "vectors" else Surprisal(model)
