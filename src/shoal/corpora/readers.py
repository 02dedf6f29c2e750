"""Readers of the public sets that small language models are trained on; each gives a list of documents.

The folders are as their publishers give them: text files, or a zip archive of them, with `<|endoftext|>` between
the stories where the set has it.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from shoal.errors import DataError
from shoal.textfiles import decode_text, read_text

STORY_END = "<|endoftext|>"

_BOOK_ROW = re.compile(
    r"^\| (?P<file>[^|]+\.txt) \|(?:[^|]*\|)*? (?P<sentence>\d+\.\d) \| (?P<known>\d\.\d+) \|$", re.MULTILINE
)


def read_stories(file: str | Path) -> list[str]:
    """The stories of a text file with `<|endoftext|>` between them; the last one is left out if it is cut short.

    Raises:
        DataError: the file cannot be read as UTF-8 text.
    """
    file = Path(file)
    *whole, rest = read_text(file).split(STORY_END)
    return [story for story in map(str.strip, whole) if story] + ([rest.strip()] if _is_finished(rest) else [])


def read_zipped_stories(archive: str | Path) -> list[str]:
    """The stories of all text files in a zip archive, in the order of the files' names."""
    archive = Path(archive)
    return [story for _, text in _text_files(archive) for story in map(str.strip, text.split(STORY_END)) if story]


def read_easiest_books(folder: str | Path, count: int) -> list[str]:
    """The chapters of the easiest books of a folder with `books.zip` and the table of difficulty in `README.md`.

    Easiest are those with the least mean words a sentence among the books whose words a young child mostly knows:
    the rank is the sum of the rank by sentence length and the rank by share of known words.

    Raises:
        DataError: the table lists fewer books than asked for.
    """
    folder = Path(folder)
    table = read_text(folder / "README.md")
    rows = [(match["file"], float(match["sentence"]), float(match["known"])) for match in _BOOK_ROW.finditer(table)]
    if len(rows) < count:
        raise DataError(f"{folder}/README.md lists {len(rows)} books; {count} were asked for")
    by_sentence = {row[0]: rank for rank, row in enumerate(sorted(rows, key=lambda row: row[1]))}
    by_known = {row[0]: rank for rank, row in enumerate(sorted(rows, key=lambda row: -row[2]))}
    easiest = sorted(by_sentence, key=lambda name: (by_sentence[name] + by_known[name], name))[:count]
    books = {name.rpartition("/")[2]: text for name, text in _text_files(folder / "books.zip")}
    return [chapter for name in sorted(easiest) for chapter in _chapters(books[name])]


def _chapters(book: str) -> list[str]:
    """Two blank lines stand where a chapter or story begins."""
    return [chapter.strip() for chapter in book.split("\n\n\n") if chapter.strip()]


def _text_files(archive: Path) -> list[tuple[str, str]]:
    try:
        with zipfile.ZipFile(archive) as files:
            names = sorted(name for name in files.namelist() if name.endswith(".txt"))
            return [(name, decode_text(files.read(name), f"{archive}:{name}")) for name in names]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"cannot read {archive}: {error}; expected a zip archive of text files") from error


def _is_finished(story: str) -> bool:
    return story.rstrip().endswith((".", "!", "?", '"'))
