"""What changed: the words whose shares moved most between two pieces, in words that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.result import ChangedFeature

if TYPE_CHECKING:
    from shoal.changes.channels import Channel
    from shoal.changes.words import Cell

Array = np.ndarray[Any, Any]

SHOWN = 4
"""Words that are shown for a change."""


def moved_most(channels: list[Channel], cells: list[Cell], pieces: tuple[int, int, int]) -> tuple[ChangedFeature, ...]:
    """The words with the clearest move of their share, at most one from a cell.

    Args:
        channels: The channels of the stream.
        cells: The cells of the statistic.
        pieces: Where the piece before starts, where the change is, where the piece after ends.
    """
    start, place, end = pieces
    found = []
    for cell in cells:
        sides = ((start, place), (place, end))
        before, after = (np.bincount(cell.counted(a, b), minlength=cell.size) for a, b in sides)
        if not before.any() or not after.any():
            continue
        first, second = before / before.sum(), after / after.sum()
        pooled = (before + after) / (before.sum() + after.sum())
        spread = np.sqrt(np.maximum(pooled * (1.0 - pooled), 1e-12))
        clear = np.abs(first - second) / np.where(pooled > 0, spread, 1.0)
        word = int(clear.argmax())
        found.append((float(clear[word]), cell, word, float(first[word]), float(second[word])))
    # A long word is worth its length only where it is that much clearer.
    found.sort(key=lambda row: -row[0] / (row[1].length * len(row[1].channels)) ** 0.5)
    return tuple(
        ChangedFeature(
            cell=(1 << cell.digits, cell.length), word=_text(channels, cell, word), before=before, after=after
        )
        for clear, cell, word, before, after in found[:SHOWN]
        if clear > 0.0
    )


def _text(channels: list[Channel], cell: Cell, word: int) -> str:
    """A word in the data's units."""
    mask = (1 << cell.digits) - 1
    symbols = len(cell.channels) * cell.length
    parts = [(word >> (cell.digits * (symbols - 1 - place))) & mask for place in range(symbols)]
    of = [cell.channels[place] if cell.length == 1 else cell.channels[0] for place in range(symbols)]
    joint = len(cell.channels) > 1
    return (" and " if joint else ", then ").join(
        _symbol(channels[place], cell.digits, part) for place, part in zip(of, parts, strict=True)
    )


def _symbol(channel: Channel, digits: int, symbol: int) -> str:
    """One symbol: a range of numbers, or the symbols that it stands for."""
    width = 1 << (channel.depth - digits)
    finest = slice(symbol * width, (symbol + 1) * width)
    if channel.held:
        held = [repr(symbol) for symbols in channel.held[finest] for symbol in symbols]
        more = f" or {len(held) - 3} more" if len(held) > 3 else ""
        return f"{channel.name} {' or '.join(held[:3])}{more}".strip()
    assert channel.bounds is not None
    bounds = channel.bounds[finest]
    filled = bounds[~np.isnan(bounds[:, 0])]
    name = channel.name or "x"
    if not len(filled):
        return f"{name} missing"
    low, high = filled[0, 0], filled[-1, 1]
    return f"{name} = {low:.4g}" if low == high else f"{name} in [{low:.4g}, {high:.4g}]"
