"""Renders changes: as text, as the rows of tables, and as a figure for print (matplotlib)."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.changes.validation import as_stream
from shoal.errors import DataError, MissingExtraError
from shoal.wording import aligned_rows

if TYPE_CHECKING:
    from shoal.changes.result import Change, Changes, CoordinateSummary, PieceSummary
    from shoal.changes.stream import Stream

COLOURS = ("#0067a3", "#b84a00", "#00795c", "#98377f", "#7a5f00", "#43567d")
"""Distinct with any common colour blindness, and dark enough for thin lines on paper."""

STEP = ", then "
"""Separates the values of a word."""


def step_label(stream: Stream, place: int) -> str:
    """The index at a step: a date, with the time where it is not midnight; the step itself where there is no index.

    Args:
        stream: its index names the steps.
        place: a step, counted from 0.
    """
    if stream.index is None:
        return str(place)
    text = str(stream.index[place])
    day, _, time = text.partition("T") if stream.index.dtype.kind == "M" else (text, "", "")
    if not time.strip("0:."):
        return day
    clock, _, fraction = time.partition(".")
    rest = fraction.rstrip("0")
    return f"{day} {clock}.{rest}" if rest else f"{day} {clock.removesuffix(':00')}"


def group_letter(group: int) -> str:
    """A letter for each of the first 26 groups of pieces, then numbers."""
    return ascii_uppercase[group] if group < len(ascii_uppercase) else str(group + 1)


def describe_change(change: Change, max_features: int = 1) -> str:
    """The words whose shares changed most, with their shares before and after.

    Args:
        change: a change.
        max_features: how many words are described, at most.
    """
    parts = [
        f"{shorten_word(feature.word)}: {feature.before:.1%} before, {feature.after:.1%} after"
        for feature in change.features[:max_features]
    ]
    return "; ".join(parts) or "no single word"


def shorten_word(word: str) -> str:
    """A long word as letters with their meaning: ``a b a b, with a = x in [0, 1], b = x in [1, 2]``."""
    letters = word.split(STEP)
    distinct = list(dict.fromkeys(letters))
    if len(letters) < 3 or len(distinct) > len(ascii_lowercase):
        return word
    spelled = " ".join(ascii_lowercase[distinct.index(letter)] for letter in letters)
    return f"{spelled}, with " + ", ".join(f"{ascii_lowercase[k]} = {letter}" for k, letter in enumerate(distinct))


def changes_table(found: Changes, stream: Stream, *, max_features: int = 1) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table of changes.

    Args:
        found: the changes of the stream.
        stream: its index names the steps.
        max_features: how many words describe each change, at most.
    """
    dated = stream.index is not None
    head = ["place", *(["index"] if dated else []), "confidence set", "p-value", "what changed"]
    rows = [
        [
            str(change.place),
            *([step_label(stream, change.place)] if dated else []),
            f"{change.low} to {change.high}",
            f"{change.p_value:.2g}",
            describe_change(change, max_features),
        ]
        for change in found.changes
    ]
    return head, rows


def describe_pieces(found: Changes) -> str:
    """The pieces, their groups and summaries: ``A 0 to 299 (mean 0.02, sd 1.01), B 300 to 599 (...)``."""
    edges = [0, *sorted(found.places), found.length]
    pieces = zip(edges[:-1], edges[1:], found.processes, strict=True)
    ranges = [f"{group_letter(group)} {start} to {stop - 1}" for start, stop, group in pieces]
    inside = [describe_piece(piece) for piece in found.pieces] or [""] * len(ranges)
    return ", ".join(f"{part} ({text})" if text else part for part, text in zip(ranges, inside, strict=True))


def describe_piece(piece: PieceSummary, max_parts: int = 3) -> str:
    """The summary of a piece: ``x mean 0.02, sd 1.01; y ...``, or ``a 75.0%, b 25.0%`` for symbols.

    Args:
        piece: the piece.
        max_parts: how many coordinates or symbols are described, at most.
    """
    if piece.symbols:
        return ", ".join(f"{part.symbol} {part.share:.1%}" for part in piece.symbols[:max_parts])
    return "; ".join(f"{part.name} {_mean(part)}".strip() for part in piece.coordinates[:max_parts])


def _mean(part: CoordinateSummary) -> str:
    if part.mean is None:
        return "no values"
    return f"mean {part.mean:.4g}" + ("" if part.sd is None else f", sd {part.sd:.4g}")


