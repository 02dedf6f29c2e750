"""The search: split where a stretch is clearest, find the exact place, go on inside the two parts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from shoal.changes.blocks import cut
from shoal.changes.channels import channels_of
from shoal.changes.dependence import memory
from shoal.changes.likelihood import digits_of
from shoal.changes.locate import locate
from shoal.changes.permuting import clearest, p_value
from shoal.changes.shuffling import Shuffler
from shoal.changes.words import cells_of, longest_word

if TYPE_CHECKING:
    from shoal.changes.blocks import Blocks
    from shoal.changes.channels import Channel
    from shoal.changes.input import Stream
    from shoal.changes.likelihood import Order
    from shoal.changes.permuting import Split
    from shoal.changes.words import Cell

BLOCKS = 64
"""Blocks of a stretch at most."""
OWN_SHARE = 0.9
"""What a stretch keeps of its level; its parts share the rest."""
FEWEST = 8
"""Blocks as long as the memory that a part must hold: fewer have too few orders to tell anything."""
CLEAR = 4.0
"""A score above which a stretch is split where groups, not p-values, decide in the end."""


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
    """The length of the blocks of a test: the stream's memory, and three of its longest words."""
    brief: int
    """The same with two words, for the parts of a stretch, whose tests ask for more."""
    level: float
    """The level of the tests."""
    shuffler: Shuffler
    """What permutations are drawn from."""

    whole: dict[tuple[int, int, int], Stretch]
    """The whole stream as a stretch, by its number of blocks; it is asked for again where there is one change."""

    p_values: dict[tuple[int, int, int, float], float]
    """Those of the stretches tested, by start, end, number of blocks and level: asked again, an answer is the same."""

    def stretch(self, start: int, end: int, *, shortest: int = 1) -> Stretch:
        """A stretch of the stream in blocks, with its clearest split.

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

    def p_value(self, stretch: Stretch, level: float) -> float:
        """The p-value of the clearest split of a stretch, exact enough to be held against a level."""
        if stretch.split is None:
            return 1.0
        key = stretch.start, stretch.end, stretch.blocks.count, level
        if key not in self.p_values:
            score = stretch.split.score
            self.p_values[key] = p_value(stretch.blocks, stretch.least, score, self.shuffler, level=level)
        return self.p_values[key]


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
        brief=max(forgotten, 2 * word),
        level=level,
        shuffler=Shuffler(seed),
        whole={},
        p_values={},
    )


def tested_places(search: Search) -> list[int]:
    """Places of splits that the test finds, each stretch tested with its share of the level."""
    places: list[int] = []
    waiting = [(0, search.length)]
    while waiting:
        start, end = waiting.pop()
        split = _tested_split(search, start, end)
        if split is None:
            continue
        place = exact(search, split)
        places.append(place)
        waiting += [(start, place), (place, end)]
    return sorted(places)


def _tested_split(search: Search, start: int, end: int) -> Split | None:
    """The split of a stretch that its test believes, or else the surest of those that its parts' tests believe.

    Where a stretch has many changes, they are noise to each other; a part of it has few.
    """
    share = search.level * (end - start) / search.length
    parts = _parts(start, end, max(4 * search.margin, FEWEST * search.brief))
    own = share * (OWN_SHARE if parts else 1.0)
    whole = search.stretch(start, end, shortest=search.memory)
    if search.p_value(whole, own) <= own:
        return whole.split
    each = (share - own) / max(1, len(parts))
    shorter = [search.stretch(*part, shortest=search.brief) for part in parts]
    found = [(search.p_value(part, each), part.split) for part in shorter]
    surest, split = min(found, key=lambda one: one[0], default=(1.0, None))
    return split if surest <= each else None


def _parts(start: int, end: int, narrowest: int) -> list[tuple[int, int]]:
    """Halves and quarters of a stretch, each next one begun in the middle of the one before; none below a width."""
    parts = []
    for width in ((end - start) // 2, (end - start) // 4):
        if width >= narrowest:
            first = range(start, end - width - width // 4, width // 2)
            parts += [(one, one + width) for one in first] + [(end - width, end)]
    return parts


def believed_places(search: Search, places: list[int]) -> list[int]:
    """The places that the test still finds between their neighbours; the least believable goes first.

    A place that was found in a wide stretch may owe its p-value to a change that has a place of its own by now.
    """
    while True:
        edges = [0, *places, search.length]
        found = [
            search.p_value(search.stretch(start, end, shortest=search.memory), search.level)
            for start, end in zip(edges, edges[2:], strict=False)
        ]
        if max(found, default=0.0) <= search.level:
            return places
        weakest = found.index(max(found))
        places = places[:weakest] + places[weakest + 1 :]


def clear_places(search: Search, least: int) -> list[int]:
    """Places of splits with a score above `CLEAR`, or the ``least`` clearest: more than there may be changes."""
    places: list[int] = []
    waiting = _splits(search, (0, search.length))
    while waiting:
        (start, end), split = max(waiting, key=lambda one: one[1].score)
        if split.score < CLEAR and len(places) >= least:
            break
        waiting.remove(((start, end), split))
        places.append(exact(search, split))
        waiting += _splits(search, (start, places[-1]), (places[-1], end))
    return sorted(places)


def _splits(search: Search, *stretches: tuple[int, int]) -> list[tuple[tuple[int, int], Split]]:
    """Stretches with the clearest split of each; where that is not clear, with the clearest one of its parts."""
    found = []
    for start, end in stretches:
        seen = [search.stretch(start, end)]
        if _score(seen[0]) < CLEAR:
            seen += [search.stretch(*part) for part in _parts(start, end, 4 * search.margin)]
        split = max(seen, key=_score).split
        if split is not None:
            found.append(((start, end), split))
    return found


def least_clear(search: Search, places: list[int]) -> int:
    """The place whose two neighbouring pieces differ least clearly."""
    edges = [0, *places, search.length]
    found = {
        place: _score(search.stretch(start, end)) for start, place, end in zip(edges, places, edges[2:], strict=False)
    }
    return min(found, key=lambda place: found[place])


def exact(search: Search, split: Split) -> int:
    """The place of a split by likelihood, inside the window in which it is clearest; exact enough to go on from."""
    margin = min(search.margin, (split.window[1] - split.window[0]) // 2)
    found = locate(search.digits, split.window, split.place, margin=margin, level=search.level, rounds=1)
    return found.place


def _score(stretch: Stretch) -> float:
    return stretch.split.score if stretch.split else -math.inf
