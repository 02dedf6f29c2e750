"""A stream made ready for the search: its stretches in long blocks, their clearest splits, and how sure those are.

Long blocks count all words: blocks as long as three of the longest words are nearly exchangeable where nothing changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.changes.blocks import cut
from shoal.changes.channels import channels_of
from shoal.changes.clearest import clearest, clearness
from shoal.changes.dependence import memory
from shoal.changes.likelihood import digits_of
from shoal.changes.locate import ROUNDS, locate
from shoal.changes.permuting import p_value
from shoal.changes.shuffling import Shuffler
from shoal.changes.words import cells_of, longest_word

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.channels import Channel
    from shoal.changes.clearest import Split
    from shoal.changes.dependence import Memory
    from shoal.changes.input import Stream
    from shoal.changes.likelihood import Order, Piece
    from shoal.changes.locate import Located, Others
    from shoal.changes.pooled import Pool
    from shoal.changes.words import Cell

BLOCKS = 64
"""Blocks of a stretch at most."""


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
    memory: Memory
    """Steps after which the stream has forgotten: the least length of short blocks."""
    long: int
    """The least length of long blocks in a test: the memory, and three of the longest words."""
    alpha: float
    """The level of the tests."""
    confidence: float
    """The confidence of the sets of places."""
    shuffler: Shuffler
    """What permutations are drawn from."""

    whole: dict[tuple[int, int, int], Stretch]
    """The whole stream as a stretch, by its number of blocks; it is asked for again where there is one change."""

    p_values: dict[tuple[tuple[int, ...], float], float]
    """Those found, by what was asked about and alpha: asked again, an answer is the same."""

    pools: dict[tuple[int, ...], Pool | None]
    """The noise of the pieces between the edges that were last asked about."""

    def stretch(self, start: int, end: int, *, shortest: int = 1) -> Stretch:
        """A stretch of the stream in long blocks, with its clearest split.

        Args:
            start: Its first step.
            end: The step after its last.
            shortest: The steps of a block at least; a test needs `long`.
        """
        width = max(shortest, -(-(end - start) // BLOCKS))
        count = max(2, (end - start) // width)
        if (start, end, count) in self.whole:
            return self.whole[start, end, count]
        blocks = cut(self.cells, start, end, count)
        least = self.least(start, end, count)
        split = clearest(blocks, least) if end - start >= 2 * self.margin else None
        found = Stretch(start=start, end=end, blocks=blocks, least=least, split=split)
        if end - start == self.length:
            self.whole[start, end, count] = found
        return found

    def p_value_of_split(self, stretch: Stretch, alpha: float) -> float:
        """The p-value of the clearest split of a stretch by its long blocks alone."""
        if stretch.split is None:
            return 1.0
        key = (stretch.start, stretch.end), alpha
        if key not in self.p_values:
            statistic = clearness(stretch.blocks, stretch.least)
            count, score = stretch.blocks.count, stretch.split.score
            self.p_values[key] = p_value(statistic, count, score, self.shuffler, alpha=alpha)
        return self.p_values[key]

    def least(self, start: int, end: int, count: int) -> int:
        """The blocks that the least distance between changes takes."""
        return max(1, round(self.margin * count / (end - start)))

    def located(self, window: Piece, guess: int, *, others: Others = ((), ()), rounds: int = ROUNDS) -> Located:
        """The place of the one change in a window by likelihood, the least distance from its ends where it has room."""
        margin = min(self.margin, (window[1] - window[0]) // 2)
        return locate(
            self.digits, window, guess, margin=margin, confidence=self.confidence, others=others, rounds=rounds
        )

    def exact(self, window: Piece, place: int) -> int:
        """The place after one round: exact enough to go on from."""
        return self.located(window, place, rounds=1).place


def prepare(stream: Stream, min_distance: float, *, alpha: float, confidence: float, seed: int) -> Search:
    """Make a stream ready for the search."""
    channels = channels_of(stream)
    forgotten, word = memory(channels), longest_word(stream.length) if stream.length > 255 else 0
    return Search(
        length=stream.length,
        channels=channels,
        cells=cells_of(channels, stream.length),
        digits=digits_of(channels, stream.length),
        margin=max(1, round(min_distance * stream.length)),
        memory=forgotten,
        long=max(forgotten.steps, 3 * word),
        alpha=alpha,
        confidence=confidence,
        shuffler=Shuffler(seed),
        whole={},
        p_values={},
        pools={},
    )
