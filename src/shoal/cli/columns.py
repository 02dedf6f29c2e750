"""A stream from a table: which of its columns are the stream, and which one names the steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, UsageError
from shoal.tabular import Column, Table, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.changes import Stream

LIKELY = 8
"""From this number of rows on, numbers that rise at every row are a clock: by chance 1 in 40,000 tables would do so."""
_CLOCKS = """
    t time timestamp ts date datetime epoch step steps index idx iteration iter frame row sample
    year month day hour minute second seconds sec ms
"""
CLOCKS = frozenset(_CLOCKS.split())
"""Names under which numbers that never fall are a clock, even where they repeat."""
MANY_WORDS = 20
"""Up to this number of different words with digits in them are names, such as those of states."""
# In shorter columns it is a matter of chance whether a word comes again.
FEW = 10
"""From this number of rows on, a column of words must repeat a word."""


@dataclass(kw_only=True)
class Chosen:
    """The columns of a stream."""

    index: str | None
    """The column that names the steps."""
    names: list[str]
    """The columns that are the stream."""
    notes: list[str] = field(default_factory=list)
    """What was assumed."""


def read_stream(
    source: str, columns: Sequence[str] = (), *, index: str | None = None, header: bool | None = None
) -> tuple[Stream, list[str]]:
    """Read the stream of a file.

    Args:
        source: A path, or "-" for standard input.
        columns: Names of the columns that are the stream; where there are none, all columns of numbers, or the only
            column of text.
        index: The column that names the steps, or "none"; where it is None, a column of dates or a clock.
        header: Whether the first line names the columns; where it is None, its cells say so.

    Returns:
        The stream, and what was assumed to read it, one line each.

    Raises:
        DataError: The file is binary, empty, or has rows that cannot be read.
        UsageError: A column does not exist, or its name is ambiguous.
    """
    from shoal.changes import as_stream, joined

    wanted = [*columns, *([index] if index not in (None, "none") else [])]
    table = read_table(source, columns=wanted, header=header)
    unknown = [name for name in wanted if name not in table.names]
    if unknown:
        raise UsageError(
            f"{table.source} has no column {unknown[0]!r}; it has {', '.join(map(repr, table.names[:20]))}"
        )
    chosen = _choose(table, columns, index)
    held = [table.column(name) for name in chosen.names]
    _check(held)
    labels = None if chosen.index is None else _labels(table.column(chosen.index))
    first, *others = (as_stream(column.values, index=labels) for column in held)
    stream = joined([first, *others]) if others else first
    says = [f"column {column.name!r} read as numbers without {column.says}" for column in held if column.says]
    says += [f"column {column.name!r} read as words, {doubt}" for column in held if (doubt := _doubt(column))]
    if stream.length < len(held):
        says.append(f"{stream.length} rows of {len(held)} columns: each row is a step; transpose a table of other form")
    return (
        replace(stream, index=first.index, names=tuple(chosen.names)),
        [*table.notes, *chosen.notes, *says],
    )


def _choose(table: Table, columns: Sequence[str], index: str | None) -> Chosen:
    """The index and the columns that are the stream."""
    # Beside columns chosen by name the others can only be the index, so one that cannot be read is no error.
    others = [name for name in table.names if name not in columns and (not columns or _reads(table, name))]
    chosen = Chosen(index=None if index == "none" else index, names=list(columns))
    # Those that count come first: of a row number and a temperature that happens to rise, the row number is the clock.
    counters = [name for name in others if index != "none" and _counts(table, name)]
    clocks = counters + [name for name in others if index != "none" and name not in counters and _rises(table, name)]
    if index is None and len(table.names) > 1:
        chosen.index = _index_of(table, others, clocks)
        if chosen.index is not None:
            chosen.notes.append(f"column {chosen.index!r} taken as the index (--index none: as a part of the stream)")
    unsorted = [name for name in others if table.column(name).kind == "dates" and not _is_index(table.column(name))]
    chosen.notes += [f"column {name!r} begins again, so it names no steps" for name in unsorted if name != chosen.index]
    if columns:
        return chosen
    rest = [name for name in others if name != chosen.index and table.column(name).kind not in ("dates", "other")]
    empty = [name for name in rest if _is_empty(table.column(name))]
    if len(empty) < len(rest):
        chosen.notes += [f"column {name!r} holds no values and is left out" for name in empty]
        rest = [name for name in rest if name not in empty]
    numbers = [name for name in rest if table.column(name).kind == "numbers"]
    left = [name for name in rest if name in clocks]
    # A clock is left out only where another column can be the stream: a lone rising column is the data.
    if any(_tells(table.column(name)) for name in rest if name not in left):
        chosen.notes += [
            f"column {name!r} only {_way(table, name)} and is left out (--column takes it)" for name in left
        ]
        rest, numbers = ([name for name in names if name not in left] for names in (rest, numbers))
    chosen.names = numbers or rest
    chosen.notes += [
        f"column {name!r} holds no numbers and is left out (--column takes it)"
        for name in rest
        if name not in chosen.names
    ]
    if not chosen.names and (others := [name for name in others if table.column(name).kind == "other"]):
        _check([table.column(others[0])])
    if not chosen.names:
        raise DataError(f"{table.source} has dates only; a stream needs values too")
    if not numbers and len(rest) > 1:
        raise UsageError(f"{table.source} has the columns {', '.join(map(repr, rest))}; choose one with --column")
    return chosen


def _index_of(table: Table, others: Sequence[str], clocks: Sequence[str]) -> str | None:
    """The column that names the steps: the file's own, the first of dates, one that counts, a clock."""
    if table.index in others:
        return table.index
    dates = [name for name in others if table.column(name).kind == "dates" and _is_index(table.column(name))]
    if dates:
        return dates[0]
    for name in clocks:
        values = _numbers(table, name)
        if values[0] < values[-1] and any(_tells(table.column(one)) for one in table.names if one != name):
            return name
    return None


