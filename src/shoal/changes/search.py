"""A stream made ready for the search: its stretches in blocks, their clearest splits, and how sure those are.

A stretch is looked at in two ways. Long blocks count all words; blocks as long as three of the longest words are nearly
exchangeable where nothing changes. Short blocks count short words, which they may, and show what takes place in less.
Tests of both share the level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.changes.blocks import cut
from shoal.changes.channels import channels_of
from shoal.changes.clearest import clearest, clearness
from shoal.changes.dependence import memory
from shoal.changes.likelihood import digits_of
from shoal.changes.locate import locate
from shoal.changes.partition import partition
from shoal.changes.permuting import p_value
from shoal.changes.shuffling import Shuffler
from shoal.changes.words import cells_of, longest_word

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.channels import Channel
    from shoal.changes.clearest import Split
    from shoal.changes.input import Stream
    from shoal.changes.likelihood import Order, Piece
    from shoal.changes.words import Cell

BLOCKS = 64
"""Long blocks of a stretch at most."""
SHORT_BLOCKS = 96
"""Short blocks of a stretch at most."""
FEWEST = 8
"""Short blocks of a stretch at least: fewer have too few orders to tell anything."""
SHORT_WORD = 2
"""The longest words that short blocks count."""
MOST_PIECES = 24
"""Pieces of a partition at most; what has more is found inside those."""
ROOM = 1 << 18
"""Numbers in the matrices of a partition at most: with many cells there are fewer short blocks."""
LONG_SHARE = 0.8
"""The share of a level that the test of long blocks has; the partition of short blocks has the rest."""


class Stretch(NamedTuple):
    """A part of the stream that may be split."""

    start: int
    """Its first step."""
    end: int
    """The step after its last."""
    blocks: Blocks
    """It in blocks."""
    least: int
    """The blocks that the least distance between changes takes."""
    split: Split | None
    """Its clearest split; None where it is too short or does not move."""


class Search(NamedTuple):
    """A stream made ready, and the limits of the search."""

    length: int
    """The steps of the stream."""
    channels: list[Channel]
    """Its channels."""
    cells: list[Cell]
    """The cells of the statistic."""
    digits: list[list[Order]]
    """The digits of the likelihood."""
    margin: int
    """The least number of steps between two changes, and between a change and an end."""
    memory: int
    """The length of the long blocks of a test: the stream's memory, and three of its longest words."""
    brief: int
    """The length of short blocks: the memory, and three of the longest words that they count."""
    level: float
    """The level of the tests."""
    shuffler: Shuffler
    """What permutations are drawn from."""

    whole: dict[tuple[int, int, int], Stretch]
    """The whole stream as a stretch, by its number of blocks; it is asked for again where there is one change."""

    p_values: dict[tuple[str, int, int, float], float]
    """Those found, by test, start, end and level: asked again, an answer is the same."""

    def stretch(self, start: int, end: int, *, shortest: int = 1) -> Stretch:
        """A stretch of the stream in long blocks, with its clearest split.

        Args:
            start: Its first step.
            end: The step after its last.
            shortest: The steps of a block at least; a test needs `memory`.
        """
        width = max(shortest, -(-(end - start) // BLOCKS))
        count = max(2, (end - start) // width)
        if (start, end, count) in self.whole:
            return self.whole[start, end, count]
        blocks = cut(self.cells, start, end, count)
        least = max(1, round(self.margin * count / (end - start)))
        split = clearest(blocks, least) if end - start >= 2 * self.margin else None
        found = Stretch(start=start, end=end, blocks=blocks, least=least, split=split)
        if end - start == self.length:
            self.whole[start, end, count] = found
        return found

    def p_value(self, start: int, end: int, level: float) -> float:
        """The p-value of a single change in a stretch, exact enough to be held against a level."""
        key = "both", start, end, level
        if key not in self.p_values:
            stretch = self.stretch(start, end, shortest=self.memory)
            found = self.p_value_of_split(stretch, level * LONG_SHARE) / LONG_SHARE
            if found > level:
                found = min(
                    found, self.parted(start, end, level * (1.0 - LONG_SHARE), pieces=2)[0] / (1.0 - LONG_SHARE)
                )
            self.p_values[key] = min(found, 1.0)
        return self.p_values[key]

    def p_value_of_split(self, stretch: Stretch, level: float) -> float:
        """The p-value of the clearest split of a stretch by its long blocks alone."""
        if stretch.split is None:
            return 1.0
        key = "split", stretch.start, stretch.end, level
        if key not in self.p_values:
            statistic = clearness(stretch.blocks, stretch.least)
            count, score = stretch.blocks.count, stretch.split.score
            self.p_values[key] = p_value(statistic, count, score, self.shuffler, level=level)
        return self.p_values[key]

    def parted(self, start: int, end: int, level: float, *, pieces: int = MOST_PIECES) -> tuple[float, list[int]]:
        """The p-value of the best partition of a stretch by its short blocks, and the places where it cuts.

        Args:
            start: The first step.
            end: The step after the last.
            level: The level that matters; with a p-value above it no places are given.
            pieces: The greatest number of pieces.
        """
        cells = [cell for cell in self.cells if cell.length <= SHORT_WORD]
        most = min(SHORT_BLOCKS, int((ROOM / max(len(cells), 1)) ** 0.5))
        count = (end - start) // max(self.brief, -(-(end - start) // most))
        if count < FEWEST or end - start < 2 * self.margin:
            return 1.0, []
        blocks = cut(cells, start, end, count)
        least = max(1, round(self.margin * count / (end - start)))
        if not len(blocks.words) or count < 2 * least:
            return 1.0, []
        found = partition(blocks, least, min(pieces, count // least, count // 3), self.shuffler)
        chance = p_value(found.statistic, count, found.observed, self.shuffler, level=level)
        return chance, found.places() if chance <= level else []

    def exact(self, window: Piece, place: int) -> int:
        """A place by likelihood, inside a window that has no other change; exact enough to go on from."""
        margin = min(self.margin, (window[1] - window[0]) // 2)
        return locate(self.digits, window, place, margin=margin, level=self.level, rounds=1).place


def prepare(stream: Stream, min_distance: float, level: float, seed: int) -> Search:
    """Make a stream ready for the search."""
    channels = channels_of(stream)
    forgotten, word = memory(channels), longest_word(stream.length) if stream.length > 255 else 0
    return Search(
        length=stream.length,
        channels=channels,
        cells=cells_of(channels, stream.length),
        digits=digits_of(channels, stream.length),
        margin=max(1, round(min_distance * stream.length)),
        memory=max(forgotten, 3 * word),
        brief=max(forgotten, 3 * min(word, SHORT_WORD)),
        level=level,
        shuffler=Shuffler(seed),
        whole={},
        p_values={},
    )
