r"""Text of files as every reader here takes it: whole characters, plain line ends, no mark at the beginning.

UTF-8 is read, and UTF-16 and UTF-32 where the byte-order mark says so; anything else is refused with the line and the
byte at which it fails, since a guess would put wrong letters into a corpus silently. ``.gz`` files are read as what
they hold. Lines end at ``\n``, ``\r\n`` or ``\r`` alone: `str.splitlines` also cuts at U+2028 and others, which may
stand inside a line of JSON.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import math
import re
import sys
import zipfile
import zlib
from contextlib import contextmanager
from itertools import chain, pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from shoal.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Documents and answers are longer than Python's own limit of 131,072 characters in a cell; this is the largest that it
# takes on every system.
csv.field_size_limit(2**31 - 1)

ZIP_FAULTS = (OSError, EOFError, KeyError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What the standard library raises for a zip archive that is no archive, cut short, damaged, encrypted, or packed by a
method that it does not know."""

_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark begins alike
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Zeros show within a few kilobytes; counting those of a whole chunk would only cost time.
_HEAD = 1 << 12
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def decode_text(raw: bytes, where: str) -> str:
    """The text of some bytes, with plain line ends.

    Args:
        raw: the whole of a file.
        where: what it is called in an error.

    Raises:
        DataError: it is not UTF-8, and has no mark of another Unicode encoding.
    """
    return "".join(_decoded(io.BytesIO(raw), where))


def read_text(path: Path) -> str:
    """The text of a file; see `decode_text`.

    Raises:
        DataError: it cannot be read, or is no text.
    """
    return "".join(read_chunks(path))


def read_standard_input() -> bytes:
    """All that standard input holds.

    Raises:
        UsageError: it is closed.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed; name a file")
    return sys.stdin.buffer.read()


def read_lines_of(path: Path, *, unfinished: bool = False) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers from 1, without their ends; memory does not grow with their number.

    Args:
        path: the file.
        unfinished: see `read_chunks`.

    Raises:
        DataError: it cannot be read, or is no text.
    """
    return enumerate(split_chunks(read_chunks(path, unfinished=unfinished), "\n"), start=1)


def split_chunks(chunks: Iterable[str], end: str) -> Iterator[str]:
    """The parts of a text that comes in chunks, split at ``end``; linear however long a part is.

    Args:
        chunks: the text.
        end: what separates parts; it may span two chunks.
    """
    pending: list[str] = []
    tail = ""
    for chunk in chunks:
        *whole, rest = (tail + chunk).split(end)
        if whole:
            # Pieces of a part are joined once: adding each chunk to a string would take the square of the part's
            # length.
            yield "".join(pending) + whole[0]
            yield from whole[1:]
            pending = []
        cut = max(0, len(rest) - len(end) + 1)  # what is left may be the beginning of another end
        pending.append(rest[:cut])
        tail = rest[cut:]
    yield "".join(pending) + tail


def read_chunks(path: Path, *, unfinished: bool = False) -> Iterator[str]:
    """The text of a file in pieces of about a megabyte; see `decode_text`.

    Args:
        path: the file.
        unfinished: leave out the first bytes of a character with which the file ends, as a process leaves them that
            is killed, or finds the disk full, while it appends.

    Raises:
        DataError: it cannot be read, or is no text.
    """
    with open_bytes(path) as file:
        yield from _decoded(file, str(path), unfinished=unfinished)


