"""Word vectors, and their files: the text forms of word2vec, GloVe and fastText, and word2vec's binary form.

A line of text is a word and its numbers. A word may hold blanks (``. . .``, ``New York``), so numbers are counted from
the end: as many as the header says, or as stand at the end of most of the first lines.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, MissingExtraError, UsageError
from shoal.files import atomic_file
from shoal.textfiles import open_bytes, read_lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt
    from numpy.typing import NDArray

_HEADER = re.compile(r"[ \t]*([0-9]+)[ \t]+([0-9]+)[ \t\r]*")  # no other white space: U+0085 is a word of GloVe's
_DECIMAL = re.compile(r" -?\d*\.\d+(?:[eE][-+]?\d+)?$")
"""At the end of a word: one number too many (``route 66`` is a word)."""

_FIRST_LINES = 100
_HEAD = 1 << 12
_DEFLATE = 1032
"""DEFLATE compresses by no more than this factor (zlib's technical details), so a header that promises more lies."""
_FASTTEXT = bytes.fromhex("ba164f2f")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordVectors:
    """One vector per word."""

    words: tuple[str, ...]
    matrix: npt.NDArray[np.float32]
    """V by D, a row per word."""

    places: dict[str, int] = field(init=False, repr=False)
    """The row of each word."""

    def __post_init__(self) -> None:
        if len(self.words) != len(self.matrix):
            raise DataError(f"{len(self.words)} words need as many vectors, not {len(self.matrix)}")
        if not np.isfinite(self.matrix).all():
            raise DataError("the vectors hold numbers that are not finite; train with a smaller rate")
        object.__setattr__(self, "places", {word: place for place, word in enumerate(self.words)})

    @property
    def dimension(self) -> int:
        """Numbers per vector."""
        return int(self.matrix.shape[1])

    def unit(self) -> npt.NDArray[np.float32]:
        """The vectors at length 1 (V × D); a vector of zeros stays one."""
        lengths = np.linalg.norm(self.matrix, axis=1, keepdims=True)
        return (self.matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def read_vector_file(file: str | Path, *, max_words: int | None = None) -> WordVectors:
    """Read a vector file, ``.gz`` or not; word2vec's binary form is known by its bytes.

    Args:
        file: UTF-8 text, with word2vec's header (count and dimension) or without, or word2vec's binary form.
        max_words: read this many words at most, which are usually the most frequent ones.

    Raises:
        DataError: no text and no word2vec; a line whose numbers are missing, too many or not finite; a word that comes
            twice; fewer words than the header says, as in a download that was cut; no word at all.
        UsageError: less than one word is to be read.
        MissingExtraError: a binary file, and gensim is not installed.
    """
    if max_words is not None and max_words < 1:
        raise UsageError(f"max_words is {max_words}; give at least 1, or None to read all words")
    file = Path(file)
    with open_bytes(file) as opened:
        head = opened.read(_HEAD)
    if head.startswith(_FASTTEXT):
        raise DataError(f"{file} is a model of fastText; give the text file of its vectors (.vec)")
    return _read_binary(file, max_words) if _is_binary(head) else _read_text(file, max_words)


def _is_binary(head: bytes) -> bool:
    """Whether a header is followed by what is no text."""
    first, _, rest = head.partition(b"\n")
    if not _HEADER.fullmatch(first.decode("ascii", "replace")):
        return False
    try:
        rest.decode()
    except UnicodeDecodeError as error:
        if error.start < len(rest) - 4:  # else the head ends within a character
            return not re.match(rb"[^\n]*?(?:[ \t]-?\d[\d.eE+-]*)+[ \t\r]*\n", rest)
    return any(byte < 9 for byte in rest)


def _read_binary(file: Path, max_words: int | None) -> WordVectors:
    """word2vec's binary form, by gensim."""
    try:
        from gensim.models import KeyedVectors
    except ImportError as error:
        raise MissingExtraError("vectors", "reading word2vec's binary form") from error
    _check_size(file)
    try:
        found = KeyedVectors.load_word2vec_format(str(file), binary=True, limit=max_words)
    except (EOFError, ValueError) as error:
        reason = "a download that was cut?" if isinstance(error, EOFError) else str(error)
        raise DataError(f"{file} is not a whole file of word2vec's binary form ({reason})") from error
    if None in found.index_to_key:  # what gensim leaves in the place of a word that it has already
        raise DataError(f"{file}: a word comes a second time; keep one of them")
    matrix = np.asarray(found.vectors, dtype=np.float32)
    if not np.isfinite(matrix).all():
        word = found.index_to_key[int(np.flatnonzero(~np.isfinite(matrix).all(axis=1))[0])]
        raise DataError(f"{file}: the vector of {word!r} holds what is no finite number")
    return WordVectors(words=tuple(found.index_to_key), matrix=matrix)


def _check_size(file: Path) -> None:
    """Refuse a binary file that cannot hold what its header says, before room is made for it."""
    with open_bytes(file) as opened:
        words, dimension = map(int, opened.readline(_HEAD).split())
    size = file.stat().st_size * (_DEFLATE if file.suffix == ".gz" else 1)
    # Four bytes per number, and one at least for a word's end.
    if words * (4 * dimension + 1) > size:
        raise DataError(
            f"{file} is not a whole file of word2vec's binary form: {words} words of {dimension} numbers do not fit "
            "into it; was a download cut?"
        )


def _read_text(file: Path, max_words: int | None) -> WordVectors:
    lines = ((number, line.rstrip(" \t\r")) for number, line in read_lines_of(file))
    lines = ((number, line) for number, line in lines if line)
    first = list(islice(lines, _FIRST_LINES))
    header = _HEADER.fullmatch(first[0][1]) if first else None
    expected = int(header[1]) if header else None
    if header:
        dimension, first = int(header[2]), first[1:]
    else:
        counts = Counter(_numbers_at_end(line) for _, line in first)
        dimension = max(counts, key=lambda count: (counts[count], count), default=0)
    words: dict[str, int] = {}
    rows: list[NDArray[Any]] = []
    for number, word, row in _rows(file, chain(first, lines), dimension):
        if word in words:
            raise DataError(f"{file}, line {number}: the word {word!r} comes a second time; keep one of them")
        words[word] = len(words)
        rows.append(row)
        if len(words) == max_words:
            break
    if not rows:
        raise DataError(f"{file} holds no vectors; give a file with a word and its numbers a line")
    if expected is not None and len(words) != expected and len(words) != max_words:
        raise DataError(f"{file} holds {len(words)} words and its header says {expected}; was a download cut?")
    return WordVectors(words=tuple(words), matrix=np.stack(rows))


def _numbers_at_end(line: str) -> int:
    """How many numbers stand at the end of a line, the first part of which is a word whatever it looks like."""
    count = 0
    for part in reversed(re.split(r"[ \t]", line)[1:]):
        try:
            float(part)
        except ValueError:
            break
        count += 1
    return count


def _rows(file: Path, lines: Iterable[tuple[int, str]], dimension: int) -> Iterator[tuple[int, str, NDArray[Any]]]:
    """The number, the word and the vector of each line."""
    for number, line in lines:
        word, *texts = re.split(r"[ \t]", line) if dimension == 0 else line.replace("\t", " ").rsplit(" ", dimension)
        where = f"{file}, line {number}"
        if not word.strip(" ") or len(texts) != dimension or dimension == 0 or _DECIMAL.search(word):
            raise DataError(f"{where}: expected a word and {dimension or 'some'} numbers, found {line[:60]!r}")
        try:
            with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused below
                row = np.array(texts, dtype=np.float32)
        except ValueError as error:
            raise DataError(f"{where}: expected {dimension} numbers after the word, found {line[:60]!r}") from error
        if not np.isfinite(row).all():
            raise DataError(f"{where}: the vector of {word!r} holds what is no finite number")
        yield number, word, row


def write_vector_file(vectors: WordVectors, file: str | Path) -> None:
    """Write vectors in word2vec's text form, atomically.

    Args:
        vectors: the words with their vectors; six digits of each number are written.
        file: the file to write.
    """
    file = Path(file)
    with atomic_file(file) as partial, partial.open("w", encoding="utf-8") as out:
        out.write(f"{len(vectors.words)} {vectors.dimension}\n")
        for word, row in zip(vectors.words, vectors.matrix, strict=True):
            out.write(f"{word} {' '.join(f'{value:.6g}' for value in row)}\n")
