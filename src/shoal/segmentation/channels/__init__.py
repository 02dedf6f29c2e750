"""The channels that are known by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError, UsageError
from shoal.segmentation.channels.judged import Judged
from shoal.segmentation.channels.topic import Topic
from shoal.segmentation.heads import load_head, shipped_head
from shoal.segmentation.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shoal.segmentation.features import Channel

_JUDGED = ("register", "emotion")
_WORDS: dict[str, Callable[[], Channel]] = {"words": Words, "topic": Topic}

CHANNELS = (*_WORDS, *_JUDGED)
"""Every name."""

__all__ = ["CHANNELS", "Judged", "Topic", "find_channel"]


def find_channel(name: str, *, head: Path | None = None) -> Channel:
    """The channel of a name.

    Args:
        name: one of `CHANNELS`.
        head: the folder of a head of your own, for a channel of classes; by default the shipped one.

    Raises:
        UnknownNameError: there is none.
        UsageError: a head was given for a channel that has none.
        ModelError: the head cannot be read.
    """
    if name in _JUDGED:
        chosen = shipped_head(name) if head is None else load_head(head)
        return Judged(head=chosen, name=name, placed_by_words=name == "register")
    if head is not None:
        raise UsageError(f"the channel {name!r} has no head; --head is for {' and '.join(_JUDGED)}")
    if name not in _WORDS:
        raise UnknownNameError("channel", name, CHANNELS)
    return _WORDS[name]()