def numbered_lines(text: str) -> list[tuple[int, str]]:
    """The lines of a text with their numbers from 1, those left out that hold white space alone."""
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def read_json_lines(path: Path, *, expected: str = "", unfinished: bool = False) -> Iterator[tuple[str, Any]]:
    """The values of a file of JSON lines, each with where it stands (``rows.jsonl, line 3``); blank lines are skipped.

    Args:
        path: a file of any encoding that `read_text` knows, ``.gz`` too; memory does not grow with its lines.
        expected: what a line should be, for the message on a broken one (``each line must be an object``).
        unfinished: leave out the beginning of an object without a line end, as a process leaves it that is killed
            while it appends to the file.

    Raises:
        DataError: the file cannot be read, is no text, or a line is no JSON.
    """
    # One line ahead: a line is the unfinished last one only where nothing follows it, not even an empty line.
    lines = read_lines_of(path, unfinished=unfinished)
    for (number, line), following in pairwise(chain(lines, [(0, None)])):
        if not line or not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            value = parse_json(line, where, expected=expected)
        except DataError:
            # A file of something else is not taken for one whose last line was torn, which is written anew.
            if unfinished and following[1] is None and line.startswith("{"):
                return
            raise
        yield where, value


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        DataError: the file cannot be read, is no text, or no JSON.
    """
    return parse_json(read_text(path), str(path))


def csv_rows(text: str) -> csv.DictReader[str]:
    """The rows of a CSV text by the names of its first line; a cell may be of any length.

    Args:
        text: the whole of it.
    """
    return csv.DictReader(io.StringIO(text, newline=""))


def parse_json(text: str, where: str, *, expected: str = "") -> Any:
    """The value that a JSON text stands for.

    Args:
        text: the whole of it.
        where: what it is called in an error.
        expected: what it should be, for the message.

    Raises:
        DataError: it is no JSON, nested deeper than Python reads, or has a number of thousands of digits.
    """
    hint = f"; {expected}" if expected else ""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise DataError(f"{where}: broken JSON at {line}place {error.colno} ({error.msg}){hint}") from error
    except ValueError as error:
        # Python refuses to convert more digits than that, since the time grows with their square.
        limit = sys.get_int_max_str_digits()
        raise DataError(f"{where}: JSON with a whole number of more than {limit:,} digits{hint}") from error
    except RecursionError as error:
        raise DataError(f"{where}: JSON nested too deeply{hint}") from error


def read_json_object(path: Path) -> dict[str, Any] | None:
    """The object of a JSON file in UTF-8; None where there is none that can be read.

    Args:
        path: a file that need not exist, or be what its name says.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def finite(value: Any) -> Any:
    """Plain values with None for each number that JSON does not have (NaN and the infinities).

    Args:
        value: what `json.dumps` takes.
    """
    if isinstance(value, dict):
        return {name: finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def json_line(row: Mapping[str, Any], where: str) -> str:
    """A row as a line of JSON, with its line end; a number that is not finite becomes null.

    Args:
        row: plain values; others, such as the dates and times of a Parquet file, become texts.
        where: what the row is called in an error.

    Raises:
        DataError: the row holds half of a surrogate pair.
    """
    line = json.dumps(finite(row), ensure_ascii=False, default=str)
    check_characters(line, where)
    return f"{line}\n"


def inner_suffix(path: Path) -> str:
    """The ending that says how a file is read: of ``rows.jsonl.gz`` it is ``.jsonl``."""
    return path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix


def check_characters(text: str, where: str) -> None:
    r"""Refuse half of a surrogate pair, which no file can hold and JSON can write (``"\ud83d"``).

    Args:
        text: any text.
        where: what it is called in an error.

    Raises:
        DataError: the text has one; the message says at which character.
    """
    half = _HALF_PAIR.search(text)
    if half is not None:
        raise DataError(
            f"{where}: character {half.start() + 1} is half of a surrogate pair ({half[0]!a}); write whole characters, "
            "or let `shoal corpus clean` put U+FFFD in its place"
        )


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, or what a ``.gz`` file holds.

    Raises:
        DataError: it cannot be read, now or while it is.
    """
    try:
        with path.open("rb") as file:
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if path.suffix == ".gz" else file
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} is not a whole .gz file ({error}); make or fetch it again") from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error


def _is_wide(head: bytes) -> bool:
    """Whether nearly all bytes of one parity are zero: Latin letters in units of two or four bytes, valid UTF-8 too."""
    return any(len(part) > 1 and part.count(0) > 0.9 * len(part) for part in (head[::2], head[1::2]))


def _decoded(file: IO[bytes], where: str, *, unfinished: bool = False) -> Iterator[str]:
    chunk = file.read(_CHUNK)
    encoding = next((name for mark, name in _MARKS if chunk.startswith(mark)), "utf-8")
    if encoding == "utf-8" and _is_wide(chunk[:_HEAD]):
        raise DataError(f"{where} looks like UTF-16 or UTF-32 without a byte-order mark; convert it to UTF-8 first")
    # It also holds back a carriage return at the end of a chunk, whose line feed may begin the next one.
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    done, line, line_start = 0, 1, 0
    while True:
        # Bytes of a character that the chunk before cut in two: the error's place counts from them.
        pending = decoder.getstate()[0]
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            if unfinished and not chunk:
                return
            raw = pending + chunk
            start = len(raw) - len(error.object) + error.start  # the decoder takes off a byte-order mark
            offset = done - len(pending) + start
            if not encoding.startswith("utf-8"):
                raise DataError(
                    f"{where} is not UTF-8, nor from byte {offset + 1} on the {encoding.upper()} that its first bytes "
                    "announce; save the file as UTF-8"
                ) from error
            ends = raw.count(b"\n", 0, start)
            place = start - raw.rfind(b"\n", 0, start) if ends else offset - line_start + 1
            raise DataError(
                f"{where}, line {line + ends}: byte 0x{raw[start]:02x} at place {place} of the line is not UTF-8; "
                "save the file as UTF-8"
            ) from error
        if not chunk:
            return
        if b"\n" in chunk:
            line += chunk.count(b"\n")
            line_start = done + chunk.rfind(b"\n") + 1
        done += len(chunk)
        chunk = file.read(_CHUNK)


def document_suffix(path: Path) -> str:
    """The ending that says how a file of documents is read, whatever it is compressed with."""
    inner = inner_suffix(path)
    return path.suffix if inner == ".parquet" else inner  # Parquet compresses by itself; pyarrow reads no .parquet.gz


def holds_rows(source: str | Path) -> bool:
    """Whether a file holds a document a row, so that it is not read as running text."""
    return document_suffix(Path(source)) in {".jsonl", ".parquet"}
