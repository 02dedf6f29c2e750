"""The channels that are known by a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import UnknownNameError
from shoal.segmentation.channels.judged import Judged, emotion, register
from shoal.segmentation.channels.topic import Topic
from shoal.segmentation.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.segmentation.features import Channel

_CHANNELS: dict[str, Callable[[], Channel]] = {
    "words": Words,
    "topic": Topic,
    "register": register,
    "emotion": emotion,
}

__all__ = ["Judged", "Topic", "find_channel"]


def find_channel(name: str) -> Channel:
    """The channel of a name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in _CHANNELS:
        raise UnknownNameError("channel", name, _CHANNELS)
    return _CHANNELS[name]()
