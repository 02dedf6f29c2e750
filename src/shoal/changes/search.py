"""A stream made ready for the search: its stretches in long blocks, their clearest splits, and how sure those are.

Long blocks count all words: blocks as long as three of the longest words are nearly exchangeable where nothing changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shoal.changes.blocks import cut
from shoal.changes.clearest import clearest, clearness
from shoal.changes.decay import LEAST
from shoal.changes.dependence import has_states, memory
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
    from shoal.changes.likelihood import Order, Piece
    from shoal.changes.locate import Located, Others
    from shoal.changes.pooled import Pool
    from shoal.changes.words import Cell

BLOCKS = 64
"""Blocks of a stretch at most."""
ENOUGH = 25
"""Blocks from which a stretch has enough orders."""
FEWEST = 8
"""Short blocks of a stretch at least: fewer have too few orders to tell anything."""
SHARES = 0.76, 0.2
"""The shares of a level that the tests of long and of short blocks have. With .8 and .2 five or six streams of 100
without a change had one at .05: words over the borders of blocks and estimated memories take the rest."""
APART = 2
"""Blocks less than so many times as long as the memory are coloured: neighbours correlated by 1/26 are enough to double
the false alarms of 40 blocks of an autoregression of .9."""
RESOLVED = 13.0
"""Coloured blocks are so many times as long as the memory they resolve, its reach times the share that lasts."""


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
    coloured: bool = False
    """Whether its blocks are shorter than the memory."""


class Search(NamedTuple):
    """A stream made ready, and the limits of the search."""

    length: int
    """The steps of the stream."""
    channels: list[Channel]
    """Its channels."""
    cells: list[Cell]
    """The cells of the statistic."""
    shown: list[Cell]
    """Those that tell pieces apart in the end: also those of where the stream is missing, if that changes."""
    digits: list[list[Order]]
    """The digits of the likelihood."""
    margin: int
    """The least number of steps between two changes, and between a change and an end."""
    memory: Memory
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

    whole: dict[tuple[int, int, int], Stretch]
    """The whole stream as a stretch, by its number of blocks; it is asked for again where there is one change."""

    p_values: dict[tuple[tuple[int, ...], float], float]
    """Those found, by what was asked about and alpha: asked again, an answer is the same."""

    given: dict[int, float]
    """Places that are known before the search, each with its p-value: where a stream begins or ends to be missing."""

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

    def tested(self, start: int, end: int) -> Stretch:
        """A stretch of the stream in blocks for a test, with its clearest split.

        Blocks are longer than the memory where that leaves `ENOUGH` of them. Otherwise they are shorter and coloured.
        """
        width = self._coloured(end - start)
        if not width:
            return self.stretch(start, end, shortest=self.long)
        return self.stretch(start, end, shortest=width)._replace(coloured=True)

    @property
    def shares(self) -> tuple[float, float]:
        """Those that the tests have here: long blocks have all where the stream has too few short ones."""
        return SHARES if self.length >= FEWEST * self.memory.short else (1.0, 0.0)

    def _coloured(self, size: int) -> int:
        """The least length of coloured blocks in a stretch of so many steps; 0 where blocks need no colour."""
        faint = self.memory.faint
        width = max(self.long, faint.steps, size // BLOCKS)
        if size // width < ENOUGH:
            width = min(width, max(self.word, size // ENOUGH, round(RESOLVED * faint.share * faint.reach)))
        return width if faint.steps > LEAST and width < APART * faint.steps else 0

    def p_value_of_split(self, stretch: Stretch, alpha: float) -> float:
        """The p-value of the clearest split of a stretch by its long blocks alone."""
        if stretch.split is None:
            return 1.0
        key = (stretch.start, stretch.end), alpha
        if key not in self.p_values:
            colour = None
            if stretch.coloured:
                from shoal.changes.colour import Colour  # few streams need it

                colour = Colour(stretch.blocks.grams, stretch.blocks.width, self.memory.faint)
            statistic = clearness(stretch.blocks, stretch.least, colour)
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


def prepare(
    channels: list[Channel],
    length: int,
    *,
    margin: int,
    alpha: float,
    confidence: float,
    seed: int,
    levels: bool = True,
) -> Search:
    """Make the channels of a stream of so many steps ready for the search; ``levels`` may be taken for changes."""
    forgotten, word = (
        memory(channels, margin if levels else length),
        3 * longest_word(length) if length > 255 else LEAST,
    )
    cells = cells_of(channels, length)
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
