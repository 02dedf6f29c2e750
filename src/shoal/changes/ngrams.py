"""The cells of the refined statistic: words of quantile symbols at several resolutions and lengths.

A word of length m at resolution 2^k is the number with k m binary digits that m codes in a row make. Words have at most
`MAX_BITS` binary digits (512 words) and at most log2(n) + 1, as the theory requires of m. Joint words of several
channels take the first digit of each at one time.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.quantization import QuantizedChannel

Array = np.ndarray[Any, Any]

MAX_BITS = 9
"""Binary digits of the longest words."""
MAX_CHANNELS = 8
"""Streams with more channels are looked at through words of one and two symbols and through neighbours' pairs."""


class NgramTable(NamedTuple):
    """One resolution and word length, and where in the stream each word stands."""

    channels: tuple[int, ...]
    """The channels that a word is made of."""
    digits: int
    """Binary digits k of a symbol."""
    length: int
    """Symbols m of a word; 1 for joint words."""
    words: Array
    """uint16 of shape (n,): the word that starts at each step (joint: the word at the step); the last m - 1 repeat."""
    whole: Array | None = None
    """Where nothing in the word is missing, of shape (n,); other words are not counted. None: everywhere."""

    @property
    def size(self) -> int:
        """The number of possible words."""
        return 1 << (self.digits * self.length * len(self.channels))

    def counted(self, start: int, end: int) -> Array:
        """The words that start in ``[start, end)`` and have nothing missing."""
        words = self.words[start:end]
        return words if self.whole is None else words[self.whole[start:end]]


def max_word_length(length: int) -> int:
    """The longest words of a stream: 1 below 256 steps, `MAX_BITS` from 1152."""
    return max(1, min(MAX_BITS, length // 128))


def ngram_tables(channels: list[QuantizedChannel], length: int) -> list[NgramTable]:
    """Every cell of a stream.

    Args:
        channels: the channels of the stream.
        length: the number of its steps.
    """
    # At least four steps per possible word on average.
    bits = max(2, min(MAX_BITS, length.bit_length() - 3))
    longest = max_word_length(length)
    few = len(channels) <= MAX_CHANNELS
    cells = [
        cell
        for place, channel in enumerate(channels)
        if np.ptp(channel.codes) > 0
        for digits in range(1, channel.depth + 1)
        for cell in _own_words(place, channel, digits, min(longest, bits // digits if few else 2))
    ]
    return cells + _joint_words(channels, bits, few=few)


def _own_words(place: int, channel: QuantizedChannel, digits: int, longest: int) -> list[NgramTable]:
    """The words of one channel at one resolution, each made from the shorter one."""
    symbols: Array = channel.at(digits).astype(np.uint16)
    known = None if channel.missing is None else ~channel.missing
    words, whole, found = symbols, known, []
    for length in range(1, max(longest, 1) + 1):
        if length > 1:
            words = (words << digits) | _later(symbols, length - 1)
            whole = None if whole is None or known is None else whole & _later(known, length - 1)
        found.append(NgramTable(channels=(place,), digits=digits, length=length, words=words, whole=whole))
    return found


def _later(steps: Array, lag: int) -> Array:
    """What stands ``lag`` steps later, the last again where there is nothing."""
    return np.concatenate((steps[lag:], np.repeat(steps[-1:], lag)))[: len(steps)]


def _joint_words(channels: list[QuantizedChannel], bits: int, *, few: bool) -> list[NgramTable]:
    """Words across channels at one time: all at once where they fit, and pairs."""
    moving = [place for place, channel in enumerate(channels) if np.ptp(channel.codes) > 0]
    pairs = list(combinations(moving, 2)) if few else list(pairwise(moving))
    groups: list[tuple[tuple[int, ...], int]] = [
        (pair, digits) for pair in pairs for digits in (1, 2) if 2 * digits <= bits
    ]
    if 2 < len(moving) <= bits:
        groups.append((tuple(moving), 1))
    cells = []
    for group, digits in groups:
        if any(channels[place].depth < digits for place in group):
            continue
        words: Array = np.zeros(len(channels[0].codes), dtype=np.uint16)
        for place in group:
            words = (words << digits) | channels[place].at(digits)
        gaps = [gap for place in group if (gap := channels[place].missing) is not None]
        whole = ~np.any(gaps, axis=0) if gaps else None
        cells.append(NgramTable(channels=group, digits=digits, length=1, words=words, whole=whole))
    return cells
