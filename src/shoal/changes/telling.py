"""Changes in words: the rows of the table that a person reads, on a terminal or a page."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from shoal.changes.input import Stream
    from shoal.changes.result import Change, Changes

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
    """The pieces and their groups: ``A 0 to 1499, B 1500 to 4999``."""
    edges = [0, *sorted(found.places), found.length]
    pieces = zip(edges[:-1], edges[1:], found.processes, strict=True)
    return ", ".join(f"{group_name(group)} {start} to {stop - 1}" for start, stop, group in pieces)


def headline(found: Changes, stream: Stream, source: str) -> str:
    """One line on what was read and how much was found."""
    what = ", ".join(stream.names) or ("symbols" if stream.symbols is not None else "values")
    missing = 0 if stream.values is None else int(np.isnan(stream.values).sum())
    gaps = f", {missing} of them missing" if missing else ""
    count = len(found.changes)
    steps, changes = ("" if number == 1 else "s" for number in (found.length, count))
    return f"{source}: {found.length} step{steps} of {what}{gaps}: {count or 'no'} change{changes}"
