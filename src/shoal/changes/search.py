"""A stream made ready for the search: its stretches in long blocks, their clearest splits, and how sure those are.

Long blocks count all words: blocks as long as three of the longest words are nearly exchangeable where nothing changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.changes.likelihood import ROUNDS, digits_of, locate
from shoal.changes.mixing import dependence_length, has_states
from shoal.changes.ngrams import max_word_length, ngram_tables
from shoal.changes.permutation import MIN_STEPS, Shuffler, permutation_p_value
from shoal.changes.single_change import best_split, cut_blocks, max_statistic

if TYPE_CHECKING:
    from shoal.changes.likelihood import ContextOrder, Located, Others, Span
    from shoal.changes.mixing import DependenceLength
    from shoal.changes.multiple_changes import PooledNoise
    from shoal.changes.ngrams import NgramTable
    from shoal.changes.quantization import QuantizedChannel
    from shoal.changes.single_change import BestSplit, Blocks

MAX_LONG_BLOCKS = 64
"""Blocks of a stretch at most."""
ENOUGH_BLOCKS = 25
"""Blocks from which a stretch has enough orders."""
MIN_SHORT_BLOCKS = 8
"""Short blocks of a stretch at least: fewer have too few orders for a test."""
SHARES = 0.76, 0.2
"""The shares of a level that the tests of long and of short blocks have. With .8 and .2 five or six streams of 100
without a change had one at .05: words over the borders of blocks and estimated memories take the rest."""
COLOURED_BELOW = 2
"""Blocks less than this many times as long as the memory are coloured: neighbours correlated by 1/26 are enough to
double the false alarms of 40 blocks of an autoregression of .9."""
RESOLVED = 13.0
"""Coloured blocks are this many times as long as the memory they resolve, its reach times the share that lasts."""


class BlockedSegment(NamedTuple):
    """A part of the stream that may be split."""

    start: int
    """Its first step."""
    end: int
    """The step after its last."""
    blocks: Blocks
    """It in blocks."""
    min_size: int
    """The blocks that the smallest distance between changes takes."""
    split: BestSplit | None
    """Its clearest split; None where it is too short or does not move."""
    coloured: bool = False
    """Whether its blocks are shorter than the memory."""


class Search(NamedTuple):
    """A stream made ready, and the limits of the search."""

    length: int
    """The steps of the stream."""
    channels: list[QuantizedChannel]
    """Its channels."""
    cells: list[NgramTable]
    """The cells of the statistic."""
    shown: list[NgramTable]
    """Those that distinguish pieces in the end: also those of where the stream is missing, if that changes."""
    digits: list[list[ContextOrder]]
    """The digits of the likelihood."""
    margin: int
    """The minimum number of steps between two changes, and between a change and an end."""
    memory: DependenceLength
    """What the stream remembers."""
    word: int
    """Steps of three of the longest words."""
    long: int
    """The least length of long blocks in a test: the memory, and three of the longest words."""
    states: bool
    """Whether each channel is of symbols or of a few numbers."""
    alpha: float
    """The level of the tests."""
    confidence: float
    """The confidence of the sets of places."""
    shuffler: Shuffler
    """What permutations are drawn from."""

    whole: dict[tuple[int, int, int], BlockedSegment]
    """The whole stream as a stretch, by its number of blocks; it is needed again where there is one change."""

    p_values: dict[tuple[tuple[int, ...], float], float]
    """Those found, by segment and alpha: the same test gives the same p-value again."""

    given: dict[int, float]
    """Places that are known before the search, each with its p-value: where a stream begins or ends to be missing."""

    pools: dict[tuple[int, ...], PooledNoise | None]
    """The noise of the pieces between the edges that were last tested."""

    def stretch(self, start: int, end: int, *, shortest: int = 1) -> BlockedSegment:
        """A stretch of the stream in long blocks, with its clearest split.

        Args:
            start: its first step.
            end: the step after its last.
            shortest: the steps of a block at least; a test needs `long`.
        """
        width = max(shortest, -(-(end - start) // MAX_LONG_BLOCKS))
        # Only a test permutes its blocks, and so needs whole periods of a season in each.
        count = max(2, self.memory.blocks(end - start, width) if shortest > 1 else (end - start) // width)
        if (start, end, count) in self.whole:
            return self.whole[start, end, count]
        blocks = cut_blocks(self.cells, start, end, count)
        min_size = self.min_size(start, end, count)
        split = best_split(blocks, min_size) if end - start >= 2 * self.margin else None
        found = BlockedSegment(start=start, end=end, blocks=blocks, min_size=min_size, split=split)
        if end - start == self.length:
            self.whole[start, end, count] = found
        return found

    def tested(self, start: int, end: int) -> BlockedSegment:
        """A stretch of the stream in blocks for a test, with its clearest split.

        Blocks are longer than the memory where that leaves `ENOUGH_BLOCKS` of them. Otherwise they are shorter and
        coloured.
        """
        width = self._coloured(end - start)
        if not width:
            return self.stretch(start, end, shortest=self.long)
        return self.stretch(start, end, shortest=width)._replace(coloured=True)

    @property
    def shares(self) -> tuple[float, float]:
        """Those that the tests have here: long blocks have all where the stream has too few short ones."""
        return SHARES if self.length >= MIN_SHORT_BLOCKS * self.memory.short else (1.0, 0.0)

    def _coloured(self, size: int) -> int:
        """The least length of coloured blocks in a stretch of ``size`` steps; 0 where blocks need no colour."""
        faint = self.memory.faint
        width = max(self.long, faint.steps, size // MAX_LONG_BLOCKS)
        if size // width < ENOUGH_BLOCKS:
            width = min(width, max(self.word, size // ENOUGH_BLOCKS, round(RESOLVED * faint.share * faint.reach)))
        return width if faint.steps > MIN_STEPS and width < COLOURED_BELOW * faint.steps else 0

    def p_value_of_split(self, stretch: BlockedSegment, alpha: float) -> float:
        """The p-value of the clearest split of a stretch by its long blocks alone."""
        if stretch.split is None:
            return 1.0
        key = (stretch.start, stretch.end), alpha
        if key not in self.p_values:
            colour = None
            if stretch.coloured:
                from shoal.changes.permutation import LinearBootstrap  # few streams need it

                colour = LinearBootstrap(stretch.blocks.grams, stretch.blocks.width, self.memory.faint)
            statistic = max_statistic(stretch.blocks, stretch.min_size, colour)
            count, score = stretch.blocks.count, stretch.split.score
            self.p_values[key] = permutation_p_value(statistic, count, score, self.shuffler, alpha=alpha)
        return self.p_values[key]

    def min_size(self, start: int, end: int, count: int) -> int:
        """The blocks that the smallest distance between changes takes."""
        return max(1, round(self.margin * count / (end - start)))

    def located(self, window: Span, guess: int, *, others: Others = ((), ()), rounds: int = ROUNDS) -> Located:
        """The place of the one change in a window by likelihood, away from its ends where it has room."""
        margin = min(self.margin, (window[1] - window[0]) // 2)
        return locate(
            self.digits, window, guess, margin=margin, confidence=self.confidence, others=others, rounds=rounds
        )

    def exact(self, window: Span, place: int) -> int:
        """The place after one round: exact enough to split at."""
        return self.located(window, place, rounds=1).place


def prepare_search(
    channels: list[QuantizedChannel],
    length: int,
    *,
    margin: int,
    alpha: float,
    confidence: float,
    seed: int,
    levels: bool = True,
) -> Search:
    """Make the channels of a stream ready for the search.

    Args:
        channels: the channels of the stream.
        length: the number of its steps.
        margin: the minimum number of steps between two changes.
        alpha: the level of the tests.
        confidence: the confidence of the sets of places.
        seed: the seed of the permutations.
        levels: whether changing levels may explain what lasts; otherwise all of it is memory.
    """
    forgotten, word = (
        dependence_length(channels, margin if levels else length),
        3 * max_word_length(length) if length > 255 else MIN_STEPS,
    )
    cells = ngram_tables(channels, length)
    return Search(
        length=length,
        channels=channels,
        cells=cells,
        shown=cells,
        digits=digits_of(channels, length),
        margin=margin,
        memory=forgotten,
        word=word,
        long=max(forgotten.steps, word),
        states=all(has_states(channel) for channel in channels),
        alpha=alpha,
        confidence=confidence,
        shuffler=Shuffler(seed),
        whole={},
        p_values={},
        given={},
        pools={},
    )
