"""Readers of public sets whose texts have a class: genre, reading level, emotion; each gives (class, sentences) pairs.

The archives are as their publishers or `nltk_data` give them.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from shoal.errors import DataError
from shoal.textfiles import numbered_lines, read_text

Labelled = tuple[str, tuple[str, ...]]

EKMAN = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")

_LEVELS = {"Ele": "elementary", "Int": "intermediate", "Adv": "advanced"}
_LEVEL_NAME = re.compile(r"\A\ufeff?\s*(elementary|intermediate|advanced)\s*$", re.IGNORECASE | re.MULTILINE)


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
    for name, text in _files(archive):
        folder, _, file = name.rpartition("/")
        level = _LEVELS.get(folder.rpartition("/")[2].partition("-")[0])
        if level and file.endswith(".txt"):
            article = re.sub(r"-(ele|int|adv)\.txt$", "", file, flags=re.IGNORECASE).strip().lower()
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
        if not all(number.isdigit() and int(number) < len(EKMAN) for number in classes):
            raise DataError(f"row {number} of {file} has the classes {rest!r}; expected numbers below {len(EKMAN)}")
        if len(classes) == 1:
            rows.append((EKMAN[int(classes[0])], comment))
    return rows


def _tagged(archive: Path, categories: str, folder: str, mark: str) -> dict[str, Labelled]:
    """Texts of a token with its tag behind a mark, a sentence a line."""
    files = dict(_files(archive))
    if categories not in files:
        raise DataError(f"{archive} has no {categories}; expected the archive of nltk_data")
    found = {}
    for line in files[categories].splitlines():
        name, _, genre = line.rpartition(" ")
        lines = files[folder + name].splitlines()
        words = (" ".join(token.rpartition(mark)[0] for token in line.split()) for line in lines)
        found[name] = (genre, tuple(sentence for sentence in words if sentence.strip()))
    return found


def _files(archive: Path) -> list[tuple[str, str]]:
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if not name.endswith("/")]
            return [(name, opened.read(name).decode("utf-8", errors="replace")) for name in names]
    except (OSError, zipfile.BadZipFile) as fault:
        raise DataError(f"{archive} cannot be read as a zip archive: {fault}") from fault