def _tells(column: Column) -> bool:
    """Whether a column may be a stream of its own: numbers, flags, or words that come again."""
    return column.kind in ("numbers", "flags") or (column.kind == "text" and not _differ(column.values))


def _is_empty(column: Column) -> bool:
    """Whether all values of a column are missing."""
    return all(value is None or value != value for value in column.values)


def _reads(table: Table, name: str) -> bool:
    """Whether a column that was not requested can be read."""
    try:
        table.column(name)
    except DataError:
        return False
    return True


def _is_index(column: Column) -> bool:
    """Whether a column of dates names the steps; times of day that begin again do not."""
    if not isinstance(column.values, list):
        return True
    known = [value for value in column.values if value is not None]
    return known == sorted(known)


def _numbers(table: Table, name: str) -> Any:
    """The floats of a column, None where it has none."""
    import numpy as np

    column = table.column(name)
    return column.values if column.kind == "numbers" and isinstance(column.values, np.ndarray) else None


def _way(table: Table, name: str) -> str:
    """Which way the numbers of a clock go."""
    values = _numbers(table, name)
    # The first and the last row may have none.
    known = values[values == values]
    return "rises" if known[0] < known[-1] else "falls"


def _counts(table: Table, name: str) -> bool:
    """Whether numbers go on by the same step from row to row, as row numbers, years and clocks do."""
    import numpy as np

    values = _numbers(table, name)
    if values is None or len(values) < 2 or not np.all(np.isfinite(values)):
        return False
    # Differences of numbers near the largest float are infinite, and no steps of a clock.
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.diff(values.astype(np.float64))
        if not np.isfinite(steps.sum()):
            return False
    if len(values) < LIKELY:
        # In a few rows anything may rise by equal steps: then only whole numbers in the first column are taken for a
        # clock.
        whole = bool(np.all(values == np.round(values)) and np.all(np.abs(values) < 2**53))
        return whole and name == table.names[0] and bool(steps[0] >= 1 and np.all(steps == steps[0]))
    # A clock in floats has steps that differ by rounding.
    return bool(steps[0] != 0 and np.allclose(steps, steps.mean(), rtol=1e-3, atol=0.0))


def _rises(table: Table, name: str) -> bool:
    """Whether numbers rise at each row, or never fall under the name of a clock."""
    import numpy as np

    values = _numbers(table, name)
    if values is None or len(values) < LIKELY:
        return False
    known = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    # Of a column that is mostly empty, what rises is a sample of something else and names no steps.
    if len(known) * 2 < len(values) or len(known) < LIKELY or not known[0] < known[-1]:
        return False
    named = name.strip().lower() in CLOCKS and bool(np.all(known[1:] >= known[:-1]))
    return named or bool(np.all(known[1:] > known[:-1]))


def _labels(column: Column) -> Any:
    """The labels of an index; whole numbers stay whole."""
    import numpy as np

    values = column.values
    if column.kind == "numbers" and isinstance(values, np.ndarray) and values.dtype.kind == "f":
        whole = np.all(np.isfinite(values)) and np.all(values == np.round(values)) and np.all(np.abs(values) <= 2**53)
        # Up to 2^53 a float holds every whole number, so that nothing is lost.
        return values.astype(np.int64) if whole else values
    return values


def _check(columns: Sequence[Column]) -> None:
    """Refuse columns that make no stream.

    Raises:
        DataError: They are not all of numbers, or one alone of words, or nearly all of the words differ.
    """
    for column in columns:
        if column.kind in ("dates", "other"):
            raise DataError(
                f"column {column.name!r} holds {column.says or 'dates'}; a stream is made of numbers or text"
            )
        if column.kind == "text" and len(columns) > 1:
            raise DataError(f"column {column.name!r} is no column of numbers; a stream of vectors needs numbers only")
        if column.kind == "text" and _differ(column.values):
            raise DataError(
                f"column {column.name!r} has no information: {len(set(column.values))} of its {len(column.values)} "
                f"values differ, such as {(column.values[0] or '')[:40]!r}; give numbers, words that come again, or "
                "another column with --column"
            )


def _doubt(column: Column) -> str:
    """Why words may be numbers that could not be read: many differ, and most have digits."""
    if column.kind != "text" or len(distinct := set(column.values) - {None}) <= MANY_WORDS:
        return ""
    with_digits = [word for word in distinct if any(map(str.isdigit, word))]
    if len(with_digits) * 2 <= len(distinct):
        return ""
    return f"{len(distinct)} different ones such as {with_digits[0][:40]!r}; if they are numbers, write them plainly"


def _differ(words: Sequence[str | None]) -> bool:
    """Whether nearly all words differ, so that nothing can be counted."""
    from shoal.changes import DIFFERENT

    return len(words) >= FEW and len(set(words)) > DIFFERENT * len(words)
