"""Tables of text, CSV and its kin, or one value a line: read by Arrow as columns of strings."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.tabular.dialect import BLANKS, LINES, dialect_of, is_value, split
from shoal.tabular.table import ALONE, COMMENT, Table, TextSource, lines_below
from shoal.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.tabular.dialect import Dialect

HEAD = 1 << 20
"""Bytes by which the layout is found."""
BLOCK = 1 << 24
"""Bytes that Arrow reads at once; no row may be longer."""
MAX_STEP = 40
"""Characters of a single line that may be one step."""
_EMPTY_LINE = re.compile(rb"\n[ \t]*(?=\n)")
_QUOTE = rb'(?m)^"'
_QUOTED_LINE = rb'(?m)^"(?:[^"\n]|"")*"[ \t]*$'
_COMMENTS = re.compile(b"^" + COMMENT.pattern.encode() + b".*\\n?", re.MULTILINE)
_BLANKS = rb'"([^"\n]*)"|[ \t]+'
_DAY_AND_TIME = rb"(\d{4}-\d\d-\d\d) (?=\d\d:\d\d)"


def read_delimited(data: bytes, source: str, *, columns: Sequence[str] = (), header: bool | None = None) -> Table:
    """Read a table of text.

    Args:
        data: UTF-8 whose lines end with a line feed.
        source: What it is called in messages.
        columns: Names that are known to be in the header.
        header: Whether the first line names the columns; where it is None, its cells say so.

    Raises:
        DataError: A row has more or fewer cells than the others, or two readings are as good as each other.
    """
    text = _laid_out(data, source, columns, header)
    body = text.body
    if text.comments:
        body = _COMMENTS.sub(b"", body)
    body = body.rstrip() if text.dialect.width == 1 else body.rstrip(b"\n")
    if not body.strip():
        raise DataError(f"{source} holds no values: nothing stands below {', '.join(map(repr, text.dialect.names))}")
    rows = _without_empty_ends(_read(body, text), text)
    if rows.num_rows == 1 and text.dialect.header is None and (rows.num_columns > 1 or len(body) > MAX_STEP):
        cells = f"{rows.num_columns} cells" if rows.num_columns > 1 else f"{len(body)} characters"
        raise DataError(f"{source} holds one row of {cells}; give each step a line of its own")
    return Table(source=source, arrow=rows, notes=_notes(text, body, rows.num_rows), text=text)


def _laid_out(data: bytes, source: str, columns: Sequence[str], header: bool | None) -> TextSource:
    """The dialect of a table, and where its first row stands."""
    # Up to a line end: half a row would count as one with fewer cells.
    head = data if len(data) <= HEAD else data[: data.rfind(b"\n", 0, HEAD) + 1] or data
    lines = head.decode("utf-8").split("\n")
    rows = [k for k, line in enumerate(lines) if line.strip() and not COMMENT.match(line)]
    if rows and re.fullmatch(
        r"sep=.", lines[rows[0]].strip(), re.IGNORECASE
    ):  # the line by which a file names its delimiter to Excel
        rows = rows[1:]
    if not rows:  # all lines begin with #, so they are values
        rows = [k for k, line in enumerate(lines) if line.strip()]
    begin, kept = rows[0], [lines[k] for k in rows]
    dialect = dialect_of(kept, columns=columns, header=header)
    if dialect.header is not None:
        begin += _lines_of_first(lines[begin:], dialect)
    elif dialect.width == 1:  # blank lines right above the first value are steps
        while begin and not lines[begin - 1].strip():
            begin -= 1
    below = split(kept[dialect.header is not None :][:LINES], dialect.delimiter)
    valued = any(is_value(cell) for cells in below for cell in cells)
    comments = valued and b'"' not in data and _COMMENTS.search(lines_below(data, begin)) is not None
    return TextSource(source=source, whole=data, above=begin, dialect=dialect, comments=comments)


def _lines_of_first(lines: Sequence[str], dialect: Dialect) -> int:
    """How many lines the first record takes; a quoted name may hold a line end."""
    if dialect.delimiter in (None, BLANKS):
        return 1
    reader = csv.reader((line + "\n" for line in lines), delimiter=dialect.delimiter or ALONE)
    next(reader)
    return reader.line_num


def _read(body: bytes, text: TextSource) -> Any:
    """The rows as an Arrow table of strings."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    dialect, names = text.dialect, _checked_names(text)
    quoted = b'"' in body
    if dialect.delimiter == BLANKS:
        body, quoted = _with_tabs(body), False
    elif dialect.delimiter is None:
        quoted = quoted and not _open_quotes(body)
    strange: list[str] = []

    def handle(row: Any) -> str:
        # Arrow takes a blank line or a comment among rows for a row of another width, and shows each here.
        if not row.text.strip() or COMMENT.match(row.text):
            return "skip"
        strange.append(row.text)
        return "error"

    delimiter = {BLANKS: "\t", None: ALONE}.get(dialect.delimiter, dialect.delimiter)
    read = arrow_csv.ReadOptions(column_names=names, block_size=BLOCK)
    parse = arrow_csv.ParseOptions(
        delimiter=delimiter,
        quote_char='"' if quoted else False,
        # Where each line is one value, a quote that is never closed would otherwise take in all lines behind it.
        newlines_in_values=quoted and dialect.width > 1,
        ignore_empty_lines=dialect.width > 1,
        invalid_row_handler=handle,
    )
    # Arrow's own guess at types would lose how a number was written: 007, 1.10, a comma that may be decimal.
    convert = arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    try:
        table = arrow_csv.read_csv(pa.BufferReader(body), read, parse, convert)
    except pa.ArrowInvalid:
        if not strange:
            raise
        raise _unequal_row(text) from None
    # Arrow ends an unclosed quote at the end of the file without an error.
    if quoted and body.count(b'"') % 2 and table.num_rows and "\n" in "".join(_row(table, -1)):
        raise DataError(
            f"a quote that opens in {text.source} below line {_line(text, table.num_rows - 1)} is not closed"
        )
    return table


