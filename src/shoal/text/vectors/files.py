"""Files of word vectors in the text form of word2vec and of GloVe: a word and its numbers a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from shoal.errors import DataError
from shoal.files import whole_file
from shoal.text.vectors.wordvectors import WordVectors


def read_vector_file(file: str | Path, *, most: int | None = None) -> WordVectors:
    """Read a vector file; a first line of two numbers (word2vec's count and dimension) is passed over.

    Args:
        file: UTF-8 text.
        most: read this many words at most, which are usually the most frequent ones.

    Raises:
        DataError: a line whose numbers are missing, too many or no numbers; a word that comes twice; no word at all.
    """
    file = Path(file)
    words: dict[str, int] = {}
    rows: list[np.ndarray] = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            word, *numbers = line.rstrip().split(" ")
            if number == 1 and len(numbers) == 1 and word.isdigit() and numbers[0].isdigit():
                continue
            rows.append(_numbers(numbers, len(rows[0]) if rows else None, f"{file}, line {number}"))
            if word in words:
                raise DataError(f"{file}, line {number}: the word {word!r} comes a second time; keep one of them")
            words[word] = len(words)
            if len(words) == most:
                break
    if not rows:
        raise DataError(f"{file} holds no vectors; give a file with a word and its numbers a line")
    return WordVectors(words=tuple(words), matrix=np.stack(rows))


def write_vector_file(vectors: WordVectors, file: str | Path) -> None:
    """Write vectors in word2vec's text form; no half of a file is ever left."""
    file = Path(file)
    with whole_file(file) as partial, partial.open("w", encoding="utf-8") as out:
        out.write(f"{len(vectors.words)} {vectors.dimension}\n")
        for word, row in zip(vectors.words, vectors.matrix, strict=True):
            out.write(f"{word} {' '.join(f'{value:.6g}' for value in row)}\n")


def _numbers(texts: list[str], expected: int | None, where: str) -> np.ndarray:
    """A vector of the expected dimension."""
    try:
        values = np.array(texts, dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{where}: expected a word and numbers between blanks, not {' '.join(texts)[:60]!r}") from error
    if len(values) == 0 or expected not in {None, len(values)}:
        raise DataError(f"{where}: expected {expected or 'some'} numbers after the word, found {len(values)}")
    return values
