"""``shoal changes``: where a stream of numbers or symbols changes its law."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from shoal.cli.terminal import say

if TYPE_CHECKING:
    from shoal.changes import Changes, Stream


def changes(
    file: Annotated[str, Parameter(allow_leading_hyphen=True)] = "-",
    /,
    *,
    min_distance: float = 0.05,
    processes: int | None = None,
    column: tuple[str, ...] = (),
    index: str | None = None,
    header: bool | None = None,
    alpha: float = 0.05,
    confidence: float = 0.95,
    model: Literal["law", "levels", "slopes"] | None = None,
    difference: Annotated[int | bool, Parameter(negative="")] = False,
    deseason: int | None = None,
    seed: int = 0,
    plot: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Find where a stream of numbers, vectors or symbols changes its law.

    Parameters
    ----------
    file
        CSV, TSV, columns of blanks, one value a line, JSON lines or Parquet; "-" or nothing reads standard input.
    min_distance
        The least share of the stream between two changes, between 0 and 1.
    processes
        How many distinct processes the pieces come from; chosen by tests where it is not given.
    column
        The column that is the stream, given again for each further coordinate; all columns of numbers where it is not
        given.
    index
        The column that names the steps, or "none"; a column of dates or a clock where it is not given.
    header
        Whether the first line names the columns; told by its cells where it is not given.
    alpha
        The level of the tests: how often a stream without a change may be said to have one, at most 0.5.
    confidence
        The confidence of the sets of places, from 0.5.
    model
        What changes: anything ("law", by tests), the level of the values, or their slope, under noise with memory;
        chosen by the stream's memory where it is not given.
    difference
        Look for changes in the differences from one step to the next, or from each step to the one so many before it:
        a trend becomes a level, and a change of slope a change of level. Places remain those of the stream.
    deseason
        First take the median of each phase of a season of so many steps off, such as 12 for months.
    seed
        Seed of the resampling.
    plot
        Write a figure of the stream and its changes to this HTML file, which needs no network.
    as_json
        Print what was found as JSON on standard output.
    """
    from shoal.changes import change_points, check_settings, label_of, prepared
    from shoal.cli.columns import read_stream
    from shoal.cli.console import print_json
    from shoal.cli.files import check_target

    if plot is not None:
        check_target(plot)
    check_settings(min_distance=min_distance, process_count=processes, alpha=alpha, confidence=confidence)
    stream, notes = read_stream(file, column, index=index, header=header)
    lag = None if difference is False else int(difference)
    searched = prepared(stream, lag=lag, period=deseason)
    found = change_points(searched, min_distance, processes, alpha=alpha, confidence=confidence, model=model, seed=seed)
    for note in notes:
        say(f"shoal: {note}")
    if plot is not None:
        from shoal.cli.files import write_whole
        from shoal.reports import changes_page

        write_whole(plot, changes_page(file, stream, found, searched=searched))
        say(f"written to {plot}")
    if as_json:
        labels = {} if stream.index is None else {"index": [label_of(stream, place) for place in found.places]}
        steps = {"difference": lag, "deseason": deseason}
        print_json({"file": file, "columns": stream.names} | steps | found.to_dict() | labels)
    else:
        _print_table(file, searched, found)


def _print_table(file: str, stream: Stream, found: Changes) -> None:
    """Print one line a change, and the pieces between them."""
    from shoal.changes import headline, pieces_of, table_of

    print(headline(found, stream, "standard input" if file == "-" else file))
    head, rows = table_of(found, stream)
    if rows:
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        for row in [head, *rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        print(f"pieces: {pieces_of(found)}")
