"""``shoal changes``: where a stream of numbers or symbols changes its distribution."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from shoal.cli.options import Json, Plot, Seed, Source
from shoal.cli.terminal import check_target, print_json, print_notice, write_whole


def changes(
    file: Source = "-",
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
    seed: Seed = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Find where a stream of numbers, vectors or symbols changes its distribution.

    Parameters
    ----------
    file
        CSV, TSV, columns separated by blanks, one value per line, JSON lines or Parquet. Default: standard input ("-").
    min_distance
        Smallest distance between two changes, as a share of the stream's length, between 0 and 1.
    processes
        Number of distinct processes that the pieces come from. Default: chosen by tests.
    column
        Column of the stream. Repeatable, one per coordinate. Default: all columns of numbers.
    index
        Column that names the steps, or "none". Default: a column of dates or a clock.
    header
        Whether the first line names the columns. Default: inferred from its cells.
    alpha
        Level of the tests: the share of streams without a change in which one is found, at most 0.5.
    confidence
        Confidence level of the sets of places, from 0.5.
    model
        What changes: any property of the distribution ("law", by permutation tests), the level of the values, or their
        slope, both under autocorrelated noise. Default: chosen by the stream's memory.
    difference
        Search the differences of successive steps, or of steps N apart: a trend becomes a level, and a change of slope
        a change of level. Places remain those of the stream.
    deseason
        Length of a season, such as 12 for months: the median of each phase is subtracted first.
    """
    from shoal.changes import change_points, changes_text, check_settings, preprocess, step_label
    from shoal.cli.columns import read_stream

    if plot is not None:
        check_target(plot)
    # Before the stream is read: a pipe can be read only once.
    check_settings(min_distance=min_distance, process_count=processes, alpha=alpha, confidence=confidence)
    stream, notes = read_stream(file, column, index=index, header=header)
    # ``--difference`` without a number is True, which is a lag of one step.
    lag = None if difference is False else int(difference)
    searched = preprocess(stream, lag=lag, period=deseason)
    found = change_points(searched, min_distance, processes, alpha=alpha, confidence=confidence, model=model, seed=seed)
    for note in notes:
        print_notice(f"shoal: {note}")
    if plot is not None:
        from shoal.reports import changes_page

        write_whole(plot, changes_page(file, stream, found, searched=searched))
        print_notice(f"written to {plot}")
    if as_json:
        labels = {} if stream.index is None else {"index": [step_label(stream, place) for place in found.places]}
        steps = {"difference": lag, "deseason": deseason}
        print_json({"file": file, "columns": stream.names} | steps | found.to_dict() | labels)
    else:
        print(changes_text(found, searched, "standard input" if file == "-" else file))