def pieces_table(found: Changes, stream: Stream) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of the table of pieces.

    Args:
        found: the changes of the stream.
        stream: its index names the steps.
    """
    rows = []
    for piece in found.pieces:
        steps = (step_label(stream, step) for step in (piece.start, piece.stop - 1))
        rows.append([group_letter(piece.process), *steps, describe_piece(piece, max_parts=8)])
    return ["piece", "from", "to", "what it is like"], rows


def changes_text(found: Changes, stream: Stream, source: str = "stream") -> str:
    """What ``shoal changes`` prints: a headline, one line per change, and the pieces between them.

    Args:
        found: the changes of the stream.
        stream: its index names the steps.
        source: what it was read from.
    """
    lines = [headline(found, stream, source)]
    head, rows = changes_table(found, stream)
    if rows:
        lines += aligned_rows([head, *rows])
        lines.append(f"pieces: {describe_pieces(found)}")
    return "\n".join(lines)


def headline(found: Changes, stream: Stream, source: str) -> str:
    """One line: the source, the number of steps, the names of the coordinates, the number of changes.

    Args:
        found: the changes of the stream.
        stream: the stream.
        source: what it was read from.
    """
    what = ", ".join(stream.names) or ("symbols" if stream.symbols is not None else "values")
    missing = 0 if stream.values is None else int(np.isnan(stream.values).sum())
    gaps = f", {missing} of them missing" if missing else ""
    count = len(found.changes)
    steps, changes = ("" if number == 1 else "s" for number in (found.length, count))
    of = "" if found.model == "law" else f" of {found.model.removesuffix('s')}"
    return f"{source}: {found.length} step{steps} of {what}{gaps}: {count or 'no'} change{changes}{of}"


def plot_changes(x: Any, found: Changes, *, title: str = "") -> Any:
    """Draw a stream, its changes, their confidence sets and the groups of its pieces.

    Args:
        x: the stream, as it was passed to the search.
        found: its changes.
        title: the title of the figure.

    Returns:
        A matplotlib ``Figure`` of its own (no window opens, no global state is touched): show it in a notebook, or save
        it with ``savefig``.

    Raises:
        MissingExtraError: matplotlib is not installed.
        DataError: the stream is not the one that was searched.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as fault:
        raise MissingExtraError("plot", "plot_changes()") from fault

    stream = as_stream(x)
    if stream.length != found.length:
        raise DataError(f"the stream has {stream.length} steps, but changes were sought in {found.length}")
    columns = stream.values if stream.values is not None else stream.symbols[:, None]  # type: ignore[index]
    # Labels of any type are no axis that matplotlib can draw.
    steps = range(found.length) if stream.index is None or stream.index.dtype.kind == "O" else stream.index
    drawing = Figure(figsize=(9.0, 1.0 + 1.9 * columns.shape[1]), layout="constrained")
    panels = drawing.subplots(columns.shape[1], 1, sharex=True, squeeze=False)[:, 0]
    edges = [0, *sorted(found.places), found.length]
    for place, (panel, column) in enumerate(zip(panels, columns.T, strict=True)):
        for start, stop, group in zip(edges[:-1], edges[1:], found.processes, strict=True):
            colour = COLOURS[group % len(COLOURS)]
            panel.plot(steps[start:stop], column[start:stop], color=colour, linewidth=0.8)
            if stream.values is not None:
                _draw_mean(panel, steps[start], steps[stop - 1], column[start:stop])
            if not place:
                middle = steps[(start + stop) // 2]
                panel.annotate(group_letter(group), (middle, 1.0), xycoords=("data", "axes fraction"), va="bottom")
        for change in found.changes:
            panel.axvspan(steps[change.low], steps[change.high], color="#98a2ae", alpha=0.35, linewidth=0)
            panel.axvline(steps[change.place], color="#1c2127", linewidth=1.0, linestyle=(0, (5, 3)))
        panel.set_ylabel(stream.names[place] if stream.names else "")
        panel.spines[["top", "right"]].set_visible(False)
    if stream.symbols is not None:
        panels[0].set_yticks(range(len(stream.alphabet)), stream.alphabet)
    if title:
        drawing.suptitle(title, x=0.0, ha="left")
    return drawing


def _draw_mean(panel: Any, first: Any, last: Any, values: Any) -> None:
    """The mean of a piece, and a band of one standard deviation around it, where it has two finite values."""
    held = values[np.isfinite(values)]
    if len(held) > 1:
        mean, spread = held.mean(), held.std(ddof=1)
        panel.fill_between([first, last], mean - spread, mean + spread, color="#1c2127", alpha=0.08, linewidth=0)
        panel.hlines(mean, first, last, color="#1c2127", linewidth=0.8)