def _open_quotes(body: bytes) -> int:
    """Lines that begin with a quote and do not close it, as words of a text do; then quotes are letters."""
    return len(re.findall(_QUOTE, body)) - len(re.findall(_QUOTED_LINE, body))


def _checked_names(text: TextSource) -> list[str]:
    """The names of the columns.

    Raises:
        DataError: The header has more names than the rows have cells.
    """
    header, width = text.dialect.header or (), text.dialect.width
    if any(header[width:]):
        raise DataError(
            f"the header of {text.source} names {len(header)} columns ({', '.join(header)[:60]}), but most rows have "
            f"{width} cells"
        )
    return list(text.dialect.names)


def _with_tabs(body: bytes) -> bytes:
    """Runs of blanks as single tabs; a day and a time of day are one cell, and so is what stands in quotes."""
    body = re.sub(_DAY_AND_TIME, rb"\1T", body)
    body = re.sub(rb"^[ \t]+|[ \t]+$", b"", body, flags=re.MULTILINE)
    return re.sub(_BLANKS, lambda found: b"\t" if found[1] is None else found[1].replace(b"\t", b" "), body)


def _unequal_row(text: TextSource) -> DataError:
    """The fault of the first row that has other than the commonest number of cells."""
    width = text.dialect.width
    for number, cells in text.records():
        if len(cells) != width:
            return DataError(
                f"line {number} of {text.source} cannot be read: Expected {width} columns, got {len(cells)}: "
                f"{' '.join(cells)[:60]!r}"
            )
    return DataError(f"{text.source} has rows of different lengths")


def _without_empty_ends(table: Any, text: TextSource) -> Any:
    """A table without the nameless columns and the rows at its end that hold nothing, as a delimiter too many makes."""
    import pyarrow.compute as pc

    given = text.dialect.header or ()
    for place in reversed(range(table.num_columns)):
        nameless = place >= len(given) or not given[place]
        if place == 0 or not nameless or pc.max(pc.utf8_length(table.column(place))).as_py():
            break
        table = table.remove_column(place)
    if 0 < len(given) < table.num_columns and not text.dialect.row_names:
        raise _unequal_header(text, table.num_columns)
    rows = table.num_rows
    while text.dialect.width > 1 and rows and not any(_row(table, rows - 1)):
        rows -= 1
    return table.slice(0, rows)


def _unequal_header(text: TextSource, width: int) -> DataError:
    number, cells = next(text.records())
    counts = f"Expected {len(text.dialect.header or ())} columns, got {width}"
    return DataError(f"line {number} of {text.source} cannot be read: {counts}: {' '.join(cells)[:60]!r}")


def _row(table: Any, place: int) -> list[str]:
    """The cells of one row."""
    return [column[place].as_py() or "" for column in table.columns]


def _line(text: TextSource, row: int) -> int:
    """The line on which a row begins, counted from 1."""
    return next((number for k, (number, _) in enumerate(text.records()) if k == row), 0)


def _notes(text: TextSource, body: bytes, rows: int) -> list[str]:
    """What a reader of the answer must know of the rows and lines."""
    notes = []
    dialect = text.dialect
    if dialect.guessed:
        notes.append(f"the first line, {dialect.names[0]!r}, taken as the name of the column (--no-header: as a value)")
    blank = len(_EMPTY_LINE.findall(body)) + (not body.partition(b"\n")[0].strip())
    if blank and dialect.width == 1:
        notes.append(f"{plural(blank, 'blank line')} taken as missing steps")
    elif blank and b'"' not in body:
        notes.append(f"{plural(blank, 'blank line')} skipped")
    if dialect.width == 1 and b'"' in body and (quotes := _open_quotes(body)):
        notes.append(f"{quotes} lines begin with a quote that ends on none of them; quotes are read as they stand")
    if text.comments or text.whole.lstrip().startswith(b"#"):
        notes.append("lines that begin with # skipped")
    if body.count(b"\n") + 1 != rows or text.above > 1:
        notes.append(f"{rows} steps in {body.count(bytes([10])) + 1} lines; step 0 is line {_line(text, 0)}")
    return notes
