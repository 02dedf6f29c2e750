"""Readers of public data sets, as their publishers or `nltk_data` give them.

The sets that small language models are trained on are read as lists of documents: text files, or a zip archive of
them, with `<|endoftext|>` between the stories where the set has it. The sets whose texts have a class (genre, reading
level, emotion) are read as pairs of a class and its sentences.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.textfiles import ZIP_FAULTS, decode_text, numbered_lines, read_text

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

STORY_END = "<|endoftext|>"

_BOOK_ROW = re.compile(
    r"^\| (?P<file>[^|]+\.txt) \|(?:[^|]*\|)*? (?P<sentence>\d+\.\d) \| (?P<known>\d\.\d+) \|$", re.MULTILINE
)

Labelled = tuple[str, tuple[str, ...]]

EKMAN = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")

_LEVELS = {"Ele": "elementary", "Int": "intermediate", "Adv": "advanced"}
_LEVEL_NAME = re.compile(r"\A\ufeff?\s*(elementary|intermediate|advanced)\s*$", re.IGNORECASE | re.MULTILINE)


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

    Easiest are those with the least mean words per sentence among the books whose words a young child mostly knows:
    the rank is the sum of the rank by sentence length and the rank by share of known words.

    Args:
        folder: with ``books.zip`` and ``README.md``.
        count: how many books.

    Raises:
        DataError: the table lists fewer books than that, or one that the archive lacks.
    """
    folder = Path(folder)
    table = read_text(folder / "README.md")
    rows = [(match["file"], float(match["sentence"]), float(match["known"])) for match in _BOOK_ROW.finditer(table)]
    if len(rows) < count:
        raise DataError(f"{folder}/README.md lists {len(rows)} books; fewer than the requested {count}")
    # Ranks can be added up where the length of sentences and the share of known words cannot.
    by_sentence = {row[0]: rank for rank, row in enumerate(sorted(rows, key=lambda row: row[1]))}
    by_known = {row[0]: rank for rank, row in enumerate(sorted(rows, key=lambda row: -row[2]))}
    easiest = sorted(by_sentence, key=lambda name: (by_sentence[name] + by_known[name], name))[:count]
    books = {name.rpartition("/")[2]: text for name, text in _text_files(folder / "books.zip")}
    _check_listed(folder / "books.zip", books, easiest, str(folder / "README.md"))
    return [chapter for name in sorted(easiest) for chapter in _chapters(books[name])]


def read_brown(archive: str | Path) -> dict[str, Labelled]:
    """The Brown corpus by file name: the genre and the sentences, without tags.

    Args:
        archive: `brown.zip` of nltk_data, with `cats.txt`. It is licensed for non-commercial use.

    Raises:
        DataError: the archive cannot be read.
    """
    archive = Path(archive)
    return _tagged(archive, "brown/cats.txt", "brown/", "/")


def read_masc(archive: str | Path) -> dict[str, Labelled]:
    """The tagged part of the Manually Annotated Sub-Corpus by file name: the genre and the sentences, without tags.

    Args:
        archive: `masc_tagged.zip` of nltk_data.

    Raises:
        DataError: the archive cannot be read.
    """
    archive = Path(archive)
    return _tagged(archive, "masc_tagged/categories.txt", "masc_tagged/", "_")


def read_onestop(archive: str | Path) -> dict[str, dict[str, str]]:
    """OneStopEnglish by article: its text at each level (elementary, intermediate, advanced).

    Args:
        archive: `texts_by_level.zip`.

    Raises:
        DataError: the archive cannot be read.
    """
    archive = Path(archive)
    articles: dict[str, dict[str, str]] = {}
    for name, text in _members(archive):
        folder, _, file = name.rpartition("/")
        level = _LEVELS.get(folder.rpartition("/")[2].partition("-")[0])
        if level and file.endswith(".txt"):
            article = re.sub(r"-(ele|int|adv)\.txt$", "", file, flags=re.IGNORECASE).strip().lower()
            # Some texts begin with the name of their level, by which a classifier would know them.
            articles.setdefault(article, {})[level] = _LEVEL_NAME.sub("", text.lstrip("\ufeff")).strip()
    return articles


def read_ekman(file: str | Path) -> list[tuple[str, str]]:
    """The comments of GoEmotions that have one of the classes of `EKMAN` alone: (class, comment).

    Args:
        file: a gzipped table of comment, class numbers and identifier, with the Ekman grouping.

    Raises:
        DataError: a row is not of this form.
    """
    file = Path(file)
    rows = []
    for number, line in numbered_lines(read_text(file)):
        comment, _, rest = line.partition("\t")
        classes = rest.partition("\t")[0].split(",")
        if not all(number.isdecimal() and int(number) < len(EKMAN) for number in classes):
            raise DataError(f"row {number} of {file} has the classes {rest!r}; expected numbers below {len(EKMAN)}")
        if len(classes) == 1:
            rows.append((EKMAN[int(classes[0])], comment))
    return rows


def _chapters(book: str) -> list[str]:
    """Two blank lines stand where a chapter or story begins."""
    return [chapter.strip() for chapter in book.split("\n\n\n") if chapter.strip()]


def _text_files(archive: Path) -> list[tuple[str, str]]:
    try:
        with zipfile.ZipFile(archive) as files:
            names = sorted(name for name in files.namelist() if name.endswith(".txt"))
            return [(name, decode_text(files.read(name), f"{archive}:{name}")) for name in names]
    except ZIP_FAULTS as error:
        raise DataError(f"cannot read {archive}: {error}; expected a zip archive of text files") from error


def _is_finished(story: str) -> bool:
    return story.rstrip().endswith((".", "!", "?", '"'))


def _tagged(archive: Path, categories: str, folder: str, mark: str) -> dict[str, Labelled]:
    """Texts of a token with its tag behind a mark, a sentence a line."""
    files = dict(_members(archive))
    if categories not in files:
        raise DataError(f"{archive} has no {categories}; expected the archive of nltk_data")
    listed = [line.rpartition(" ")[::2] for line in files[categories].splitlines() if line.strip()]
    _check_listed(archive, files, [folder + name for name, _ in listed], categories)
    found = {}
    for name, genre in listed:
        lines = files[folder + name].splitlines()
        words = (" ".join(token.rpartition(mark)[0] for token in line.split()) for line in lines)
        found[name] = (genre, tuple(sentence for sentence in words if sentence.strip()))
    return found


def _check_listed(archive: Path, held: Container[str], names: Iterable[str], table: str) -> None:
    """Refuse an archive that lacks a file of its table."""
    lacking = next((name for name in names if name not in held), None)
    if lacking is not None:
        raise DataError(f"{archive} has no {lacking}, which {table} lists; get the whole archive again")


def _members(archive: Path) -> list[tuple[str, str]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if not name.endswith("/")]
            # Not all archives of nltk_data are UTF-8 throughout; a sentence with U+FFFD is better than no corpus.
            return [(name, opened.read(name).decode("utf-8", errors="replace")) for name in names]
    except ZIP_FAULTS as fault:
        raise DataError(f"{archive} cannot be read as a zip archive: {fault}") from fault
