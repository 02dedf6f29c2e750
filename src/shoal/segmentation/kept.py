"""A channel that keeps what it made of the sentences, for those who draw it after the text is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.segmentation.channels.judged import Judged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.segmentation.features import Channel, Features
    from shoal.segmentation.heads import Head


class Kept:
    """Reads by another channel, and remembers the last reading."""

    def __init__(self, channel: Channel) -> None:
        self.name = channel.name
        self.last: Features | None = None
        self.head: Head | None = channel.head if isinstance(channel, Judged) else None
        self._channel = channel

    def features(self, sentences: Sequence[str]) -> Features:
        """What the channel makes of the sentences."""
        self.last = self._channel.features(sentences)
        return self.last
