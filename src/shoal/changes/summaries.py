"""What each piece is like, and what changed between two of them.

A piece has the mean and spread of each coordinate, or the shares of the commonest symbols; a change has the words whose
shares changed most, in readable form.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.result import ChangedFeature, CoordinateSummary, PieceSummary, SymbolShare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes.ngrams import NgramTable
    from shoal.changes.quantization import QuantizedChannel
    from shoal.changes.stream import Stream

Array = np.ndarray[Any, Any]

MAX_COORDINATES = 8
"""Coordinates that are described at most."""
MOVED = 3.0
"""A coordinate has moved where its mean or its spread has, by this many standard errors."""
MAX_SYMBOLS = 5
"""Symbols of a piece that are described at most."""


def piece_summaries(stream: Stream, places: Sequence[int], processes: Sequence[int]) -> tuple[PieceSummary, ...]:
    """Describe the pieces of a stream.

    Of vectors only the coordinates are described that moved at some change, those that moved most first.

    Args:
        stream: the stream.
        places: its changes, in any order.
        processes: the group of each piece.
    """
    edges = [0, *sorted(places), stream.length]
    pieces = list(itertools.pairwise(edges))
    if stream.symbols is not None:
        inside = [((), _shares(stream.symbols[start:stop], stream.alphabet)) for start, stop in pieces]
    else:
        inside = [(coordinates, ()) for coordinates in zip(*_coordinates(stream, pieces), strict=True)]
    return tuple(
        PieceSummary(start=start, stop=stop, process=process, coordinates=coordinates, symbols=symbols)
        for (start, stop), process, (coordinates, symbols) in zip(pieces, processes, inside, strict=True)
    )


def _shares(symbols: Array, alphabet: tuple[str, ...]) -> tuple[SymbolShare, ...]:
    """The shares of the commonest symbols of a piece."""
    counts = np.bincount(symbols, minlength=len(alphabet))
    common = np.argsort(-counts, kind="stable")[:MAX_SYMBOLS]
    return tuple(
        SymbolShare(symbol=alphabet[code], share=float(counts[code] / len(symbols))) for code in common if counts[code]
    )


def _coordinates(stream: Stream, pieces: list[tuple[int, int]]) -> list[list[CoordinateSummary]]:
    """For each coordinate that is described what each piece is like."""
    assert stream.values is not None
    width = stream.values.shape[1]
    names = stream.names or (("",) if width == 1 else tuple(f"x{place}" for place in range(width)))
    columns = zip(stream.values.T, names, strict=True)
    rows = [[_described(column[start:stop], name) for start, stop in pieces] for column, name in columns]
    if len(pieces) == 1 or width == 1:
        return rows[:MAX_COORDINATES]
    moves = [max(_move(*pair) for pair in itertools.pairwise(row)) for row in rows]
    order = np.argsort(-np.array(moves), kind="stable").tolist()
    moved = [place for place in order[:MAX_COORDINATES] if moves[place] >= MOVED]
    return [rows[place] for place in moved or order[:1]]


def _described(values: Array, name: str) -> CoordinateSummary:
    """Mean and standard deviation of the finite values."""
    finite = values[np.isfinite(values)]
    # Sums of numbers near the largest float overflow; those of their shares of the largest one do not.
    with np.errstate(over="ignore", invalid="ignore"):
        largest = float(np.abs(finite).max()) if len(finite) else 0.0
        scale = 1.0 if np.isfinite(float(np.square(largest)) * max(len(finite), 1)) else largest
        mean = _finite((finite / scale).mean() * scale) if len(finite) else None
        sd = _finite((finite / scale).std(ddof=1) * scale) if len(finite) > 1 else None
    return CoordinateSummary(name=name, mean=mean, sd=sd, count=len(finite))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _move(before: CoordinateSummary, after: CoordinateSummary) -> float:
    """How many standard errors mean or spread moved; infinite where a constant became another."""
    if before.mean is None or after.mean is None or before.sd is None or after.sd is None:
        return 0.0
    error = np.hypot(before.sd / before.count**0.5, after.sd / after.count**0.5)
    of_mean = _ratio(abs(before.mean - after.mean), error)
    if min(before.sd, after.sd) == 0.0:
        return max(of_mean, 0.0 if before.sd == after.sd else np.inf)
    # The logarithm of a standard deviation from n values has a standard error of about sqrt(1 / 2n).
    of_spread = abs(np.log(before.sd / after.sd)) / np.sqrt(0.5 / before.count + 0.5 / after.count)
    return max(of_mean, float(of_spread))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else (np.inf if part else 0.0)


MAX_FEATURES = 4
"""Words that are shown for a change."""


def top_changed_features(
    channels: list[QuantizedChannel], cells: list[NgramTable], pieces: tuple[int, int, int]
) -> tuple[ChangedFeature, ...]:
    """The words with the clearest move of their share, at most one from a cell.

    Args:
        channels: the channels of the stream.
        cells: the cells of the statistic.
        pieces: where the piece before starts, where the change is, where the piece after ends.
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
        for clear, cell, word, before, after in found[:MAX_FEATURES]
        if clear > 0.0
    )


def _text(channels: list[QuantizedChannel], cell: NgramTable, word: int) -> str:
    """A word in the data's units."""
    mask = (1 << cell.digits) - 1
    symbols = len(cell.channels) * cell.length
    parts = [(word >> (cell.digits * (symbols - 1 - place))) & mask for place in range(symbols)]
    of = [cell.channels[place] if cell.length == 1 else cell.channels[0] for place in range(symbols)]
    joint = len(cell.channels) > 1
    return (" and " if joint else ", then ").join(
        _symbol(channels[place], cell.digits, part) for place, part in zip(of, parts, strict=True)
    )


def _symbol(channel: QuantizedChannel, digits: int, symbol: int) -> str:
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
