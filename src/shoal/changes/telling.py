"""Changes in words: the rows of the table that a person reads, on a terminal or a page."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.input import Stream
    from shoal.changes.result import Change, Changes, CoordinateSummary, PieceSummary

STEP = ", then "
"""What stands between the values of a word."""


def label_of(stream: Stream, place: int) -> str:
    """The index at a step: a date, with the time where it is not midnight; the step itself where there is no index."""
    if stream.index is None:
        return str(place)
    text = str(stream.index[place])
    day, _, time = text.partition("T") if stream.index.dtype.kind == "M" else (text, "", "")
    return f"{day} {time.partition('.')[0].removesuffix(':00')}" if time.strip("0:.") else day


def group_name(group: int) -> str:
    """A letter for each of the first 26 groups of pieces, then numbers."""
    return ascii_uppercase[group] if group < len(ascii_uppercase) else str(group + 1)


def said_of(change: Change, most: int = 1) -> str:
    """What changed, as the words that moved most and their shares before and after."""
    parts = [
        f"{shortened(moved.word)}: {moved.before:.1%} before, {moved.after:.1%} after" for moved in change.what[:most]
    ]
    return "; ".join(parts) or "no single word"


def shortened(word: str) -> str:
    """A long word as letters with their meaning: ``a b a b, with a = x in [0, 1], b = x in [1, 2]``."""
    letters = word.split(STEP)
    distinct = list(dict.fromkeys(letters))
    if len(letters) < 3 or len(distinct) > len(ascii_lowercase):
        return word
    spelled = " ".join(ascii_lowercase[distinct.index(letter)] for letter in letters)
    return f"{spelled}, with " + ", ".join(f"{ascii_lowercase[k]} = {letter}" for k, letter in enumerate(distinct))


def table_of(found: Changes, stream: Stream, *, most: int = 1) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table of changes.

    Args:
        found: What was found in the stream.
        stream: Its index names the steps.
        most: How many words a row tells.
    """
    dated = stream.index is not None
    head = ["place", *(["index"] if dated else []), "confidence set", "p-value", "what changed"]
    rows = [
        [
            str(change.place),
            *([label_of(stream, change.place)] if dated else []),
            f"{change.low} to {change.high}",
            f"{change.p_value:.2g}",
            said_of(change, most),
        ]
        for change in found.changes
    ]
    return head, rows


def pieces_of(found: Changes) -> str:
    """The pieces, their groups and what they are like: ``A 0 to 299 (mean 0.02, sd 1.01), B 300 to 599 (...)``."""
    edges = [0, *sorted(found.places), found.length]
    pieces = zip(edges[:-1], edges[1:], found.processes, strict=True)
    ranges = [f"{group_name(group)} {start} to {stop - 1}" for start, stop, group in pieces]
    inside = [described(piece) for piece in found.pieces] or [""] * len(ranges)
    return ", ".join(f"{part} ({said})" if said else part for part, said in zip(ranges, inside, strict=True))


def described(piece: PieceSummary, most: int = 3) -> str:
    """What a piece is like: ``x mean 0.02, sd 1.01; y ...``, or ``a 75.0%, b 25.0%`` for symbols.

    Args:
        piece: The piece.
        most: How many coordinates or symbols are told.
    """
    if piece.symbols:
        return ", ".join(f"{part.symbol} {part.share:.1%}" for part in piece.symbols[:most])
    return "; ".join(f"{part.name} {_mean(part)}".strip() for part in piece.coordinates[:most])


def _mean(part: CoordinateSummary) -> str:
    if part.mean is None:
        return "no values"
    return f"mean {part.mean:.4g}" + ("" if part.sd is None else f", sd {part.sd:.4g}")


def pieces_table(found: Changes, stream: Stream) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table of pieces.

    Args:
        found: What was found in the stream.
        stream: Its index names the steps.
    """
    rows = []
    for piece in found.pieces:
        steps = (label_of(stream, step) for step in (piece.start, piece.stop - 1))
        rows.append([group_name(piece.process), *steps, described(piece, most=8)])
    return ["piece", "from", "to", "what it is like"], rows


def headline(found: Changes, stream: Stream, source: str) -> str:
    """One line on what was read and how much was found."""
    what = ", ".join(stream.names) or ("symbols" if stream.symbols is not None else "values")
    missing = 0 if stream.values is None else int(np.isnan(stream.values).sum())
    gaps = f", {missing} of them missing" if missing else ""
    count = len(found.changes)
    steps, changes = ("" if number == 1 else "s" for number in (found.length, count))
    of = "" if found.model == "law" else f" of {found.model.removesuffix('s')}"
    return f"{source}: {found.length} step{steps} of {what}{gaps}: {count or 'no'} change{changes}{of}"
